/**
 * What MAIL says about a message before it is sent: its size on the wire, and whether it holds octets over 127.
 * @module
 */

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
