/**
 * Reads the answer to the one request that is made for a policy: HTTP/1.1 (RFC 9112), status 200, text/plain, not encoded,
 * 64 KiB at the most (RFC 8461 §3.3). Anything else ends the reading by a reason. Octets may be cut anywhere.
 * @module
 */
import { longestPolicy } from "./policy_text.ts";

/** `text`: the body, an octet string. */
export type HttpResult = { readonly kind: "text"; readonly text: string } | {
  readonly kind: "refused";
  readonly why: string;
};

/** Status line and header fields together. */
const longestHeader = 16 * 1024;
/** Hexadecimal digits of a chunk's size, and octets of its line. */
const [mostDigits, longestChunkLine] = [8, 1024];
/** A server may say "wait" before its answer; not for ever. */
const mostInterim = 8;

type Phase =
  | { readonly kind: "header" }
  | { readonly kind: "length"; readonly left: number }
  | { readonly kind: "chunk line" }
  | { readonly kind: "chunk"; readonly left: number }
  | { readonly kind: "trailer" }
  /** Until the connection ends. */
  | { readonly kind: "rest" };

export class HttpResponseReader {
  #phase: Phase = { kind: "header" };
  #held = "";
  #body = "";
  #interim = 0;
  #trailerBytes = 0;

  /** Takes octets (an octet string); answers what came of it, once that is known. Not to be called again after that. */
  push(octets: string): HttpResult | undefined {
    this.#held += octets;
    for (;;) {
      const before = this.#phase;
      const result = this.#step();
      if (result !== undefined) return result;
      if (this.#phase === before) return undefined;
    }
  }

  /** The connection was ended by the server. */
  end(): HttpResult {
    return this.#phase.kind === "rest" ? this.#done() : refused("it ended early");
  }

  /** Goes one phase on, where enough is there; the phase stays the same object where not. */
  #step(): HttpResult | undefined {
    const phase = this.#phase;
    switch (phase.kind) {
      case "header":
        return this.#header();
      case "length":
      case "chunk":
        return this.#counted(phase.kind, phase.left);
      case "chunk line":
        return this.#chunkLine();
      case "trailer":
        return this.#trailer();
      case "rest":
        this.#body += this.#held;
        this.#held = "";
        return this.#body.length > longestPolicy ? tooLong : undefined;
    }
  }

  #header(): HttpResult | undefined {
    const end = /\r?\n\r?\n/.exec(this.#held.slice(0, longestHeader));
    if (end === null) return this.#held.length >= longestHeader ? refused("its header is too long") : undefined;
    const [status = "", ...lines] = this.#held.slice(0, end.index).split(/\r?\n/);
    this.#held = this.#held.slice(end.index + end[0].length);
    const [, code] = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: |$)/.exec(status) ?? [];
    if (code === undefined) return refused("it is no HTTP/1.1");
    if (code.startsWith("1")) {
      if (++this.#interim > mostInterim) return refused("it only says to wait");
      this.#phase = { kind: "header" };
      return undefined;
    }
    // No redirect is followed: another host must not decide (RFC 8461 §3.3).
    if (code !== "200") return refused(`status ${code}`);
    const fields = parseFields(lines);
    return fields === undefined ? refused("its header is damaged") : this.#begin(fields);
  }

  #begin(fields: ReadonlyMap<string, string>): HttpResult | undefined {
    const type = (fields.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
    if (type !== "text/plain") return refused("its Content-Type is not text/plain");
    const encoding = fields.get("content-encoding");
    if (encoding !== undefined && encoding.toLowerCase() !== "identity") return refused("it is encoded");
    const transfer = fields.get("transfer-encoding");
    const length = fields.get("content-length");
    if (transfer !== undefined) {
      // Two lengths are the mark of somebody who wants them read differently.
      if (transfer.toLowerCase() !== "chunked" || length !== undefined) return refused("its length is unclear");
      this.#phase = { kind: "chunk line" };
      return undefined;
    }
    if (length === undefined) {
      this.#phase = { kind: "rest" };
      return undefined;
    }
    if (!/^[0-9]{1,15}$/.test(length)) return refused("its length is unclear");
    return this.#expect("length", Number(length));
  }

  #expect(kind: "length" | "chunk", left: number): HttpResult | undefined {
    if (this.#body.length + left > longestPolicy) return tooLong;
    this.#phase = { kind, left };
    return undefined;
  }

  #counted(kind: "length" | "chunk", left: number): HttpResult | undefined {
    const end = kind === "chunk" ? /^\r?\n/.exec(this.#held.slice(left, left + 2)) : undefined;
    if (this.#held.length < left || end === null && this.#held.length < left + 2) return undefined;
    if (end === null) return refused("a chunk is damaged");
    this.#body += this.#held.slice(0, left);
    this.#held = this.#held.slice(left + (end?.[0].length ?? 0));
    if (kind === "length") return this.#done();
    this.#phase = { kind: "chunk line" };
    return undefined;
  }

  #chunkLine(): HttpResult | undefined {
    const end = this.#held.indexOf("\n");
    if (end < 0) return this.#held.length > longestChunkLine ? refused("a chunk is damaged") : undefined;
    const [, digits] = /^([0-9A-Fa-f]+)[ \t]*(?:;[^\r\n]*)?\r?$/.exec(this.#held.slice(0, end)) ?? [];
    if (digits === undefined || digits.length > mostDigits || end > longestChunkLine) {
      return refused("a chunk is damaged");
    }
    this.#held = this.#held.slice(end + 1);
    const size = parseInt(digits, 16);
    if (size > 0) return this.#expect("chunk", size);
    this.#phase = { kind: "trailer" };
    return undefined;
  }

  #trailer(): HttpResult | undefined {
    const end = this.#held.indexOf("\n");
    if (end < 0) return this.#held.length > longestHeader ? refused("its trailer is too long") : undefined;
    if (this.#held.slice(0, end).replace("\r", "") === "") return this.#done();
    this.#trailerBytes += end + 1;
    if (this.#trailerBytes > longestHeader) return refused("its trailer is too long");
    this.#held = this.#held.slice(end + 1);
    this.#phase = { kind: "trailer" };
    return undefined;
  }

  #done(): HttpResult {
    return { kind: "text", text: this.#body };
  }
}

function refused(why: string): HttpResult {
  return { kind: "refused", why };
}

const tooLong = refused(`it is longer than ${longestPolicy} octets`);

/** Values by lower-case name; undefined for a line that is no field, and for two of those that must be one. */
function parseFields(lines: readonly string[]): ReadonlyMap<string, string> | undefined {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ""] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r]*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) return undefined;
    const key = name.toLowerCase();
    const single = ["content-type", "content-length", "transfer-encoding", "content-encoding"].includes(key);
    if (single && fields.has(key) && fields.get(key) !== value) return undefined;
    fields.set(key, value);
  }
  return fields;
}
