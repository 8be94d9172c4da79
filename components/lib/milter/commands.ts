/**
 * What a milter is told of a message, packet by packet, and the macros that go in front of each.
 * @module
 */
import { Buffer } from "node:buffer";
import type { ClientNote } from "../filters/filter.ts";
import type { MailField } from "../scanners/mail.ts";
import { pathOf } from "../scanners/paths.ts";
import { formatPacket } from "./packet.ts";
import { bodyChunkBytes, command, type CommandName } from "./protocol.ts";

/** What holds for a whole session; octet strings. */
export interface SessionFacts {
  readonly client: ClientNote | undefined;
  /** This host's name (macro j). */
  readonly me: string;
  /** The message's name in both logs (macro i). */
  readonly id: string;
}

/** Octets of a name and a value: libmilter reads packets of 64 KiB. */
const longestField = 60_000;

/** Who connected. A program of this machine is as a client on loopback. */
export function formatConnect({ client }: SessionFacts): Uint8Array {
  if (client === undefined || client.entrance === "local" || client.entrance === "forward") {
    return formatPacket(command.CONNECT, "localhost\0" + "4\0\0" + "127.0.0.1\0");
  }
  const { ip, host = `[${ip}]` } = client;
  const family = ip.includes(":") ? "6" : /^[0-9.]+$/.test(ip) ? "4" : "U";
  // The port is not known; two octets stand for it.
  return formatPacket(command.CONNECT, `${text(host)}\0${family}${family === "U" ? "" : `\0\0${text(ip)}\0`}`);
}

export function formatHelo({ client, me }: SessionFacts): Uint8Array {
  return formatPacket(command.HELO, `${text(client?.helo || me)}\0`);
}

export function formatMailFrom(sender: string): Uint8Array {
  return formatPacket(command.MAIL, `${pathOf(sender)}\0`);
}

export function formatRecipient(recipient: string): Uint8Array {
  return formatPacket(command.RCPT, `${pathOf(recipient)}\0`);
}

/** Lines of a folded value end in LF. `leadingSpace`: with the blank behind the colon. */
export function formatField({ name, value }: MailField, leadingSpace: boolean): Uint8Array {
  const told = leadingSpace ? value : value.replace(/^ /, "");
  const shown = name.replace(/[ \t]+$/, "");
  return formatPacket(command.HEADER, `${shown}\0${text(told.slice(0, longestField - shown.length))}\0`);
}

/** The body in pieces, its lines ended by CRLF. */
export function* formatBody(body: Uint8Array): Generator<Uint8Array> {
  const octets = toCrlf(body);
  for (let at = 0; at < octets.length; at += bodyChunkBytes) {
    yield formatPacket(command.BODY, octets.subarray(at, at + bodyChunkBytes));
  }
}

/** The values a milter finds under these names while it looks at the command, or undefined where there is nothing to say. */
export function formatMacros(name: CommandName, facts: SessionFacts, address?: string): Uint8Array | undefined {
  const macros = macrosOf(name, facts, address).filter(([, value]) => value !== "");
  if (macros.length === 0) return undefined;
  return formatPacket(command.MACRO, command[name] + macros.map(([key, value]) => `${key}\0${text(value)}\0`).join(""));
}

function macrosOf(name: CommandName, facts: SessionFacts, address = ""): readonly (readonly [string, string])[] {
  const { client, me, id } = facts;
  switch (name) {
    case "CONNECT":
      return [
        ["j", me],
        ["v", "dqmail"],
        ["{daemon_name}", client?.entrance ?? "local"],
        ["{client_addr}", client?.ip ?? "127.0.0.1"],
        ["{client_name}", client?.host ?? ""],
        ["{client_ptr}", client?.host ?? ""],
      ];
    case "MAIL": {
      const login = client?.login ?? "";
      // Milters ask whether there is one; which mechanism it was is not known here.
      const auth = login === "" ? "" : "SASL";
      return [["i", id], ["{auth_type}", auth], ["{auth_authen}", login], [
        "{mail_addr}",
        pathOf(address).slice(1, -1),
      ]];
    }
    case "RCPT":
      return [["i", id], ["{rcpt_addr}", pathOf(address).slice(1, -1)]];
    case "DATA":
    case "EOH":
    case "BODYEOB":
      return [["i", id]];
    default:
      return [];
  }
}

/** What stands before a NUL is all that is read. */
function text(octets: string): string {
  return octets.replaceAll("\0", "_");
}

const [lf, cr] = [0x0a, 0x0d];

/** A CR before each LF: also where one stands, so that {@link fromCrlf} finds it again. */
export function toCrlf(octets: Uint8Array): Uint8Array {
  let lines = 0;
  for (let at = octets.indexOf(lf); at >= 0; at = octets.indexOf(lf, at + 1)) lines++;
  const out = Buffer.allocUnsafe(octets.length + lines);
  let length = 0;
  let start = 0;
  for (let at = octets.indexOf(lf); at >= 0; at = octets.indexOf(lf, start)) {
    out.set(octets.subarray(start, at), length);
    length += at - start;
    out[length++] = cr;
    out[length++] = lf;
    start = at + 1;
  }
  out.set(octets.subarray(start), length);
  return out;
}

/** CRLF as LF, on an octet string; any other CR stays. */
export function fromCrlf(octets: string): string {
  return octets.replaceAll("\r\n", "\n");
}
