/**
 * The field Authentication-Results (RFC 8601): written for what was checked here, and taken out where somebody else wrote
 * one in this host's name.
 * @module
 */
import { fromOctets, utf8Octets } from "../octets.ts";
import { headerLength } from "./header_scan.ts";

/** One method and its result. Texts of Unicode, from anywhere: what the field cannot hold is quoted or left out. */
export interface MethodResult {
  readonly method: "spf" | "dkim" | "dmarc" | "arc" | "auth";
  readonly result: string;
  readonly comment?: string;
  /** `ptype.property` and its value; one without a value is left out. */
  readonly properties: readonly (readonly [name: string, value: string])[];
}

/** A line without a place to fold it must stay below 998 octets (RFC 5322 §2.1.1). */
const longestValue = 256;
const longestComment = 200;
const usualLine = 78;

const token = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/;
const dotAtom = /^[!#$%&'*+\-/.0-9A-Z=?^_`a-z{|}~]+$/;
const domainName = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

/**
 * The field with its line ends (LF), as an octet string. Without results it says "none": nothing was checked.
 *
 * @example
 * ```ts
 * import { formatResultsField } from "./results_field.ts";
 * const field = formatResultsField("mx.example.org", [
 *   { method: "spf", result: "pass", properties: [["smtp.mailfrom", "example.com"]] },
 * ]); // "Authentication-Results: mx.example.org;\n\tspf=pass smtp.mailfrom=example.com\n"
 * ```
 */
export function formatResultsField(authservId: string, results: readonly MethodResult[]): string {
  if (results.length === 0) return `Authentication-Results: ${authservId}; none\n`;
  return `Authentication-Results: ${authservId};\n${results.map(formatResult).join(";\n")}\n`;
}

function formatResult({ method, result, comment, properties }: MethodResult): string {
  const words = [
    `${method}=${result}`,
    ...(comment === undefined ? [] : formatComment(comment)),
    ...properties.flatMap(([name, value]) => {
      const text = formatValue(value);
      return text === undefined ? [] : [`${name}=${text}`];
    }),
  ];
  let line = "";
  const lines: string[] = [];
  for (const word of words) {
    if (line !== "" && line.length + word.length + 2 > usualLine) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((text) => `\t${text}`).join("\n");
}

/** Its words: a comment may be folded between them. */
function formatComment(comment: string): readonly string[] {
  const text = plain(comment).slice(0, longestComment).replace(/[^\x20-\x7e]/g, "?").replace(/[()\\]/g, " ").split(" ")
    .filter((word) => word !== "");
  return text.length === 0 ? [] : `(${text.join(" ")})`.split(" ");
}

function formatValue(value: string): string | undefined {
  const text = utf8Octets(plain(value));
  if (text === "" || text.length > longestValue) return undefined;
  if (token.test(text)) return text;
  const at = text.lastIndexOf("@");
  const [localPart, domain] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  if (at >= 0 && domainName.test(domain)) {
    return localPart === "" || dotAtom.test(localPart) ? text : `${quoted(localPart)}@${domain}`;
  }
  return quoted(text);
}

function plain(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x20\x7f]+/g, " ").trim();
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

const name = "authentication-results";
// deno-lint-ignore no-control-regex
const fieldStart = /^authentication-results[\x00-\x20\x7f-\xff]*:/i;
/** Readers that end a line at a bare CR see such a field, too. */
const behindCr = /\r[ \t]*authentication-results[ \t]*:/i;

/**
 * The message without the Authentication-Results fields that claim to be this host's (RFC 8601 §5); `undefined` where there
 * are none. A field that cannot be read goes, too, if it has the name of this host anywhere.
 */
export function withoutForgedResults(content: Uint8Array, authservId: string): Uint8Array | undefined {
  const header = fromOctets(content.subarray(0, headerLength(content)));
  if (!header.toLowerCase().includes(name)) return undefined;
  const forged: (readonly [from: number, to: number])[] = [];
  let octets = 0;
  for (let from = 0; from < header.length;) {
    const to = endOfField(header, from);
    const field = header.slice(from, to);
    if (isForged(field, authservId.toLowerCase())) {
      forged.push([from, to]);
      octets += to - from;
    }
    from = to;
  }
  if (forged.length === 0) return undefined;
  const out = new Uint8Array(content.length - octets);
  let [kept, length] = [0, 0];
  for (const [from, to] of [...forged, [content.length, content.length] as const]) {
    out.set(content.subarray(kept, from), length);
    length += from - kept;
    kept = to;
  }
  return out;
}

/** Behind the line end of the field's last line. */
function endOfField(header: string, from: number): number {
  for (let at = from;;) {
    const end = header.indexOf("\n", at);
    if (end < 0) return header.length;
    const next = header[end + 1];
    if (next !== " " && next !== "\t") return end + 1;
    at = end + 1;
  }
}

/** `id`: lower case. */
function isForged(field: string, id: string): boolean {
  if (behindCr.test(field) && field.toLowerCase().includes(id)) return true;
  const [start] = fieldStart.exec(field) ?? [];
  if (start === undefined) return false;
  const claimed = readAuthservId(field.slice(start.length));
  return claimed === undefined ? field.toLowerCase().includes(id) : claimed.toLowerCase().replace(/\.+$/, "") === id;
}

/** The first word behind comments and blanks, quoted or not; `undefined` where there is none. */
export function readAuthservId(value: string): string | undefined {
  let [at, depth] = [0, 0];
  for (; at < value.length; at++) {
    const char = value[at]!;
    if (depth > 0 && char === "\\") at++;
    else if (char === "(") depth++;
    else if (char === ")" && depth > 0) depth--;
    else if (depth === 0 && !/[ \t\r\n]/.test(char)) break;
  }
  if (at >= value.length) return undefined;
  if (value[at] !== '"') return /^[^ \t\r\n;()"\\]+/.exec(value.slice(at))?.[0];
  let text = "";
  for (at++; at < value.length; at++) {
    const char = value[at]!;
    if (char === '"') return text;
    if (char === "\\") at++;
    text += value[at] ?? "";
  }
  return undefined;
}
