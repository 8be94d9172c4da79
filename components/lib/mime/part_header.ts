/**
 * The header of a message or of a part of one, on its way out. Fields leave as they come, up to one that may have to be
 * changed: from there on they are held until it is known whether it has to be. What is held is bounded.
 * @module
 */
import { fromOctets, toOctets } from "../octets.ts";
import { parseMediaType, parseTransferEncoding } from "./content_fields.ts";
import { type LinePiece, longestStart } from "./line_pieces.ts";
import { OctetSink } from "./octet_sink.ts";

/** What a header says about the octets behind it. */
export type PartKind =
  /** They cannot or must not be changed. */
  | { readonly kind: "fixed" }
  | { readonly kind: "multipart"; readonly boundary: string; readonly isDigest: boolean }
  /** A message with a header of its own. */
  | { readonly kind: "message" }
  | { readonly kind: "leaf"; readonly encoding: "identity" | "quoted-printable" | "base64" };

export interface HeaderPlace {
  /** Of a whole message, not of a part: then it is the one that says MIME-Version. */
  readonly isMessage: boolean;
  /** A part of a multipart/digest is a message where it does not say otherwise (RFC 2046 §5.1.5). */
  readonly isInDigest: boolean;
}

/** Octets of one of the fields that are read, and of all that are held. */
const longestField = 16 * 1024;
const mostHeld = 64 * 1024;
const LF = 0x0a;
const fieldName = /^([!-9;-~]+)([ \t]*):/;

type Known = "content-type" | "content-transfer-encoding";

export class PartHeader {
  readonly #out: OctetSink;
  readonly #place: HeaderPlace;
  /** The fields that are read, with their names. */
  readonly #known = new Map<Known, string>();
  #field: Known | "other" | undefined;
  #saysMime = false;
  /** Nobody can tell what is meant. */
  #isUnclear = false;
  /** The field that may have to be changed, and what comes behind it. */
  readonly #encodingField = new OctetSink();
  readonly #behind = new OctetSink();

  constructor(out: OctetSink, place: HeaderPlace) {
    this.#out = out;
    this.#place = place;
  }

  /** `end`: the empty line, not written yet. `broken`: the piece is none of a header; it is not taken. */
  take({ octets, begins }: LinePiece): "more" | "end" | "broken" {
    if (begins) {
      const first = octets[0]!;
      if (first === LF) return "end";
      if (first !== 0x20 && first !== 0x09) {
        const [, name, blanks] = fieldName.exec(fromOctets(octets.subarray(0, longestStart))) ?? [];
        if (name === undefined) return "broken";
        this.#begin(name.toLowerCase(), blanks !== "");
      } else if (this.#field === undefined) return "broken";
    }
    this.#read(octets);
    this.#write(octets);
    return "more";
  }

  kind(): PartKind {
    if (this.#isUnclear) return { kind: "fixed" };
    const typeField = this.#valueOf("content-type");
    const encodingField = this.#valueOf("content-transfer-encoding");
    const encoding = encodingField === undefined ? "7bit" : parseTransferEncoding(encodingField);
    if (encoding === undefined) return { kind: "fixed" };
    const type = typeField === undefined ? undefined : parseMediaType(typeField);
    // Some program may take it for one whose octets cannot be encoded as a whole.
    if (type === undefined && typeField !== undefined && /multipart|message/i.test(typeField)) return { kind: "fixed" };
    const isMessage = type === undefined ? typeField === undefined && this.#place.isInDigest : type.type === "message";
    // Its octets are what was signed (RFC 1847 §2.1).
    if (type?.type === "multipart" && type.subtype === "signed") return { kind: "fixed" };
    if (encoding === "base64" || encoding === "quoted-printable") return { kind: "leaf", encoding };
    if (type?.type === "multipart") {
      if (type.boundary === undefined) return { kind: "fixed" };
      return { kind: "multipart", boundary: type.boundary, isDigest: type.subtype === "digest" };
    }
    if (isMessage) {
      const subtype = type?.subtype ?? "rfc822";
      if (subtype === "rfc822") return { kind: "message" };
      // RFC 2046 §5.2.2, §5.2.3 and their like demand seven bits; only those of RFC 6532 may be encoded.
      if (!subtype.startsWith("global")) return { kind: "fixed" };
    }
    return { kind: "leaf", encoding: "identity" };
  }

  /** Writes what is held, as it came. */
  writeUnchanged(): void {
    this.#out.add(this.#encodingField.take());
    this.#out.add(this.#behind.take());
  }

  /** Writes what is held, with another encoding; what seven bits need to be understood is added. */
  writeEncoded(): void {
    const type = this.#known.has("content-type") ? "" : "Content-Type: text/plain; charset=unknown-8bit\n"; // RFC 1428 §3
    this.#writeWith(`${type}Content-Transfer-Encoding: quoted-printable\n`);
  }

  /** Writes what is held, for a part that has parts, all of which will be written. */
  writeComposite(): void {
    const was = this.#valueOf("content-transfer-encoding");
    this.#writeWith(was === undefined ? "" : "Content-Transfer-Encoding: 7bit\n");
  }

  #writeWith(fields: string): void {
    const mime = this.#place.isMessage && !this.#saysMime ? "MIME-Version: 1.0\n" : "";
    this.#encodingField.take();
    this.#out.add(this.#behind.take());
    this.#out.add(toOctets(mime + fields));
  }

  #begin(name: string, hasBlanks: boolean): void {
    this.#field = "other";
    if (name === "mime-version") this.#saysMime = true;
    if (name !== "content-type" && name !== "content-transfer-encoding") return;
    if (hasBlanks || this.#known.has(name)) this.#isUnclear = true;
    this.#field = name;
    this.#known.set(name, "");
  }

  #read(octets: Uint8Array): void {
    if (this.#field === undefined || this.#field === "other") return;
    const text = this.#known.get(this.#field)!;
    if (text.length + octets.length > longestField) this.#isUnclear = true;
    else this.#known.set(this.#field, text + fromOctets(octets));
  }

  #write(octets: Uint8Array): void {
    if (this.#isUnclear) this.writeUnchanged();
    if (this.#isUnclear) this.#out.add(octets);
    else if (this.#field === "content-transfer-encoding") this.#encodingField.add(octets);
    else if (this.#encodingField.length > 0) this.#behind.add(octets);
    else this.#out.add(octets);
    if (this.#behind.length > mostHeld) this.#isUnclear = true;
  }

  #valueOf(name: Known): string | undefined {
    return this.#known.get(name)?.replace(/^[^:]*:/, "");
  }
}
