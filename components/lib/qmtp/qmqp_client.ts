/**
 * The client's half of QMQP (qmail's interface): what is sent for one message, and what the server's answer means. Pure.
 * @module
 */
import { fromOctets, toOctets } from "../octets.ts";
import type { Envelope } from "../queue/envelope.ts";
import { exitCode } from "../queue/exit_code.ts";
import { formatNetstring, longestNetstring } from "./netstring.ts";

/** What stands around a message's octets on the wire. */
export interface QmqpFrame {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

/** Undefined: it is larger than any server takes. */
export function frameMail(messageBytes: number, { sender, recipients }: Envelope): QmqpFrame | undefined {
  const envelope = `,${[sender, ...recipients].map(formatNetstring).join("")}`;
  const message = `${messageBytes}:`;
  const length = message.length + messageBytes + envelope.length;
  if (length > longestNetstring) return undefined;
  return { head: toOctets(`${length}:${message}`), tail: toOctets(`${envelope},`) };
}

/** The server's word: accepted, try again, never. */
const letters = { K: exitCode.queued, Z: exitCode.temporary, D: exitCode.refused } as const;

/** Octets in front of the letter at the most: a length and its colon. */
const longestPrefix = 20;

/** Reads an answer, which comes in pieces of any size. The letter decides; the text behind it is for nobody. */
export class AnswerReader {
  #prefix = "";

  /** qmail-queue's exit code for the answer; undefined: there is more to come. */
  push(octets: Uint8Array): number | undefined {
    this.#prefix += fromOctets(octets.subarray(0, longestPrefix));
    const match = /^[0-9]+:([KZD])/.exec(this.#prefix);
    if (match !== null) return letters[match[1] as keyof typeof letters];
    return /^(?:[0-9]{0,9}|[0-9]{1,9}:)$/.test(this.#prefix) ? undefined : exitCode.connectionLost;
  }
}
