/**
 * A look over a message's header before it is verified: whether its size lets the verification stay cheap, and what
 * readers may take for From. What counts as a From field here is wider than RFC 5322, for mail readers are lenient.
 * @module
 */
import { fromOctets } from "../octets.ts";

/** A header that is larger, or has more lines, is not verified: its cost grows with the square. */
export const longestHeader = 256 * 1024;
export const mostHeaderLines = 4000;
/** Octets that the fields of each kind may have together: the library takes them apart, some of them by slow ways. */
const longestFrom = 4096;
const longestContentType = 4096;
/** Ten signatures and a chain of three sets of ARC have a quarter of it. */
export const longestSignatures = 64 * 1024;
/** Fifty sets of ARC, as many as there may be (RFC 8617 §4.2.1), are 150 fields, with a dozen tags each. */
const mostSignatures = 250;
const mostTags = 4000;
/** Of the first field's name: what stands in the first line is taken for one, whatever it is. */
const longestFirstName = 1024;

export interface HeaderScan {
  /** Whether DKIM, ARC and From are to be looked at. */
  readonly isCheckable: boolean;
  /** Lines that a reader may take for a From field. */
  readonly fromFields: number;
  /** Whether one of them has an "@": it names somebody. */
  readonly hasAuthor: boolean;
}

const lf = 0x0a;
/** "From" and anything invisible before the colon. */
// deno-lint-ignore no-control-regex
const fromStart = /^from[\x00-\x20\x7f-\xff]*:/i;
/** What the library takes for the start of a field; any other line belongs to the field before it. */
const fieldStart = /^[\x21-\x39\x3b-\x7e]+[ \t\r\n]*:/;
/** The library takes blanks off in front of a name, which only the first line can have. */
// deno-lint-ignore no-control-regex
const authorStart = /^[ \t]*from[\x00-\x20\x7f-\xff]*:/i;
const contentTypeStart = /^[ \t]*content-type[ \t\r\n]*:/i;
const signatureStart = /^[ \t]*(dkim-signature|arc-(seal|message-signature|authentication-results))[ \t\r\n]*:/i;
/**
 * More than 64 blanks, or 32 line ends, in one run: where the library takes them off, its cost grows with the square of a
 * run. A match begins at a run's start alone, so that looking for one costs no more than reading.
 */
const longRun = /(?:^|[^ \t\r\n])[ \t\r\n]{65}/;
const longEnds = /(?:^|[^\r\n])[\r\n]{33}/;

const uncheckable: HeaderScan = { isCheckable: false, fromFields: 0, hasAuthor: true };

/** Octets of the header, with the empty line behind it; all of `content` where there is none. */
export function headerLength(content: Uint8Array): number {
  if (content[0] === lf) return 1;
  for (let at = content.indexOf(lf); at >= 0; at = content.indexOf(lf, at + 1)) {
    if (content[at + 1] === lf) return at + 2;
  }
  return content.length;
}

/** `content`: the message, with LF line ends. */
export function scanHeader(content: Uint8Array): HeaderScan {
  const length = headerLength(content);
  if (length > longestHeader) return uncheckable;
  const header = fromOctets(content.subarray(0, length));
  const lines = header.split("\n", mostHeaderLines + 1);
  if (lines.length > mostHeaderLines || longEnds.test(header) || isCostly(libraryFields(lines))) return uncheckable;
  const from = headerFields(lines).filter((field) => fromStart.test(field));
  return { isCheckable: true, fromFields: from.length, hasAuthor: from.some((field) => field.includes("@")) };
}

/** Whether to take these fields apart costs more than a message may. */
function isCostly([first = "", ...others]: readonly string[]): boolean {
  const fields = [first, ...others];
  const startingWith = (start: RegExp) => fields.filter((field) => start.test(field));
  const signatures = startingWith(signatureStart);
  return first.split(":", 1)[0]!.length > longestFirstName ||
    lengthOf(startingWith(authorStart)) > longestFrom ||
    lengthOf(startingWith(contentTypeStart)) > longestContentType ||
    lengthOf(signatures) > longestSignatures ||
    signatures.length > mostSignatures ||
    signatures.join(";").split(";", mostTags + 1).length > mostTags ||
    signatures.some((field) => longRun.test(field));
}

function lengthOf(fields: readonly string[]): number {
  return fields.reduce((length, field) => length + field.length, 0);
}

/** The fields as the library sees them. */
function libraryFields(lines: readonly string[]): readonly string[] {
  const fields: string[] = [];
  let end = lines.length;
  for (let at = end - 1; at >= 0; at--) {
    // The colon may stand in the line behind a name.
    const start = at + 1 < end ? `${lines[at]}\n${lines[at + 1]}` : lines[at]!;
    if (at > 0 && !fieldStart.test(start)) continue;
    fields.push(lines.slice(at, end).join("\n"));
    end = at;
  }
  return fields.reverse();
}

/** The fields of RFC 5322: each with its continuation lines and without its last line end. */
function headerFields(lines: readonly string[]): readonly string[] {
  const fields: string[][] = [];
  for (const line of lines) {
    const last = fields.at(-1);
    if (last !== undefined && /^[ \t]/.test(line)) last.push(line);
    else fields.push([line]);
  }
  return fields.map((field) => field.join("\n"));
}
