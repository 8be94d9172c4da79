/**
 * What deno's permission broker is asked and answered, and the answer itself, from a grant. A process that is started
 * with a broker's socket in DENO_PERMISSION_BROKER_PATH has no flags: it asks there before every deed, waits for the
 * answer, and ends itself (exit code 87) when none comes. One JSON object a line each way.
 *
 * That is how a grant may hold networks of IPv6 (`[2000::]/3:25`), which flags cannot say.
 * @module
 */
import type { IpAddress } from "../../../config/ip/address.ts";
import { contains, type IpNetwork, parseNetwork } from "../../../config/ip/network.ts";
import { parseIpv4, parseIpv6 } from "../../../config/ip/parse_ip.ts";
import { err, ok, type Result } from "../result.ts";
import { publicHost, type Rights } from "./grant.ts";
import { publicNetworks } from "./public_networks.ts";

/** One check: `value` is the path, `host:port` or name it is about; undefined: about all there are of its kind. */
export interface Check {
  readonly id: number;
  readonly permission: string;
  readonly value: string | undefined;
}

/** Reads one line of a process. The error is one line for the log. */
export function parseCheck(line: string): Result<Check, string> {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return err("expected a JSON object");
  }
  if (typeof read !== "object" || read === null) return err("expected a JSON object");
  const { v, id, permission, value } = read as Readonly<Record<string, unknown>>;
  if (v !== 1) return err("expected version 1");
  if (typeof id !== "number" || !Number.isSafeInteger(id)) return err(`expected a whole number as "id"`);
  if (typeof permission !== "string") return err(`expected a text as "permission"`);
  if (value !== null && value !== undefined && typeof value !== "string") return err(`expected a text as "value"`);
  return ok({ id, permission, value: value ?? undefined });
}

/** The line that answers a check. */
export function formatAnswer(id: number, allowed: boolean): string {
  return `${JSON.stringify({ id, result: allowed ? "allow" : "deny" })}\n`;
}

/**
 * Whether `rights` cover a check. Tighter than deno's flags: a path stands for itself and nothing below it, a host has
 * to be an address (a name is checked before it is looked up, and never again), a program is never started, and what is
 * not understood is refused.
 */
export function isAllowed(rights: Rights, { permission, value }: Omit<Check, "id">): boolean {
  if (value === undefined) return false;
  switch (permission) {
    case "read":
    case "write":
    case "sys":
    case "env":
      return rights[permission].includes(value);
    case "net":
      return rights.net.some((entry) => coversAddress(entry, value));
    default:
      return false;
  }
}

/** Whether an entry of {@link Rights.net} covers what deno asks about: `host:port`, `[v6]:port` or `unix:/path`. */
export function coversAddress(entry: string, value: string): boolean {
  if (entry === value) return true;
  const [network, entryPort] = splitPort(entry);
  const [host, port] = splitPort(value);
  if (port !== entryPort) return false;
  if (network === publicHost) return publicNetworks.some((network) => coversAddress(`${network}:${port}`, value));
  if (!network.includes("/")) return false;
  const address = parseAddress(host);
  const range = parseRange(network);
  return address !== undefined && range !== undefined && contains(range, address);
}

function splitPort(text: string): [string, string] {
  const colon = text.lastIndexOf(":");
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function parseAddress(host: string): IpAddress | undefined {
  const inside = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : undefined;
  if (inside === undefined) return parseIpv4(host);
  // With an interface ("fe80::1%eth0") it is in no network that a grant names.
  const address = parseIpv6(inside);
  return address?.zone === "" ? address : undefined;
}

/** A grant writes IPv6 in brackets here, too. */
function parseRange(network: string): IpNetwork | undefined {
  return parseNetwork(network.replace(/^\[([^\]]*)\]/, "$1"));
}
