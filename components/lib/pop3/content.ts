/**
 * A message on its way to a POP3 client (RFC 1939 §3, RETR and TOP): LF becomes CRLF, a dot at a line's start is doubled,
 * and behind the content stand, as qmail-pop3d has it, an empty line and the lone dot. TOP ends after the header, its blank
 * line and some lines of the body.
 *
 * Unlike qmail: a CR LF of the file stays one CRLF, and a bare CR becomes one, so that no line of a message can be one thing
 * here and another for the client.
 * @module
 */
import { DotEncoder } from "../smtp/dot_stuffing.ts";
import { toOctets } from "../octets.ts";

const LF = 0x0a;
const CR = 0x0d;
const EMPTY = new Uint8Array(0);

/** Where a message that is sent in part ends. Pure; chunks of any size. */
export class TopCutter {
  #linesLeft: number;
  #inHeader = true;
  /** Nothing but, perhaps, a CR stands in the line so far. */
  #lineIsEmpty = true;

  constructor(bodyLines: number) {
    this.#linesLeft = bodyLines;
  }

  /** No octet is wanted any more. */
  get isDone(): boolean {
    return !this.#inHeader && this.#linesLeft <= 0;
  }

  /** What of a chunk belongs to it; a view. */
  take(chunk: Uint8Array): Uint8Array {
    for (let at = 0; at < chunk.length; at++) {
      if (this.isDone) return chunk.subarray(0, at);
      const octet = chunk[at];
      if (octet === LF) this.#endLine();
      else if (octet !== CR) this.#lineIsEmpty = false;
    }
    return chunk;
  }

  #endLine(): void {
    if (!this.#inHeader) this.#linesLeft--;
    else if (this.#lineIsEmpty) this.#inHeader = false;
    this.#lineIsEmpty = true;
  }
}

/** The octets of a whole answer, from the chunks of a file. */
export class ContentEncoder {
  readonly #dots = new DotEncoder();
  readonly #cutter: TopCutter | undefined;

  /** `bodyLines` undefined: all of it. */
  constructor(bodyLines: number | undefined) {
    this.#cutter = bodyLines === undefined ? undefined : new TopCutter(bodyLines);
  }

  begin(): Uint8Array {
    return toOctets("+OK \r\n");
  }

  /** Whether the file need not be read on. */
  get isDone(): boolean {
    return this.#cutter?.isDone === true;
  }

  push(chunk: Uint8Array): Uint8Array {
    const taken = this.#cutter?.take(chunk) ?? chunk;
    return taken.length === 0 ? EMPTY : this.#dots.push(taken);
  }

  end(): Uint8Array {
    const ending = this.#dots.end();
    // The end of the last line, where it has none, comes before qmail's empty line.
    const whole = new Uint8Array(ending.length + 2);
    whole.set(ending.subarray(0, ending.length - 3));
    whole.set([CR, LF], ending.length - 3);
    whole.set(ending.subarray(ending.length - 3), ending.length - 1);
    return whole;
  }
}
