/**
 * clamd's command INSTREAM, octet by octet (clamd(8)): `zINSTREAM` and NUL, then the message in chunks, each behind its
 * length in four octets (most significant first), and a length of 0 at the end. The answer is one line that ends in NUL.
 * @module
 */
import { fromOctets, toOctets } from "../octets.ts";

/** Octets of a chunk. */
const chunkBytes = 64 * 1024;
/** An answer is a name and a word. */
export const longestAnswer = 4096;

/** What a client writes to have `content` scanned, in pieces. */
export function* formatInstream(content: Uint8Array): Generator<Uint8Array> {
  yield toOctets("zINSTREAM\0");
  for (let at = 0; at < content.length; at += chunkBytes) {
    const chunk = content.subarray(at, at + chunkBytes);
    yield lengthOf(chunk.length);
    yield chunk;
  }
  yield lengthOf(0);
}

function lengthOf(bytes: number): Uint8Array {
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setUint32(0, bytes);
  return octets;
}

/** `name` is the signature's, an octet string. `too large`: longer than StreamMaxLength in clamd.conf. */
export type ClamdAnswer =
  | { readonly kind: "clean" }
  | { readonly kind: "found"; readonly name: string }
  | { readonly kind: "too large" }
  | { readonly kind: "error"; readonly text: string };

/** Takes octets until the answer is whole. */
export class AnswerReader {
  #held = "";

  /** Undefined while octets are missing; what comes behind the answer is not looked at. */
  push(octets: Uint8Array): ClamdAnswer | undefined {
    this.#held += fromOctets(octets);
    const end = this.#held.indexOf("\0");
    if (end > longestAnswer || (end < 0 && this.#held.length > longestAnswer)) {
      return { kind: "error", text: "an answer without end" };
    }
    return end < 0 ? undefined : parseAnswer(this.#held.slice(0, end));
  }
}

/** An answer without its NUL. `error` for all that is no other. */
export function parseAnswer(line: string): ClamdAnswer {
  if (line === "stream: OK") return { kind: "clean" };
  const [, name] = /^stream: (\S.*) FOUND$/.exec(line) ?? [];
  if (name !== undefined) return { kind: "found", name };
  if (/^INSTREAM size limit exceeded\. ERROR$/.test(line)) return { kind: "too large" };
  return { kind: "error", text: line };
}
