/**
 * "relaxed" canonicalization of RFC 6376 §3.4.2 and §3.4.4, of content as the queue keeps it. Signing stands in the way of
 * every submission, so a body is one pass over its octets, in pieces of a size that does not grow with it.
 *
 * qmail-remote sends every LF, CR LF and lone CR as CR LF: {@link withLfLines} makes the same of them first.
 * @module
 */
import { createHash } from "node:crypto";
import { fromOctets } from "../octets.ts";

const [tab, lf, cr, space] = [9, 10, 13, 32];

/** Content whose line ends are LF alone: itself where there is no CR in it. */
export function withLfLines(content: Uint8Array): Uint8Array {
  if (!content.includes(cr)) return content;
  const output = new Uint8Array(content.length);
  let length = 0;
  for (let at = 0; at < content.length; at++) {
    const octet = content[at]!;
    if (octet === lf && content[at - 1] === cr) continue;
    output[length++] = octet === cr ? lf : octet;
  }
  return output.subarray(0, length);
}

/** A header field. */
export interface HeaderField {
  /** Lower-cased. */
  readonly name: string;
  /** As an octet string, continuation lines included, without the last line end. */
  readonly text: string;
}

export interface SplitMessage {
  readonly fields: readonly HeaderField[];
  readonly body: Uint8Array;
}

/**
 * Takes a message with LF lines apart; undefined for one whose header has a line that is no field, which the next host may
 * understand in another way than we.
 */
export function splitMessage(content: Uint8Array): SplitMessage | undefined {
  const end = headerEnd(content);
  const header = fromOctets(content.subarray(0, end));
  const fields: HeaderField[] = [];
  for (const part of header === "" ? [] : header.split(/\n(?![ \t])/)) {
    const colon = part.indexOf(":");
    const name = part.slice(0, Math.max(colon, 0)).trimEnd();
    if (!/^[!-9;-~]+$/.test(name)) return undefined;
    fields.push({ name: name.toLowerCase(), text: part });
  }
  // The LF of the last field, and the empty line.
  return { fields, body: content.subarray(Math.min(end + (end === 0 ? 1 : 2), content.length)) };
}

/** Where the header's last line ends, before its LF. */
function headerEnd(content: Uint8Array): number {
  if (content[0] === lf) return 0;
  for (let at = content.indexOf(lf); at >= 0; at = content.indexOf(lf, at + 1)) {
    if (at + 1 === content.length || content[at + 1] === lf) return at;
  }
  return content.length;
}

/** A field in relaxed form, without a line end. */
export function relaxedField({ name, text }: HeaderField): string {
  const value = text.slice(text.indexOf(":") + 1).replaceAll("\n", "").replace(/[ \t]+/g, " ");
  return `${name}:${value.replace(/^ /, "").replace(/ $/, "")}`;
}

const pieceBytes = 64 * 1024;

/** Base64 of the SHA-256 of a body (LF lines) in relaxed form, lines ending in CR LF: the tag `bh`. */
export function relaxedBodyHash(body: Uint8Array): string {
  const hash = createHash("sha256");
  const piece = new Uint8Array(pieceBytes);
  let length = 0;
  let isEmpty = true;
  let lineEnds = 0;
  let isBlankBefore = false;
  for (let at = 0; at < body.length;) {
    let octet = body[at]!;
    if (octet === lf) {
      // Those at the end of the body do not count, blanks before one never do.
      lineEnds++;
      isBlankBefore = false;
      at++;
      continue;
    }
    if (octet === space || octet === tab) {
      isBlankBefore = true;
      at++;
      continue;
    }
    for (; lineEnds > 0; lineEnds--) {
      if (length + 4 > pieceBytes) {
        hash.update(piece.subarray(0, length));
        length = 0;
      }
      piece[length++] = cr;
      piece[length++] = lf;
    }
    if (isBlankBefore) piece[length++] = space;
    isBlankBefore = false;
    isEmpty = false;
    // All octets but blanks and line ends: nearly every one.
    while (octet > space || (octet !== lf && octet !== space && octet !== tab)) {
      if (length + 4 > pieceBytes) {
        hash.update(piece.subarray(0, length));
        length = 0;
      }
      piece[length++] = octet;
      if (++at === body.length) break;
      octet = body[at]!;
    }
  }
  if (!isEmpty) {
    piece[length++] = cr;
    piece[length++] = lf;
  }
  return hash.update(piece.subarray(0, length)).digest("base64");
}
