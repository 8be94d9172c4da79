/**
 * What a message says, for people: its header fields, its text, and what is attached to it, taken apart by postal-mime.
 * Nothing of it is trusted: all of it is text, bounded, and without characters that act on what shows them.
 * @module
 */
import PostalMime, { type Attachment, decodeWords, type Email } from "postal-mime";
import {
  type MessageContent,
  mostAttachments,
  mostFields,
  mostFieldText,
  mostPreviewText,
  type ShownAttachment,
  type ShownField,
} from "../lib/wire/qread_protocol.ts";
import type { MessageStart } from "./message_octets.ts";

/** Deeper than any message people write; each line is held against the boundaries of all parts it is in. */
const limits = { maxNestingDepth: 20, maxRfc822NestingDepth: 3 } as const;
/** The parser's work is by the line: more of them than any text of that length has, and all of it would take seconds. */
const mostLines = 20_000;
const longestName = 255;

/** What `octets`, the beginning of a message, say. Never throws for what stands there. */
export async function previewOf(
  { octets: start, sizeBytes }: MessageStart,
): Promise<Omit<MessageContent, "message">> {
  const octets = firstLines(start);
  const email = await parse(octets);
  const { kind, text } = email === undefined ? { kind: "none" as const, text: "" } : await textOf(email);
  const shown = harmlessText(text).slice(0, mostPreviewText).toWellFormed();
  return {
    ...{ sizeBytes, readBytes: octets.length, kind, text: shown, textIsCut: text.length > mostPreviewText },
    fields: (email ?? await parse(headerOf(octets)))?.headers.slice(0, mostFields).map(fieldOf) ?? [],
    attachments: email?.attachments.slice(0, mostAttachments).map(attachmentOf) ?? [],
  };
}

/** Undefined: it is more than the parser takes. */
async function parse(octets: Uint8Array): Promise<Email | undefined> {
  try {
    // A copy: what is read from the journal is part of a whole segment, and the parser goes by the memory behind it.
    return await PostalMime.parse(octets.slice(), limits);
  } catch {
    return undefined;
  }
}

const lf = 10;
const cr = 13;

function firstLines(octets: Uint8Array): Uint8Array {
  let end = 0;
  for (let line = 0; line < mostLines; line++) {
    end = octets.indexOf(lf, end) + 1;
    if (end === 0) return octets;
  }
  return octets.subarray(0, end);
}

/** What stands above the first empty line. */
function headerOf(octets: Uint8Array): Uint8Array {
  for (let at = 0; at < octets.length; at++) {
    if (octets[at] !== lf) continue;
    if (octets[at + 1] === lf || (octets[at + 1] === cr && octets[at + 2] === lf)) return octets.subarray(0, at + 1);
  }
  return octets;
}

async function textOf({ text, html }: Email): Promise<Pick<MessageContent, "kind" | "text">> {
  if (text !== undefined && text.trim() !== "") return { kind: "plain", text };
  if (html === undefined || html.trim() === "") return { kind: "none", text: "" };
  return { kind: "html", text: await visibleText(html) };
}

/**
 * What a reader would see of HTML. The parser makes text of it where a message has both kinds one after the other: so one is
 * made that has.
 */
async function visibleText(html: string): Promise<string> {
  let boundary = "b";
  while (html.includes(`--${boundary}`)) boundary += "b";
  const part = (type: string, body: string) => `--${boundary}\nContent-Type: ${type}; charset=utf-8\n\n${body}\n`;
  const message = `Content-Type: multipart/mixed; boundary=${boundary}\n\n${part("text/plain", "")}${
    part("text/html", html)
  }--${boundary}--\n`;
  return (await parse(new TextEncoder().encode(message)))?.text ?? "";
}

function fieldOf({ originalKey, value }: Email["headers"][number]): ShownField {
  return { name: oneLine(originalKey), value: oneLine(decoded(value.slice(0, mostFieldText))) };
}

function decoded(value: string): string {
  try {
    return decodeWords(value);
  } catch {
    return value;
  }
}

function attachmentOf({ filename, mimeType, content }: Attachment): ShownAttachment {
  // What comes behind the last of these is the file's name on any system.
  const name = oneLine(filename ?? "").split(/[/\\]/).at(-1)!.trim().slice(0, longestName).toWellFormed();
  return {
    name: /^\.*$/.test(name) ? "" : name,
    type: oneLine(mimeType.toLowerCase()).slice(0, longestName),
    sizeBytes: typeof content === "string" ? content.length : content.byteLength,
  };
}

/** Control characters but LF and TAB, and those that turn the direction of writing or cannot be seen, as U+FFFD. */
function harmlessText(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(
    // deno-lint-ignore no-control-regex
    /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    "\ufffd",
  );
}

function oneLine(text: string): string {
  return harmlessText(text.slice(0, mostFieldText)).replace(/[\t\n]/g, " ").slice(0, mostFieldText).toWellFormed();
}
