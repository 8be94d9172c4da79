/**
 * What a submission server adds to a message of somebody who has logged in (RFC 6409 §8.2, §8.3): Date and Message-ID,
 * where they are missing. Nothing that is there changes, and a message that is signed stays as it is, for the signature
 * may cover a field's absence.
 * @module
 */
import { fromOctets, toOctets } from "../octets.ts";
import { concat } from "../wire/frame.ts";
import { formatQmailDate } from "./date.ts";

/** What the fields say. */
export interface SubmissionMoment {
  readonly unixSeconds: number;
  /** Left side of the Message-ID, unlike any other. */
  readonly unique: string;
  /** Its right side. */
  readonly host: string;
}

/**
 * The lines to put in front of `header`, which ends before the empty line (LF line ends).
 *
 * @example
 * ```ts
 * import { missingLines } from "./complete_submission.ts";
 * missingLines("Date: today\n", { unixSeconds: 0, unique: "1.2", host: "mx.example.com" });
 * // ["Message-ID: <1.2@mx.example.com>"]
 * ```
 */
export function missingLines(header: string, { unixSeconds, unique, host }: SubmissionMoment): string[] {
  if (/^dkim-signature[ \t]*:/im.test(header)) return [];
  const lines: string[] = [];
  if (!/^date[ \t]*:/im.test(header)) lines.push(`Date: ${formatQmailDate(unixSeconds)}`);
  if (!/^message-id[ \t]*:/im.test(header)) lines.push(`Message-ID: <${unique}@${host}>`);
  return lines;
}

/** A header that is longer is not completed: it would have to be held in memory. */
export const longestCompletedHeader = 64 * 1024;

const lf = 0x0a;
const empty = new Uint8Array(0);

/** {@link missingLines} for content that comes in pieces; where they are cut does not matter. */
export class Completion {
  readonly #moment: SubmissionMoment;
  #held: Uint8Array[] | undefined = [];
  #bytes = 0;
  #atLineStart = true;

  constructor(moment: SubmissionMoment) {
    this.#moment = moment;
  }

  /** The next piece (LF line ends); answers what may be passed on. */
  push(piece: Uint8Array): Uint8Array {
    if (this.#held === undefined || piece.length === 0) return piece;
    this.#held.push(piece);
    this.#bytes += piece.length;
    if (this.#findEnd(piece)) return this.#complete();
    return this.#bytes > longestCompletedHeader ? this.#release() : empty;
  }

  /** The last piece. */
  end(piece: Uint8Array): Uint8Array {
    const passed = this.push(piece);
    return this.#held === undefined ? passed : this.#complete();
  }

  /** Whether an empty line begins in `piece`. */
  #findEnd(piece: Uint8Array): boolean {
    for (let at = 0;;) {
      if (this.#atLineStart && at < piece.length && piece[at] === lf) return true;
      const end = piece.indexOf(lf, at);
      this.#atLineStart = end >= 0;
      if (end < 0) return false;
      at = end + 1;
      if (at === piece.length) return false;
    }
  }

  #complete(): Uint8Array {
    const all = this.#release();
    const text = fromOctets(all);
    const end = text.startsWith("\n") ? 0 : text.indexOf("\n\n") + 1;
    const header = end === 0 && !text.startsWith("\n") ? text : text.slice(0, end);
    const lines = missingLines(header, this.#moment);
    if (lines.length === 0) return all;
    const added = toOctets(lines.map((line) => `${line}\n`).join(""));
    return concat([added, all], added.length + all.length);
  }

  #release(): Uint8Array {
    const all = concat(this.#held!, this.#bytes);
    this.#held = undefined;
    return all;
  }
}
