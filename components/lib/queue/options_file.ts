/**
 * `queue/options/N`: what the client asked for message N of the layout, beside qmail's files and in a folder that the
 * original passes over. It is read as long as the message is in the queue, after its envelope is gone, so it says itself
 * whose it is: its last line is a checksum over the lines before and the first line of the message's text, qmail-queue's
 * Received field, which no two messages have in common. So a file that stayed behind, while a qmail that knows nothing of
 * it gave the number to another message, is nobody's.
 * @module
 */
import { nodeZlib } from "../process/builtin.ts";
import { fromOctets, toOctets } from "../octets.ts";

/** So much of a text is enough to know it by its first line. */
export const knownByBytes = 256;

const lf = 0x0a;
const trailer = /^=[0-9a-f]{8}\n$/;
const trailerBytes = 10;

/** `options`: as formatMessageOptions() writes them; `text`: the message's, or its beginning. */
export function formatOptionsFile(options: string, text: Uint8Array): Uint8Array {
  return toOctets(`${options}=${checksum(options, text)}\n`);
}

/** The options in a file; `undefined`: it is another message's, or damaged. */
export function parseOptionsFile(octets: Uint8Array, text: Uint8Array): string | undefined {
  const file = fromOctets(octets);
  const options = file.slice(0, -trailerBytes);
  const end = file.slice(-trailerBytes);
  return trailer.test(end) && end === `=${checksum(options, text)}\n` ? options : undefined;
}

function checksum(options: string, text: Uint8Array): string {
  const start = text.subarray(0, knownByBytes);
  const end = start.indexOf(lf);
  const firstLine = end < 0 ? start : start.subarray(0, end);
  return nodeZlib().crc32(firstLine, nodeZlib().crc32(toOctets(options))).toString(16).padStart(8, "0");
}
