/**
 * A message with octets over 127 as one that a server without 8BITMIME may get (RFC 6152 §3): bodies become
 * quoted-printable (RFC 2045 §6.7), part by part. What is seven-bit data already stays as it is, octet for octet; so does
 * what cannot be changed without harm, and a server gets that as it got it before there was a conversion:
 *
 * - header fields, for which charset they are in would be a guess;
 * - multipart/signed, whose signature would break, while the octets nearly always arrive; types that may not be encoded
 *   (message/partial and its like); encodings other than the five of RFC 2045;
 * - what stands outside of the parts of a multipart;
 * - what two programs could read in two ways: fields that are there twice, are malformed or very long, a boundary that is
 *   missing, longer than 250 octets or deeper than {@link deepest}, a header with a line that is none.
 *
 * Takes and gives pieces of any size; how they are cut changes nothing. Lines end in LF. Holds no more than a part's
 * header from its Content-Transfer-Encoding field on (64 KiB), and {@link mostLooked} octets of its body.
 * @module
 */
import { fromOctets } from "../octets.ts";
import {
  Base64Mender,
  type BodyWriter,
  Copier,
  QuotedPrintableMender,
  QuotedPrintableWriter,
  SevenBitLines,
} from "./body_writers.ts";
import { type LinePiece, LinePieces, longestStart, PlainLineEnds } from "./line_pieces.ts";
import { OctetSink } from "./octet_sink.ts";
import { PartHeader } from "./part_header.ts";

/** Multiparts within one another at the most. */
export const deepest = 50;

/** A part that has more octets is encoded without a look at all of them, should it not say that it is encoded already. */
export const mostLooked = 64 * 1024;

/** Octets converted in one go: what comes out is up to three times as much. */
const stepBytes = 32 * 1024;
const LF = 0x0a;
const emptyLine = new Uint8Array([LF]);

/** Whether anything behind the header is over 127. Reads no further than to the first such octet. */
export async function needsDowngrade(pieces: AsyncIterable<Uint8Array>): Promise<boolean> {
  let isHeader = true;
  let last = LF;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at++) {
      const octet = piece[at]!;
      if (isHeader) {
        if (octet === LF && last === LF) isHeader = false;
        // A CRLF ends a line, too.
        if (octet !== 0x0d) last = octet;
      } else if (octet > 127) return true;
    }
  }
  return false;
}

/** The message in seven bits, but for what has to stay as it is. Throws what reading `pieces` throws. */
export async function* toSevenBit(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const converter = new SevenBitConverter();
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += stepBytes) {
      const octets = converter.push(piece.subarray(at, at + stepBytes));
      if (octets.length > 0) yield octets;
    }
  }
  const rest = converter.end();
  if (rest.length > 0) yield rest;
}

interface Multipart {
  readonly boundary: string;
  readonly isDigest: boolean;
}

/** What the next lines are. */
type Place =
  | { readonly kind: "header"; readonly header: PartHeader }
  | { readonly kind: "body"; readonly body: BodyWriter };

/** The work of {@link toSevenBit}, without anybody waiting. */
export class SevenBitConverter {
  readonly #lineEnds = new PlainLineEnds();
  readonly #lines = new LinePieces();
  readonly #out = new OctetSink();
  /** Multiparts that a delimiter may belong to, the outermost first. */
  readonly #open: Multipart[] = [];
  #place: Place = this.#headerPlace(true, false);

  push(octets: Uint8Array): Uint8Array {
    for (const piece of this.#lines.push(this.#lineEnds.push(octets))) this.#take(piece);
    return this.#out.take();
  }

  end(): Uint8Array {
    for (const piece of this.#lines.end()) this.#take(piece);
    this.#finish();
    return this.#out.take();
  }

  #take(piece: LinePiece): void {
    const delimiter = this.#open.length > 0 ? this.#delimiter(piece) : undefined;
    if (delimiter !== undefined) {
      this.#finish();
      this.#out.add(piece.octets);
      const { isDigest } = this.#open[delimiter.level]!;
      this.#open.length = delimiter.level + (delimiter.isLast ? 0 : 1);
      this.#place = delimiter.isLast ? this.#copyPlace() : this.#headerPlace(false, isDigest);
      return;
    }
    if (this.#place.kind === "body") return this.#place.body.push(piece.octets);
    const { header } = this.#place;
    const state = header.take(piece);
    if (state === "more") return;
    if (state === "end") return this.#enter(header);
    header.writeUnchanged();
    this.#place = this.#copyPlace();
    this.#out.add(piece.octets);
  }

  /** Behind a header. */
  #enter(header: PartHeader): void {
    const part = header.kind();
    if (part.kind === "leaf") {
      this.#place = { kind: "body", body: new Leaf(header, part.encoding, this.#out) };
      return;
    }
    if (part.kind === "fixed" || (part.kind === "multipart" && this.#open.length === deepest)) {
      header.writeUnchanged();
      this.#place = this.#copyPlace();
    } else {
      header.writeComposite();
      if (part.kind === "message") this.#place = this.#headerPlace(true, false);
      else {
        this.#open.push(part);
        this.#place = this.#copyPlace();
      }
    }
    this.#out.add(emptyLine);
  }

  /** A part has come to its end. */
  #finish(): void {
    if (this.#place.kind === "header") this.#place.header.writeUnchanged();
    else this.#place.body.end();
  }

  #delimiter({ octets, begins, ends }: LinePiece): { readonly level: number; readonly isLast: boolean } | undefined {
    if (!begins || octets[0] !== 0x2d || octets[1] !== 0x2d) return undefined;
    // Of a longer line only the start may be here, and how much of it is chance.
    if (octets.length > longestStart || (octets.length === longestStart && !ends)) return undefined;
    const line = fromOctets(octets.subarray(2, endOfText(octets)));
    for (let level = this.#open.length - 1; level >= 0; level--) {
      const { boundary } = this.#open[level]!;
      if (!line.startsWith(boundary)) continue;
      const rest = line.slice(boundary.length);
      if (rest === "" || rest === "--") return { level, isLast: rest !== "" };
    }
    return undefined;
  }

  #headerPlace(isMessage: boolean, isInDigest: boolean): Place {
    return { kind: "header", header: new PartHeader(this.#out, { isMessage, isInDigest }) };
  }

  #copyPlace(): Place {
    return { kind: "body", body: new Copier(this.#out) };
  }
}

/** Where blanks and the line end begin (a delimiter may have blanks behind it, RFC 2046 §5.1.1). */
function endOfText(line: Uint8Array): number {
  let end = line.length;
  while (end > 0 && (line[end - 1] === LF || line[end - 1] === 0x20 || line[end - 1] === 0x09)) end--;
  return end;
}

/** A part without parts: looked at, as far as that goes, before it is decided what to do with it. */
class Leaf implements BodyWriter {
  readonly #header: PartHeader;
  readonly #encoding: "identity" | "quoted-printable" | "base64";
  readonly #out: OctetSink;
  readonly #looked = new OctetSink();
  readonly #sevenBit = new SevenBitLines();
  #writer: BodyWriter | undefined;

  constructor(header: PartHeader, encoding: "identity" | "quoted-printable" | "base64", out: OctetSink) {
    this.#header = header;
    this.#encoding = encoding;
    this.#out = out;
    if (encoding === "base64") this.#begin(new Base64Mender(out));
  }

  push(octets: Uint8Array): void {
    if (this.#writer !== undefined) return this.#writer.push(octets);
    this.#looked.add(octets);
    this.#sevenBit.push(octets);
    if (this.#sevenBit.holds && this.#looked.length <= mostLooked) return;
    const isEncoded = this.#encoding === "quoted-printable";
    this.#begin(isEncoded ? new QuotedPrintableMender(this.#out) : new QuotedPrintableWriter(this.#out));
  }

  end(): void {
    if (this.#writer === undefined) this.#begin(new Copier(this.#out));
    this.#writer!.end();
  }

  #begin(writer: BodyWriter): void {
    if (writer instanceof QuotedPrintableWriter) this.#header.writeEncoded();
    else this.#header.writeUnchanged();
    this.#out.add(emptyLine);
    writer.push(this.#looked.take());
    this.#writer = writer;
  }
}
