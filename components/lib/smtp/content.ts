/**
 * The content of one message on its way in: dots and line ends decoded, hops and octets counted, and the first thing
 * wrong with it. Content is always read to its end, so the dialogue stays in step whatever was in it.
 * @module
 */
import { concat } from "../wire/frame.ts";
import { type Decoded, type Defect, DotDecoder } from "./dot_stuffing.ts";
import { HopCounter, maxHops } from "./hop_count.ts";
import { LineDecoder } from "./line_decoder.ts";

/** Why content is refused; from its decoder, or a limit passed. `binary`: declared as binary, and not made of lines. */
export type Fault = Defect | "binary" | "hops" | "size";

/**
 * How content stands on the wire: as dot-stuffed lines (DATA), or in chunks of known length (BDAT), of lines or declared as
 * BODY=BINARYMIME.
 *
 * The queue keeps lines that end in LF, as qmail's does, and whoever reads it writes CRLF again. Binary content is kept that
 * way too where nothing of it is lost, that is where CR and LF stand together only; NUL and lines of any length may be in
 * it. Other content would come out changed, so it is refused.
 */
export type Framing = "dots" | "chunks" | "binary chunks";

/**
 * Output is passed on in pieces of at least this many octets (the last one apart). A client that sends every octet in a packet
 * of its own would else cost a hundred times the memory of what it sends.
 */
const pieceBytes = 4096;

const empty = new Uint8Array(0);

/** Takes content in chunks of any size; where they are cut does not matter. */
export class Content {
  readonly #databytes: number;
  readonly #framing: Framing;
  readonly #decoder: DotDecoder | LineDecoder;
  readonly #hops = new HopCounter();
  #bytes = 0;
  #small: Uint8Array[] = [];
  #smallBytes = 0;
  #limit: "hops" | "size" | undefined;

  /** `databytes`: most octets of content with LF line ends; 0 means no limit. */
  constructor(databytes: number, framing: Framing = "dots") {
    this.#databytes = databytes;
    this.#framing = framing;
    this.#decoder = framing === "dots" ? new DotDecoder() : new LineDecoder({ binary: framing === "binary chunks" });
  }

  /** What is wrong, as soon as it is known. A defect is named first, then a loop, then the size. */
  get fault(): Fault | undefined {
    const { defect } = this.#decoder;
    return defect === undefined ? this.#limit : this.#framing === "binary chunks" ? "binary" : defect;
  }

  /** Octets decoded so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The next chunk. `output` may be held back for a while, and is empty once there is a fault. */
  push(chunk: Uint8Array): Decoded {
    const decoded = this.#decoder.push(chunk);
    this.#bytes += decoded.output.length;
    this.#hops.push(decoded.output);
    if (this.#hops.count >= maxHops) this.#limit = "hops";
    else if (this.#databytes > 0 && this.#bytes > this.#databytes) this.#limit ??= "size";
    if (this.fault !== undefined) {
      this.#small = [];
      return { ...decoded, output: empty };
    }
    const whole = this.#small.length === 0 && (decoded.done || decoded.output.length >= pieceBytes);
    return whole ? decoded : { ...decoded, output: this.#gather(decoded.output, decoded.done) };
  }

  /** Behind the last chunk: the octets held back. Content with dots is at its end when `push` says so. */
  end(): Uint8Array {
    if (this.#decoder instanceof LineDecoder) this.#decoder.end();
    return this.fault === undefined ? this.#gather(empty, true) : empty;
  }

  #gather(output: Uint8Array, done: boolean): Uint8Array {
    if (output.length > 0) this.#small.push(output);
    this.#smallBytes += output.length;
    if (!done && this.#smallBytes < pieceBytes) return empty;
    const all = concat(this.#small, this.#smallBytes);
    this.#small = [];
    this.#smallBytes = 0;
    return all;
  }
}
