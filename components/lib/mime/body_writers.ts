/**
 * How the octets of a part are written so that seven bits are enough: as quoted-printable (RFC 2045 §6.7), or, where they
 * claim to be quoted-printable or base64 already and hold what neither may hold, put right without a change to what a
 * reader decodes. Lines end in LF; where the octets are cut does not matter.
 *
 * No line that is written begins with "-": so none can be taken for a delimiter of a multipart around it, wherever a line
 * had to be broken and whatever was escaped.
 * @module
 */
import type { OctetSink } from "./octet_sink.ts";

export interface BodyWriter {
  push(octets: Uint8Array): void;
  /** Nothing comes any more. */
  end(): void;
}

const [TAB, LF, CR, SPACE, HYPHEN, EQUALS] = [0x09, 0x0a, 0x0d, 0x20, 0x2d, 0x3d];
const hexDigits = new TextEncoder().encode("0123456789ABCDEF");
/** Octets of a line, in front of the "=" that breaks it (76 with that, RFC 2045 §6.7 rule 5). */
const lineOctets = 75;

/** Writes lines of quoted-printable. */
class QuotedPrintableLines {
  readonly #out: OctetSink;
  #column = 0;

  constructor(out: OctetSink) {
    this.#out = out;
  }

  /** An octet that may stand for itself: printable, or a blank that is not the line's last octet. */
  literal(octet: number): void {
    this.makeRoom(1);
    if (octet === HYPHEN && this.#column === 0) return this.escaped(octet);
    this.#put(octet);
  }

  escaped(octet: number): void {
    this.makeRoom(3);
    this.#put(EQUALS);
    this.#put(hexDigits[octet >> 4]!);
    this.#put(hexDigits[octet & 15]!);
  }

  /** Breaks the line where so many octets do not fit in any more. */
  makeRoom(count: number): void {
    if (this.#column + count <= lineOctets) return;
    this.#put(EQUALS);
    this.end();
  }

  /** An octet as it is, wherever. */
  raw(octet: number): void {
    this.#put(octet);
  }

  end(): void {
    this.#out.octet(LF);
    this.#column = 0;
  }

  #put(octet: number): void {
    this.#out.octet(octet);
    this.#column++;
  }
}

/** Writes any octets as quoted-printable; line ends stay line ends. */
export class QuotedPrintableWriter implements BodyWriter {
  readonly #lines: QuotedPrintableLines;
  /** A blank, which may not be the last octet of its line. */
  #blank: number | undefined;

  constructor(out: OctetSink) {
    this.#lines = new QuotedPrintableLines(out);
  }

  push(octets: Uint8Array): void {
    for (const octet of octets) {
      if (octet === LF) {
        this.end();
        this.#lines.end();
        continue;
      }
      if (this.#blank !== undefined) this.#lines.literal(this.#blank);
      this.#blank = undefined;
      if (isBlank(octet)) this.#blank = octet;
      else if (isPrintable(octet) && octet !== EQUALS) this.#lines.literal(octet);
      else this.#lines.escaped(octet);
    }
  }

  end(): void {
    if (this.#blank !== undefined) this.#lines.escaped(this.#blank);
    this.#blank = undefined;
  }
}

/** Writes what is meant to be quoted-printable: escapes what would have had to be escaped, breaks lines that are too long. */
export class QuotedPrintableMender implements BodyWriter {
  readonly #lines: QuotedPrintableLines;
  /** Behind a "=", whose meaning the next octet shows. */
  #afterEquals = false;

  constructor(out: OctetSink) {
    this.#lines = new QuotedPrintableLines(out);
  }

  push(octets: Uint8Array): void {
    for (const octet of octets) {
      if (this.#afterEquals) {
        this.#afterEquals = false;
        if (isHexDigit(octet) || isBlank(octet)) {
          // It stays together with what it belongs to.
          this.#lines.makeRoom(3);
          this.#lines.raw(EQUALS);
        } else if (octet === LF) this.#lines.raw(EQUALS);
        else this.#lines.escaped(EQUALS);
      }
      if (octet === LF) this.#lines.end();
      else if (octet === EQUALS) this.#afterEquals = true;
      else if (isBlank(octet) || isPrintable(octet)) this.#lines.literal(octet);
      else this.#lines.escaped(octet);
    }
  }

  end(): void {
    if (this.#afterEquals) this.#lines.raw(EQUALS);
    this.#afterEquals = false;
  }
}

/** Stands for an octet that base64 does not know, and that its readers pass over (RFC 2045 §6.8). */
const passedOver = 0x2a;
const longestBase64Line = 988;

/** Writes what is meant to be base64: what its readers pass over becomes "*" where it could do harm. */
export class Base64Mender implements BodyWriter {
  readonly #out: OctetSink;
  #column = 0;

  constructor(out: OctetSink) {
    this.#out = out;
  }

  push(octets: Uint8Array): void {
    for (const octet of octets) {
      if (octet !== LF && this.#column === longestBase64Line) this.#put(LF);
      const isHarmful = octet > 127 || octet === 0 || (octet === HYPHEN && this.#column === 0);
      this.#put(isHarmful ? passedOver : octet);
    }
  }

  end(): void {}

  #put(octet: number): void {
    this.#out.octet(octet);
    this.#column = octet === LF ? 0 : this.#column + 1;
  }
}

/** Writes what comes as it is. */
export class Copier implements BodyWriter {
  readonly #out: OctetSink;

  constructor(out: OctetSink) {
    this.#out = out;
  }

  push(octets: Uint8Array): void {
    this.#out.add(octets);
  }

  end(): void {}
}

function isPrintable(octet: number): boolean {
  return octet > SPACE && octet < 0x7f;
}

function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB;
}

function isHexDigit(octet: number): boolean {
  return (octet >= 0x30 && octet <= 0x39) || (octet >= 0x41 && octet <= 0x46) || (octet >= 0x61 && octet <= 0x66);
}

/** What lines of a message may be made of where eight bits are not allowed (RFC 2045 §2.7). Takes octets as they come. */
export class SevenBitLines {
  #column = 0;
  #holds = true;

  /** Whether all that was pushed is such data. */
  get holds(): boolean {
    return this.#holds;
  }

  push(octets: Uint8Array): void {
    for (const octet of octets) {
      this.#column = octet === LF ? 0 : this.#column + 1;
      if (octet > 127 || octet === 0 || octet === CR || this.#column > longestLine) this.#holds = false;
    }
  }
}

/** Octets of a line without its end (RFC 5322 §2.1.1). */
const longestLine = 998;
