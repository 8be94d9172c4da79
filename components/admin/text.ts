/**
 * Octets and times as people read them.
 * @module
 */
import { toOctets } from "../lib/octets.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Control characters, and those that turn the direction of writing or cannot be seen. */
// deno-lint-ignore no-control-regex
const harmful = /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** `text` with what could mislead its reader written out as `\u{…}`. */
export function harmless(text: string): string {
  return text.replace(harmful, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);
}

/** An octet string as text: as UTF-8 where it is, else its octets beyond ASCII written out as `\xNN`. */
export function textOf(octets: string): string {
  if (/^[ -~]*$/.test(octets)) return octets;
  try {
    return harmless(utf8.decode(toOctets(octets)));
  } catch {
    return octets.replace(/[^ -~]/g, (octet) => `\\x${octet.charCodeAt(0).toString(16).padStart(2, "0")}`);
  }
}

/** A report of several lines as one of text. */
export function oneLineOf(octets: string): string {
  return octets.trim().split(/\s*\n\s*/).map(textOf).join(" ");
}

/** A reverse-path or recipient for people; the null reverse-path is `<>`. */
export function addressOf(octets: string): string {
  return octets === "" ? "<>" : textOf(octets);
}

/** `2030-01-02 03:04:05 UTC`. */
export function clockOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `03:04:05.678`. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

/** The largest time a Date holds is less than a field of the wire may. */
export function isDate(ms: number): boolean {
  return !Number.isNaN(new Date(ms).getTime());
}
