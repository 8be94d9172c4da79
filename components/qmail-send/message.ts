/**
 * A message as qmail-send holds it in memory.
 * @module
 */
import type { Channel } from "../lib/queue/layout.ts";
import type { Recipient } from "./dispatcher.ts";

/**
 * Where the message stands. `todo`: its first attempt runs straight from the envelope in todo (S4), nothing else is
 * written. `split`: it has info, and local or remote (S5). `ending`: delivered at the first attempt, its files are going.
 */
export type Stage = "todo" | "split" | "ending";

/** One channel's part of a message while deliveries are made. */
export interface Pass {
  readonly recipients: readonly Recipient[];
  /** Deliveries not reported yet. */
  left: number;
  /** Past its lifetime: a deferral is a failure now. */
  readonly dying: boolean;
  /** When the next attempt of what is deferred is due (seconds since 1970). */
  readonly nextSeconds: number;
}

export interface Message {
  readonly id: number;
  readonly birthSeconds: number;
  /** Known while a pass runs; read again for the next one. */
  sender: string;
  stage: Stage;
  /** The move from todo to split while it is made. */
  moving: Promise<void> | undefined;
  readonly passes: Map<Channel, Pass>;
  /** Channels with recipients that wait for another attempt. */
  readonly waiting: Set<Channel>;
  /** Paragraphs of recipients that failed in the first attempt. */
  bounce: string;
}

/** Recipients an envelope may have for its first attempt to run straight from todo: more would be too many to repeat. */
export const mostFirstAttempt = 100;

/** First attempts held in memory at once; further messages wait in todo. */
export const mostFresh = 10_000;

/** A message nothing has been done for yet. */
export function newMessage(id: number, birthSeconds: number, sender: string, stage: Stage): Message {
  return { id, birthSeconds, sender, stage, moving: undefined, passes: new Map(), waiting: new Set(), bounce: "" };
}
