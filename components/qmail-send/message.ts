/**
 * A message as qmail-send holds it in memory: only while something is done for it. One that waits for its next attempt
 * is an entry of the retry queue and nothing else.
 * @module
 */
import type { Channel } from "../lib/queue/layout.ts";
import type { JournalMessage, JournalPlace } from "../lib/wire/queue_protocol.ts";
import type { Asked } from "./asked.ts";
import type { Added, Job, Recipient } from "./dispatcher.ts";

/**
 * Where the message stands. `journal`, `todo`: its first attempt runs straight from there, nothing else is written.
 * `split`: it has info, and local or remote (S5). `ending`: nobody is left to deliver to, its files are going.
 */
export type Stage = "journal" | "todo" | "split" | "ending";

/** One channel's part of a message while deliveries are made. */
export interface Pass {
  readonly recipients: readonly Recipient[];
  /** Its deliveries, until they are added to those that take turns. */
  jobs: readonly Job<Message>[];
  /** Deliveries not reported yet. */
  left: number;
  /** Those of them that have not been started can be taken back by this. */
  added: Added<Message> | undefined;
  /** Past its lifetime: a deferral is a failure now. */
  dying: boolean;
  /** When the next attempt of what is deferred is due (seconds since 1970). */
  nextSeconds: number;
}

export interface Message {
  readonly id: number;
  readonly birthSeconds: number;
  readonly sender: string;
  stage: Stage;
  /** Where its record stands, while it is in the journal. */
  place: JournalPlace | undefined;
  /** The move into the layout while it is made. */
  moving: Promise<void> | undefined;
  readonly passes: Map<Channel, Pass>;
  /** Paragraphs of recipients that failed in the first attempt. */
  bounce: string;
  /** What its client asked for beside the envelope. */
  readonly asked: Asked | undefined;
  /** An operator had it deleted: it goes when nothing runs for it any more. */
  deleted: boolean;
}

/** What a new message's envelope says, wherever it was read. */
export interface NewMessage extends Omit<JournalMessage, "serial" | "place"> {
  /** In the journal; undefined: it is in todo. */
  readonly place: JournalPlace | undefined;
}

/** First attempts held in memory at once; further messages wait in todo or in the journal. */
export const mostFresh = 10_000;

/** Messages with later attempts held in memory at once; others wait although they are due. */
export const mostRetried = 10_000;

/** A message nothing has been done for yet. */
export function newMessage(
  { id, birthSeconds, sender, place }: Pick<NewMessage, "id" | "birthSeconds" | "sender" | "place">,
  stage: Stage,
  asked?: Asked,
): Message {
  const passes = new Map<Channel, Pass>();
  return { id, birthSeconds, sender, stage, place, moving: undefined, passes, bounce: "", asked, deleted: false };
}
