/**
 * Cuts a stream of octets into records that each end with NUL, in bounded memory: the envelope files of the queue may
 * hold a hundred thousand recipients.
 * @module
 */
import { fromOctets } from "../octets.ts";

/** Longer than any record the queue's programs write (1003 octets, and what virtualdomains put in front). */
export const longestRecord = 8192;

const nul = 0;

export class RecordSplitter {
  #held = "";
  #tooLong = false;

  /** The records that `octets` complete, as octet strings without their NUL; nothing any more after one too long. */
  *push(octets: Uint8Array): Generator<string, void, undefined> {
    for (let at = 0; at < octets.length && !this.#tooLong;) {
      const end = octets.indexOf(nul, at);
      this.#held += fromOctets(octets.subarray(at, end < 0 ? octets.length : end));
      this.#tooLong = this.#held.length > longestRecord;
      if (end < 0 || this.#tooLong) return;
      const record = this.#held;
      this.#held = "";
      yield record;
      at = end + 1;
    }
  }

  /** What is wrong with the stream if it ends here. */
  get defect(): string | undefined {
    if (this.#tooLong) return `a record of more than ${longestRecord} octets`;
    return this.#held === "" ? undefined : "the last record is not ended";
  }
}
