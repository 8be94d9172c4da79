/**
 * SMTP replies as the client reads them (RFC 5321 §4.2). A hostile server may send lines and replies without end, NULs
 * and escape sequences: what is kept is bounded, and text comes out without control octets, for it ends up in logs and
 * in bounces. Chunks of any size; where they are cut does not matter.
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import { LineReader, MAX_LINE } from "./line_reader.ts";

/**
 * One reply. `code` is 200..599. `lines` holds each line's text behind the code and the separator, as octet strings in
 * which every control octet has become "?"; there are 1..200 of them, each cut at 4096 octets.
 */
export interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** Why a reply cannot be used. The dialogue is out of step then: close the connection and try again later. */
export type ReplyError = "malformed" | "bad code" | "too many lines";

/** A status of RFC 3463, such as 5.1.1. */
export type EnhancedStatus = `${2 | 4 | 5}.${number}.${number}`;

const MAX_LINES = 200; // far above the longest EHLO reply

/**
 * Reply splitter for one connection.
 *
 * @example
 * ```ts
 * import { ReplyParser } from "./reply.ts";
 * const parser = new ReplyParser();
 * parser.push(new TextEncoder().encode("250-mx.example.org\r\n250 PIPELINING\r\n"));
 * parser.takeReply(); // { ok: true, value: { code: 250, lines: ["mx.example.org", "PIPELINING"] } }
 * ```
 */
export class ReplyParser {
  readonly #reader = new LineReader();
  #code: number | undefined;
  #lines: string[] = [];
  #error: ReplyError | undefined;

  /** Hands over octets from the server; the parser keeps `chunk`, so the caller must not reuse its buffer. */
  push(chunk: Uint8Array): void {
    if (this.#error === undefined) this.#reader.push(chunk);
  }

  /**
   * The next reply; undefined when more octets are needed, which is when to push. An error is final. A line longer than
   * 4096 octets is taken as soon as that is known and its remainder dropped, so a deadline belongs around the wait.
   */
  takeReply(): Result<Reply, ReplyError> | undefined {
    while (this.#error === undefined) {
      const line = this.#reader.takeLine();
      if (line === undefined) return undefined;
      const reply = this.#addLine(line.kind === "line" ? line.text : line.start);
      if (reply !== undefined) return ok(reply);
    }
    return err(this.#error);
  }

  /**
   * Drops all that was received and not yet taken, and answers how many octets that were. Anything a server sends
   * between its answer to STARTTLS and the handshake must not be believed (RFC 3207 §4.2; CVE-2011-0411).
   */
  discard(): number {
    this.#lines = [];
    this.#code = undefined;
    return this.#reader.rest().length;
  }

  #addLine(text: string): Reply | undefined {
    const code = parseCode(text);
    const separator = text[3] ?? " "; // RFC 5321 §4.2: be ready for a bare code
    if (code === undefined || (separator !== " " && separator !== "-")) return this.#fail("malformed");
    if (code < 200 || code > 599) return this.#fail("bad code");
    if (this.#code !== undefined && this.#code !== code) return this.#fail("malformed");
    if (this.#lines.length === MAX_LINES) return this.#fail("too many lines");
    this.#lines.push(maskControls(text.slice(4)));
    this.#code = code;
    if (separator === "-") return undefined;
    const reply = { code, lines: this.#lines };
    this.#lines = [];
    this.#code = undefined;
    return reply;
  }

  #fail(error: ReplyError): undefined {
    this.#error = error;
    this.discard();
  }
}

/**
 * Writes a reply as the server sent it, lines separated by LF: the text behind "Remote host said: " in reports.
 *
 * @example
 * ```ts
 * import { formatReply } from "./reply.ts";
 * formatReply({ code: 550, lines: ["no such user", "really"] }); // "550-no such user\n550 really"
 * ```
 */
export function formatReply(reply: Reply): string {
  const last = reply.lines.length - 1;
  return reply.lines.map((text, index) => `${reply.code}${index < last ? "-" : " "}${text}`).join("\n");
}

/**
 * The enhanced status at the start of the reply's text (RFC 2034 §4); undefined if there is none, or one of another
 * class than the code, which says nothing reliable.
 *
 * @example
 * ```ts
 * import { enhancedStatus } from "./reply.ts";
 * enhancedStatus({ code: 550, lines: ["5.1.1 no such user"] }); // "5.1.1"
 * ```
 */
export function enhancedStatus(reply: Reply): EnhancedStatus | undefined {
  const match = /^[245]\.(?:0|[1-9][0-9]{0,2})\.(?:0|[1-9][0-9]{0,2})(?= |$)/.exec(reply.lines[0] ?? "");
  if (match === null || Number(match[0][0]) !== Math.floor(reply.code / 100)) return undefined;
  return match[0] as EnhancedStatus;
}

function parseCode(text: string): number | undefined {
  if (text.length < 3) return undefined;
  let code = 0;
  for (let at = 0; at < 3; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    code = 10 * code + digit;
  }
  return code;
}

// deno-lint-ignore no-control-regex -- control octets are the point
const controls = /[\x00-\x1f\x7f]/g;

/** Every control octet, TAB and stray CR included, becomes "?". Octets from 0x80 up stay: they may be UTF-8. */
function maskControls(text: string): string {
  return text.slice(0, MAX_LINE).replace(controls, "?");
}
