/**
 * Names of files in a Maildir: which are messages, what a message is called from session to session, and where it goes
 * once it was seen.
 * @module
 */
import { createHash } from "node:crypto";

/** Whether a name in new or cur is a message's. */
export function isMessageName(name: string): boolean {
  return name !== "" && !name.startsWith(".");
}

/** The part of a name that stays while flags come and go behind it. */
export function stableName(name: string): string {
  const colon = name.indexOf(":");
  return colon < 0 ? name : name.slice(0, colon);
}

/**
 * The unique-id: the stable part of the name, as qmail-pop3d has it. Unlike qmail: a name with other octets than RFC 1939
 * §7 lets a unique-id have (graphic ASCII), or none, is told as its SHA-256 in hex. Longer than its 70 octets they may be:
 * clients take them, and a mailbox that moves here from qmail is not fetched anew.
 */
export function uidOf(name: string): string {
  const stable = stableName(name);
  return /^[\x21-\x7e]+$/.test(stable) ? stable : createHash("sha256").update(stable).digest("hex");
}

/** The name in cur of a message that was in new. */
export function seenName(name: string): string {
  return name.includes(":") ? name : `${name}:2,`;
}
