/**
 * Messages that wait for a later attempt: an entry of the retry queue each, with the channel's file to say the same. What
 * a survey finds and what an operator says of a message that waits come together here with what went to wait by itself,
 * so that each is tried when it is due, and once.
 * @module
 */
import { describeError, log } from "../lib/log/log.ts";
import { type Channel, channels } from "../lib/queue/layout.ts";
import type { Asked } from "./asked.ts";
import { type Message, newMessage } from "./message.ts";
import { Overruled } from "./overruled.ts";
import type { Retry } from "./retry_queue.ts";
import { RetryTimer } from "./retry_timer.ts";
import type { Store } from "./store.ts";
import { troubleSeconds } from "./timing.ts";

export interface RetryEvents {
  nowSeconds(): number;
  /** Whether another message may be taken into memory; after false, {@link Retries.resume} has to be called. */
  ready(): boolean;
  /** The message in memory of this number. */
  message(id: number): Message | undefined;
  /** What the client of a message in the layout asked for. Throws what is wrong with its file. */
  asked(id: number, sender: string): Asked | undefined;
  /** An attempt at who is left on this channel is due. The message may be in memory already, for its other channel. */
  begin(message: Message, channel: Channel, left: readonly { address: string; offset: number }[]): void;
}

export class Retries {
  readonly #store: Store;
  readonly #events: RetryEvents;
  readonly #timer: RetryTimer;
  /** Entries that count no more. */
  readonly #overruled = new Overruled();
  /** Messages that went to wait while a survey runs, which may still come to their files; undefined when none runs. */
  #asleep: Set<number> | undefined = new Set();

  constructor(store: Store, events: RetryEvents) {
    this.#store = store;
    this.#events = events;
    this.#timer = new RetryTimer({
      nowSeconds: () => events.nowSeconds(),
      ready: () => events.ready(),
      onDue: (retry) => this.#due(retry),
    });
  }

  /** Those that wait; a message counts once for each of its channels. */
  get size(): number {
    return this.#timer.size - this.#overruled.size;
  }

  add(retry: Retry): void {
    this.#timer.add(retry);
  }

  /** Everything is due now but what is held: SIGALRM. */
  allDue(): void {
    this.#overruled.alarm(this.#events.nowSeconds());
    this.#timer.allDue();
  }

  /** There is room for another message again. */
  resume(): void {
    this.#timer.resume();
  }

  stop(): void {
    this.#timer.stop();
  }

  // --- a survey

  /** A survey begins, or has ended: only in between is it remembered what it may come to a second time. */
  surveying(begins: boolean): void {
    // Before the first one it counts as well.
    this.#asleep = begins ? this.#asleep ?? new Set() : undefined;
  }

  /** Nothing is done for a message any more, it waits. */
  rests(id: number): void {
    this.#asleep?.add(id);
  }

  /** Whether this one went to wait since the survey that runs began. */
  restedSince(id: number): boolean {
    return this.#asleep?.has(id) === true;
  }

  // --- an operator's word on a message that waits

  /** It is due then: its file says so, and the retry queue. Throws what the disk says. */
  reschedule(id: number, channel: Channel, atSeconds: number): void {
    this.#store.setNextAttempt(id, channel, atSeconds);
    this.unschedule(id, channel);
    this.add({ id, channel, atSeconds });
  }

  /** The entry by which it waits counts no more. */
  unschedule(id: number, channel: Channel): void {
    if (this.#asleep !== undefined && !this.#asleep.has(id) && this.#events.message(id) === undefined) {
      // The survey may not have come to it: now there is an entry, and it will not tell of it.
      for (const other of channels) {
        const atSeconds = this.#store.mtime(other, id);
        if (atSeconds !== undefined) this.add({ id, channel: other, atSeconds });
      }
      this.#asleep.add(id);
    }
    this.#overruled.add(id, channel);
  }

  // --- its time has come

  #due(retry: Retry): void {
    const { id, channel } = retry;
    const active = this.#events.message(id);
    // Its files say the same again when it comes to rest.
    if (active !== undefined && (active.stage !== "split" || active.passes.has(channel))) {
      return this.#overruled.drop(id, channel);
    }
    try {
      const atSeconds = this.#store.mtime(channel, id);
      if (atSeconds === undefined || active?.deleted === true) return this.#overruled.drop(id, channel);
      const judged = this.#overruled.judge(retry, atSeconds, this.#events.nowSeconds());
      if (judged === "wait") this.add({ id, channel, atSeconds });
      if (judged !== "try") return;
      const message = active ?? this.#wake(id);
      const records = this.#store.readChannel(id, channel);
      if (!records.ok) throw new Error(`${channel}/${id}: ${records.error}`);
      this.#events.begin(message, channel, records.value);
    } catch (error) {
      log(`warning: trouble reading msg ${id}: ${describeError(error)}; will try again later`);
      this.add({ atSeconds: this.#events.nowSeconds() + troubleSeconds, id, channel });
    }
  }

  /** A message that waited, as its files tell of it. Throws what is wrong with them. */
  #wake(id: number): Message {
    const sender = this.#store.readSender(id);
    if (!sender.ok) throw new Error(`info/${id}: ${sender.error}`);
    const birthSeconds = this.#store.mtime("info", id) ?? 0;
    const asked = this.#events.asked(id, sender.value);
    return newMessage({ id, birthSeconds, sender: sender.value, place: undefined }, "split", asked);
  }
}
