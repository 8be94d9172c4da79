/**
 * Counts hops in a message on its way in, to stop mail loops (RFC 5321 §6.3). As in qmail, a hop is a header line that
 * begins with "received" or "delivered", in any case and whatever follows; so Delivered-To counts, which is what stops a
 * loop through forwarding.
 * @module
 */

/** Header lines of earlier hosts that make a loop, as in qmail. */
export const maxHops = 100;

const LF = 0x0a;
const PREFIXES = [lower("received"), lower("delivered")] as const;
const FIRST_R = PREFIXES[0][0];
const FIRST_D = PREFIXES[1][0];

/**
 * Streaming counter over content with LF line ends; where chunks are cut does not matter. Once the empty line behind the
 * header has been seen, `push()` does nothing.
 *
 * @example
 * ```ts
 * import { HopCounter } from "./hop_count.ts";
 * const hops = new HopCounter();
 * hops.push(new TextEncoder().encode("Received: a\nDelivered-To: b\n\nReceived: not a hop\n"));
 * hops.count; // 2
 * ```
 */
export class HopCounter {
  #count = 0;
  #ended = false;
  #skipping = false; // the line's beginning has been judged
  #prefix: Uint8Array | undefined; // what the line's beginning has matched so far,
  #matched = 0; // and how many octets of it

  /** Hop lines seen so far. */
  get count(): number {
    return this.#count;
  }

  /** Whether the empty line behind the header has been seen: the count is final. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Looks at the next chunk of content. */
  push(content: Uint8Array): void {
    let at = 0;
    while (!this.#ended && at < content.length) {
      if (this.#skipping) {
        const lf = content.indexOf(LF, at);
        if (lf < 0) return;
        this.#startLine();
        at = lf + 1;
      } else if (this.#isNextOfPrefix(content[at]!)) {
        at++;
      }
    }
  }

  #startLine(): void {
    this.#skipping = false;
    this.#prefix = undefined;
    this.#matched = 0;
  }

  /** Takes in one octet near a line's beginning; false leaves it to the search for the line's end. */
  #isNextOfPrefix(octet: number): boolean {
    const letter = octet | 0x20;
    if (this.#prefix === undefined) {
      this.#ended = octet === LF;
      this.#prefix = letter === FIRST_R ? PREFIXES[0] : letter === FIRST_D ? PREFIXES[1] : undefined;
    }
    if (letter !== this.#prefix?.[this.#matched]) {
      this.#skipping = true;
      return false;
    }
    if (++this.#matched === this.#prefix.length) {
      this.#count++;
      this.#skipping = true;
    }
    return true;
  }
}

function lower(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
