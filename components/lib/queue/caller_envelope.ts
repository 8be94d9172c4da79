/**
 * The envelope as callers hand it to the program qmail-queue (qmail's interface): `F<sender>␀T<recipient>␀…␀`. The last
 * NUL is the caller's word that it means it: without it there is no message.
 * @module
 */
import { fromOctets } from "../octets.ts";
import type { Envelope } from "./envelope.ts";
import { exitCode } from "./exit_code.ts";

/** Octets of an address with its NUL at the most (qmail's number). */
const longestAddress = 1003;

/**
 * Octets of all addresses together at the most, which bounds the memory of one caller and keeps the envelope within one
 * frame for the daemon. Unlike qmail, which has no limit; this one is about 100,000 recipients.
 */
export const longestEnvelope = 2 * 1024 * 1024;

const [nul, letterF, letterT] = [0, 0x46, 0x54];

/** The envelope as qmail-queue reads it from descriptor 1. */
export function formatCallerEnvelope({ sender, recipients }: Envelope): string {
  // A NUL in an address would be another recipient; no variable, argument or SMTP command can hold one.
  return `F${sender}\0${recipients.map((recipient) => `T${recipient}\0`).join("")}\0`;
}

/** Whether more is expected, the envelope is whole, or the exit code that refuses it. */
export type EnvelopeState =
  | { readonly kind: "more" }
  | { readonly kind: "whole"; readonly envelope: Envelope }
  | { readonly kind: "refused"; readonly code: number };

/** Takes the octets in pieces of any size; ignores what follows the end, as qmail does. */
export class CallerEnvelope {
  #sender: string | undefined;
  readonly #recipients: string[] = [];
  /** The address being read; undefined between two. */
  #address: string | undefined;
  #octets = 0;
  #state: EnvelopeState = { kind: "more" };

  push(octets: Uint8Array): EnvelopeState {
    for (let at = 0; at < octets.length && this.#state.kind === "more";) {
      if (this.#address === undefined) this.#begin(octets[at++]!);
      else at = this.#goOn(octets, at);
    }
    return this.#state;
  }

  /** The code for an input that ended here. */
  endedCode(): number {
    return this.#state.kind === "refused" ? this.#state.code : exitCode.readError;
  }

  #begin(letter: number): void {
    if (letter === (this.#sender === undefined ? letterF : letterT)) this.#address = "";
    else if (letter === nul && this.#sender !== undefined) {
      this.#state = { kind: "whole", envelope: { sender: this.#sender, recipients: this.#recipients } };
    } else this.#state = { kind: "refused", code: exitCode.badEnvelope };
  }

  #goOn(octets: Uint8Array, at: number): number {
    const found = octets.indexOf(nul, at);
    const end = found < 0 ? octets.length : found;
    const room = longestAddress - this.#address!.length;
    // Without its NUL an address may have one octet less.
    if (end - at >= room) {
      this.#state = { kind: "refused", code: exitCode.addressTooLong };
      return octets.length;
    }
    // And one for its NUL, so that empty addresses count, too.
    this.#octets += end - at + 1;
    this.#address += fromOctets(octets.subarray(at, end));
    if (found < 0) return end;
    if (this.#octets > longestEnvelope) this.#state = { kind: "refused", code: exitCode.refused };
    if (this.#sender === undefined) this.#sender = this.#address!;
    else this.#recipients.push(this.#address!);
    this.#address = undefined;
    return end + 1;
  }
}
