/**
 * The lines of an mbox file: the `From ` line before each message, and the quoting within. A line that matches `>*From ` gets one more `>`, so that no line of a message is taken for the
 * beginning of the next, and the quoting can be undone. Lines may be cut anywhere between pieces; at the most four octets
 * are held back.
 * @module
 */
import { Buffer } from "node:buffer";

/**
 * An mbox file's `From sender Sun Nov 22 07:21:26 2026` in GMT; an octet string ending in LF. A blank in the sender
 * would end it there, so `-` stands for it.
 */
export function fromLine(sender: string, unixSeconds: number): string {
  const [weekday, day, month, year, time] = new Date(unixSeconds * 1000).toUTCString().split(/,? /);
  const name = sender === "" ? "MAILER-DAEMON" : sender.replace(/[ \t\n]/g, "-");
  return `From ${name} ${weekday} ${month} ${day} ${time} ${year}\n`;
}

const [lf, quote] = [0x0a, 0x3e];
const word = Buffer.from("From ");
const quoteMark = Uint8Array.of(quote);

/** One message's way into an mbox file. */
export class FromQuoter {
  /** Octets of "From" that a line may begin with, not written yet. */
  #held = 0;
  /** Only `>` so far in this line. */
  #atStart = true;
  /** Whether the last octet ended a line; true for a message without any. */
  #lineEnded = true;

  /** What to write for `piece`. */
  push(piece: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = [];
    if (piece.length === 0) return out;
    this.#lineEnded = piece[piece.length - 1] === lf;
    const octets = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let written = 0;
    for (let at = 0; at < octets.length;) {
      if (!this.#atStart) {
        const end = octets.indexOf(lf, at);
        if (end < 0) break;
        at = end + 1;
        this.#atStart = true;
        continue;
      }
      const octet = octets[at]!;
      if (this.#held === 0 && octet === quote) {
        at++;
        continue;
      }
      if (octet !== word[this.#held]) {
        // What was held in another piece has to leave before this one does.
        if (at < this.#held) out.push(word.subarray(0, this.#held - at));
        this.#held = 0;
        this.#atStart = false;
        continue;
      }
      at++;
      if (++this.#held < word.length) continue;
      const begin = at - word.length;
      if (begin > written) out.push(octets.subarray(written, begin));
      out.push(quoteMark, word);
      written = at;
      this.#held = 0;
      this.#atStart = false;
    }
    const end = octets.length - Math.min(this.#held, octets.length);
    if (end > written) out.push(octets.subarray(written, end));
    return out;
  }

  /** What to write at the message's end: a partial line is ended, and an empty line follows. */
  finish(): Uint8Array[] {
    const held = word.subarray(0, this.#held);
    return [held, this.#lineEnded ? Uint8Array.of(lf) : Uint8Array.of(lf, lf)];
  }
}
