/**
 * What MAIL says about a message before it is sent: its size on the wire, and whether it holds octets over 127. For some
 * messages also what kind of server can take them.
 * @module
 */
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { fromOctets } from "../lib/octets.ts";

export interface ContentFacts {
  /** As it lies in the queue, lines ending in LF: never more than travels. */
  readonly sizeBytes: number;
  /** For SIZE= (RFC 1870 §6.1 takes an estimate): with CRLF; exact, doubled dots apart, where all was at hand. */
  readonly wireBytes: number;
  /** Whether the part at hand holds octets over 127. */
  readonly eightBit: boolean;
}

const LF = 0x0a;

/** Looks through the first piece of a message; for the remainder the same density of lines is assumed. */
export function surveyContent(sizeBytes: number, first: Uint8Array): ContentFacts {
  let lines = 0;
  let bits = 0;
  for (let at = 0; at < first.length; at++) {
    const octet = first[at]!;
    bits |= octet;
    if (octet === LF) lines++;
  }
  const allLines = first.length === 0 ? 0 : Math.ceil((lines * sizeBytes) / first.length);
  return { sizeBytes, wireBytes: sizeBytes + allLines, eightBit: bits > 127 };
}

/** Whether the header, as far as it is at hand, holds octets over 127: then it needs SMTPUTF8 (RFC 6531 §1.2). */
export function hasEightBitHeader(first: Uint8Array): boolean {
  for (let at = 0; at < first.length; at++) {
    if (first[at]! > 127) return true;
    if (first[at] === LF && first[at + 1] === LF) return false;
  }
  return false;
}

/**
 * Whether the header, as far as it is at hand, says "TLS-Required: No" (RFC 8689 §5): the sender would rather have the
 * message arrive than have it kept to what the recipient's domain publishes about TLS. A report on broken TLS does.
 */
export function saysTlsOptional(first: Uint8Array): boolean {
  if (first[0] === LF) return false;
  let end = first.indexOf(LF);
  while (end >= 0 && first[end + 1] !== LF) end = first.indexOf(LF, end + 1);
  const header = fromOctets(end < 0 ? first : first.subarray(0, end));
  return /^tls-required:[ \t]*no[ \t]*$/im.test(header);
}

const [NUL, CR] = [0, 0x0d];
/** Octets of a line without its CRLF (RFC 5322 §2.1.1). */
const longestLine = 998;

/** Whether a message is more than text lines, and so more than DATA can carry (RFC 5321 §4.5.2, RFC 6152 §3). */
export async function isBinary(body: MessageBody): Promise<boolean> {
  let lineOctets = 0;
  for await (const piece of body.pieces()) {
    for (const octet of piece) {
      lineOctets = octet === LF ? 0 : lineOctets + 1;
      if (octet === NUL || octet === CR || lineOctets > longestLine) return true;
    }
  }
  return false;
}
