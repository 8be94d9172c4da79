/**
 * A record of the journal as qmail-queue knows it in memory.
 * @module
 */
import type { Segment } from "./segment.ts";

/** What is appended. */
export interface NewRecord {
  readonly birthSeconds: number;
  /** As envelopePart() makes it. */
  readonly envelope: Uint8Array;
  readonly content: readonly Uint8Array[];
  /** The number of the mess file that holds the text, of which `content` is the beginning then; undefined: it is all here. */
  readonly mess: number | undefined;
}

/** A record that is not done. */
export interface Entry {
  readonly serial: number;
  readonly id: number;
  readonly segment: number;
  readonly offset: number;
  /** Octets of the record. */
  readonly bytes: number;
  /** Whether the text is not in it, but in the mess file of this number. */
  readonly inMess: boolean;
}

/** The same, with the segment that holds it, and the number of its mark there. */
export interface Live extends Entry {
  readonly in: Segment;
  readonly index: number;
}

/** A serial is a time, so that none comes back whatever was lost; more records than that do not come in a millisecond. */
export const serialsPerMs = 1000;
