/**
 * Reading deno's records of permission checks (`DENO_AUDIT_PERMISSIONS`), and holding them against a grant. A record says
 * what was asked, not what was answered; what a grant covers decides that.
 * @module
 */
import ipaddr from "ipaddr.js";
import { join } from "@std/path";
import type { Rights } from "../../components/lib/permissions/grant.ts";

/** One check: its kind and the path, address, program or name it was about. */
export interface Asked {
  readonly kind: string;
  readonly value: string;
}

/** What a component was asked, each once. Deno begins the file anew with each process. */
export function readAudit(auditDir: string, name: string): Asked[] {
  const lines = Deno.readTextFileSync(join(auditDir, `${name}.jsonl`)).split("\n").filter((line) => line !== "");
  return [...new Set(lines)].map((line) => {
    const { permission, value } = JSON.parse(line) as { permission: string; value: unknown };
    return { kind: permission, value: String(value) };
  });
}

/** Whether `entry` of a grant is what lets a check of `kind` about `value` pass. */
export function covers(kind: string, entry: string, value: string): boolean {
  switch (kind) {
    case "read":
    case "write": {
      const path = entry.replace(/\/$/, "");
      return value.replace(/\/$/, "") === path || value.startsWith(`${path}/`);
    }
    case "net":
      return entry === value || coversAddress(entry, value);
    default:
      return entry === value;
  }
}

/** `network/bits:port` covers the addresses in it. */
function coversAddress(entry: string, value: string): boolean {
  const [network, port] = cut(entry);
  const [host, valuePort] = cut(value);
  if (port !== valuePort || !network.includes("/") || !ipaddr.IPv4.isValidFourPartDecimal(host)) return false;
  return ipaddr.IPv4.parse(host).match(ipaddr.IPv4.parseCIDR(network));
}

function cut(address: string): [string, string] {
  const colon = address.lastIndexOf(":");
  return [address.slice(0, colon), address.slice(colon + 1)];
}

/** The checks that nothing of the grant covers, a line each. */
export function outside(asked: readonly Asked[], rights: Rights): string[] {
  return asked
    .filter(({ kind, value }) => {
      const entries = (rights as unknown as Readonly<Record<string, readonly string[] | undefined>>)[kind] ?? [];
      return !entries.some((entry) => covers(kind, entry, value));
    })
    .map(({ kind, value }) => `${kind} ${value}`);
}

/** The entries of the grant that no check needed, a line each. */
export function unused(asked: readonly Asked[], rights: Rights): string[] {
  return (["read", "write", "net", "run", "sys"] as const).flatMap((kind) =>
    rights[kind]
      .filter((entry) => !asked.some((check) => check.kind === kind && covers(kind, entry, check.value)))
      .map((entry) => `${kind} ${entry}`)
  );
}
