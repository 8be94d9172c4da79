/**
 * As much of DER (X.690 §8, §10) as a certificate takes to be looked into, and a simple one to be written.
 * @module
 */
import { Buffer } from "node:buffer";

/** Tags as whole octets. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** The tag of the constructed context-specific element `[number]`. */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** The elements one after another in `octets`; undefined where it is no DER. */
export function readElements(octets: Uint8Array): readonly Element[] | undefined {
  const elements: Element[] = [];
  for (let at = 0; at < octets.length;) {
    const tag = octets[at]!;
    const short = octets[at + 1];
    if (short === undefined) return undefined;
    const lengthOctets = short < 0x80 ? 0 : short - 0x80;
    const begin = at + 2 + lengthOctets;
    // Four octets are more than any certificate; zero would be BER's open length.
    if (short === 0x80 || lengthOctets > 4 || begin > octets.length) return undefined;
    const long = octets.subarray(at + 2, begin).reduce((sum, octet) => sum * 256 + octet, 0);
    const end = begin + (lengthOctets === 0 ? short : long);
    if (end > octets.length) return undefined;
    elements.push({ tag, content: octets.subarray(begin, end) });
    at = end;
  }
  return elements;
}

/** One element around `parts`. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const lengths: number[] = [];
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) lengths.unshift(rest % 256);
  const head = content.length < 0x80 ? [tag, content.length] : [tag, 0x80 | lengths.length, ...lengths];
  return Buffer.concat([Uint8Array.from(head), content]);
}

/** An object identifier, from its dotted form. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const octets = [40 * first + second, ...rest].flatMap((arc) => {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift(0x80 | left % 128);
    }
    return digits;
  });
  return element(tags.oid, Uint8Array.from(octets));
}
