/**
 * A QMTP server's answers as its client reads them (qmail's interface): one netstring a recipient, in it K, Z or D, then
 * text. As replies of SMTP's classes, for what waits for replies to be used for both; text comes out without control
 * octets, for it ends up in logs and in bounces. What is kept of an answer is bounded; where chunks are cut does not matter.
 * @module
 */
import { fromOctets } from "../octets.ts";
import { err, ok, type Result } from "../result.ts";
import type { Reply } from "../smtp/reply.ts";
import { NetstringReader } from "./netstring.ts";

/** Octets of an answer at the most. */
export const longestAnswer = 4096;

/** The server's word as the code of a reply: accepted, try again, never. */
const codes: ReadonlyMap<string, number> = new Map([["K", 250], ["Z", 450], ["D", 550]]);

/**
 * @example
 * ```ts
 * import { AnswerParser } from "./answer_parser.ts";
 * const parser = new AnswerParser();
 * parser.push(new TextEncoder().encode("16:Kok 1234567 qp 1,"));
 * parser.takeReply(); // { ok: true, value: { code: 250, lines: ["ok 1234567 qp 1"] } }
 * ```
 */
export class AnswerParser {
  readonly #netstrings = new NetstringReader();
  #isOpen = false;
  #text = "";
  /** Octets behind the last whole answer. */
  #pending = 0;
  #isMalformed = false;

  push(chunk: Uint8Array): void {
    if (this.#isMalformed) return;
    this.#pending += chunk.length;
    this.#netstrings.push(chunk);
  }

  /** The next answer; undefined when more octets are needed. `malformed` is final. */
  takeReply(): Result<Reply, "malformed"> | undefined {
    if (this.#isMalformed) return err("malformed");
    this.#isOpen ||= this.#netstrings.begin(longestAnswer);
    if (!this.#isOpen) return this.#missing();
    this.#text += fromOctets(this.#netstrings.take());
    const code = codes.get(this.#text.slice(0, 1));
    if (code === undefined && (this.#text !== "" || this.#netstrings.left === 0)) return this.#fail();
    if (this.#netstrings.left > 0) return undefined;
    if (!this.#netstrings.end()) return this.#missing();
    // deno-lint-ignore no-control-regex -- control octets are the point
    const text = this.#text.slice(1).replace(/[\x00-\x1f\x7f]/g, "?");
    this.#isOpen = false;
    this.#text = "";
    this.#pending = this.#netstrings.waiting;
    return ok({ code: code!, lines: [text] });
  }

  /** Drops what came behind the last answer, after which none can be read; answers how many octets that were. */
  discard(): number {
    const pending = this.#pending;
    if (pending > 0) this.#fail();
    return pending;
  }

  #missing(): Result<Reply, "malformed"> | undefined {
    return this.#netstrings.fault === undefined ? undefined : this.#fail();
  }

  #fail(): Result<Reply, "malformed"> {
    this.#isMalformed = true;
    this.#pending = 0;
    this.#text = "";
    return err("malformed");
  }
}
