/**
 * A message as a scanner changes it: its header fields as they stand, octet by octet, and the rest. What nobody changes
 * comes out as it went in.
 * @module
 */
import { Buffer } from "node:buffer";
import { fromOctets, toOctets } from "../octets.ts";

/** Octet strings. `name` with what blanks stand before the colon; `value` from behind it to before the field's last LF. */
export interface MailField {
  readonly name: string;
  readonly value: string;
}

/** `fields`, then `rest`: the empty line and the body, or whatever comes where the header ends without one. */
export interface Mail {
  /** A line "From " of a mbox in front of the header, with its LF; else "". */
  readonly mboxLine: string;
  readonly fields: readonly MailField[];
  readonly rest: Uint8Array;
}

/** More of either has no mail, but somebody who wants to keep a filter busy. */
const [longestHeader, mostFields] = [4 * 1024 * 1024, 10_000];
const lf = 0x0a;
const [space, tab] = [0x20, 0x09];

/** Takes a message with LF line ends apart; undefined where its header is too long, or has too many fields. */
export function splitMail(content: Uint8Array): Mail | undefined {
  const fields: MailField[] = [];
  let at = 0;
  let mboxLine = "";
  if (fromOctets(content.subarray(0, 6)).replace(/^>/, "").startsWith("From ")) {
    at = lineEnd(content, 0);
    mboxLine = fromOctets(content.subarray(0, at));
  }
  while (at < content.length && content[at] !== lf) {
    let end = lineEnd(content, at);
    while (content[end] === space || content[end] === tab) end = lineEnd(content, end);
    if (end - at > longestHeader) return undefined;
    const text = fromOctets(content.subarray(at, content[end - 1] === lf ? end - 1 : end));
    const [whole, name] = /^([!-9;-~]+[ \t]*):/.exec(text) ?? [];
    // A header that ends without a line end stays part of the rest: a field behind it would be glued to it.
    if (whole === undefined || content[end - 1] !== lf) break;
    if (end > longestHeader || fields.length === mostFields) return undefined;
    fields.push({ name: name!, value: text.slice(whole.length) });
    at = end;
  }
  return { mboxLine, fields, rest: content.subarray(at) };
}

/** Index behind the line that begins at `at`. */
function lineEnd(content: Uint8Array, at: number): number {
  const end = content.indexOf(lf, at);
  return end < 0 ? content.length : end + 1;
}

/** The inverse of {@link splitMail}. */
export function formatMail({ mboxLine, fields, rest }: Mail): Uint8Array {
  const header = fields.map(({ name, value }) => `${name}:${value}\n`).join("");
  return Buffer.concat([toOctets(mboxLine + header), rest]);
}

/** The empty line between header and body where there is one, and the body. */
export function splitRest(rest: Uint8Array): { readonly gap: Uint8Array; readonly body: Uint8Array } {
  const at = rest[0] === lf ? 1 : 0;
  return { gap: rest.subarray(0, at), body: rest.subarray(at) };
}

/** A field's name as it is compared. */
export function nameKey(name: string): string {
  return name.replace(/[ \t]+$/, "").toLowerCase();
}

/** Positions of the fields of this name, in any case, from the top. */
export function positionsOf(fields: readonly MailField[], name: string): number[] {
  const key = nameKey(name);
  return fields.flatMap((field, at) => nameKey(field.name) === key ? [at] : []);
}

/** A field's name and value as others give them are octets of one field: undefined where they would be more, or none. */
export function safeField(name: string, value: string): MailField | undefined {
  if (!/^[!-9;-~]{1,255}$/.test(name)) return undefined;
  const lines = value.replaceAll("\r\n", "\n").replace(/\n+$/, "").split("\n");
  // A line that does not begin with a blank would be a field of its own, or end the header; a blank line ends it for some.
  const isFolded = lines.slice(1).every((line) => /^[ \t]+[^ \t]/.test(line));
  return isFolded && !/[\0\r]/.test(lines.join("")) ? { name, value: lines.join("\n") } : undefined;
}
