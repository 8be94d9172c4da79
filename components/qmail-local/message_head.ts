/**
 * The lines qmail-local puts in front of a message, and the check that it did not do so before.
 * @module
 */
import { Buffer } from "node:buffer";
import { formatPath } from "../lib/address/mailbox.ts";
import { parseEnvelopeAddress } from "../lib/address/parse_path.ts";
import { fromOctets, toOctets } from "../lib/octets.ts";

function oneLine(address: string): string {
  return address.replaceAll("\n", "_");
}

/** `Return-Path: <sender>`, quoted as RFC 5321 has it; an octet string ending in LF. */
export function returnPathLine(sender: string): string {
  const mailbox = parseEnvelopeAddress(sender);
  return `Return-Path: <${oneLine(mailbox === undefined ? sender : formatPath(mailbox))}>\n`;
}

/** `Delivered-To: recipient`; an octet string ending in LF. */
export function deliveredToLine(recipient: string): string {
  return `Delivered-To: ${oneLine(recipient)}\n`;
}

/** Most octets of a header that are looked through. */
export const longestHeader = 1024 * 1024;

/** Where the header in `octets` ends (after the LF of its last line), or -1 while that is not to be seen. */
export function headerEnd(octets: Uint8Array): number {
  if (octets[0] === 0x0a) return 0;
  const at = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).indexOf("\n\n");
  return at < 0 ? -1 : at + 1;
}

/** How often the message has been delivered before, here or elsewhere, by what its header says. */
export function countDeliveries(header: Uint8Array): number {
  return fromOctets(header).match(/^Delivered-To: /gm)?.length ?? 0;
}

/** Whether `line` (with its LF) is a line of `header`, octet for octet. */
export function hasHeaderLine(header: Uint8Array, line: string): boolean {
  const octets = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  const wanted = toOctets(line);
  for (let at = octets.indexOf(wanted); at >= 0; at = octets.indexOf(wanted, at + 1)) {
    if (at === 0 || octets[at - 1] === 0x0a) return true;
  }
  return false;
}
