/**
 * What greylisting knows a delivery by: the network of the client, the sender and the recipient. Both are kept as hashes
 * of one length, so that nobody can make an entry larger than another, and the file holds no address.
 *
 * The network, not the address: a large sender tries again from another of its machines. An address is taken as it is but
 * for the case of its domain (RFC 5321 §2.4): what follows a "+" or "-" may be a user's own. A list whose sender names the
 * recipient (VERP) waits once for each recipient, until its network is trusted as a whole.
 * @module
 */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { parseClientIp } from "../../config/ip/parse_ip.ts";
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";

/** Octets of a {@link Hash}: nobody finds two inputs with the same one. */
export const hashBytes = 16;
/** An octet string of {@link hashBytes} octets. */
export type Hash = string;

/** What is asked for, as keys. */
export interface Triplet {
  readonly key: Hash;
  readonly network: Hash;
}

/** Of octet strings; where one ends and the next begins makes a difference. */
export function hashOf(...parts: readonly string[]): Hash {
  const octets = parts.map((part) => `${part.length} ${part}`).join("");
  return createHash("sha256").update(octets, "latin1").digest().toString("latin1", 0, hashBytes);
}

/**
 * The /24 of an IPv4 address, the /64 of an IPv6 one (what one customer's line, or one machine, usually has), mapped
 * addresses as IPv4. Anything else, such as "unknown", is a network of its own.
 */
export function networkOf(ip: string): string {
  const address = parseClientIp(ip);
  if (address === undefined) return ip;
  const octets = address.octets.slice(0, address.kind === "ipv4" ? 3 : 8);
  return `${address.kind} ${octets.join(".")}`;
}

function withLowerCaseDomain(address: string): string {
  const at = address.lastIndexOf("@");
  return at < 0 ? address : address.slice(0, at + 1) + lowerCaseAscii(address.slice(at + 1));
}

/** `sender` and `recipient` are octet strings. */
export function tripletOf({ ip, sender, recipient }: {
  readonly ip: string;
  readonly sender: string;
  readonly recipient: string;
}): Triplet {
  // What is no address may be of any characters.
  const network = Buffer.from(networkOf(ip)).toString("latin1");
  return {
    key: hashOf(network, withLowerCaseDomain(sender), withLowerCaseDomain(recipient)),
    network: hashOf(network),
  };
}
