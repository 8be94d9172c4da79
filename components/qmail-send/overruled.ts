/**
 * Entries of the retry queue that an operator's command overruled: their messages have other times now, and the queue,
 * a heap, cannot give one entry back. Each is met when it comes due, and dropped then.
 *
 * Of a message and channel the queue holds at least as many entries as are overruled, and one more where the message
 * waits. Which of them is dropped does not matter, for the time of the channel's file is the message's next attempt, and
 * says of each entry whether it comes too early. Only SIGALRM, which leaves the files as they are, has what is due by
 * then tried all the same: once, however many entries come due with it.
 * @module
 */
import type { Channel } from "../lib/queue/layout.ts";
import { heldSeconds } from "../lib/queue/held.ts";
import { type Retry } from "./retry_queue.ts";

interface Count {
  entries: number;
  /** The last SIGALRM at which an attempt of it was begun, or after which. */
  tried: number;
}

export class Overruled {
  readonly #counts = new Map<string, Count>();
  #size = 0;
  #alarms = 0;
  #alarmSeconds = -1;

  /** Entries of the retry queue that count no more. */
  get size(): number {
    return this.#size;
  }

  /** SIGALRM: everything is due now. */
  alarm(nowSeconds: number): void {
    this.#alarms++;
    this.#alarmSeconds = nowSeconds;
  }

  /** The entry by which this one waits counts no more. */
  add(id: number, channel: Channel): void {
    const count = this.#counts.get(keyOf(id, channel));
    if (count !== undefined) count.entries++;
    else this.#counts.set(keyOf(id, channel), { entries: 1, tried: -1 });
    this.#size++;
  }

  /** An entry came due that nothing is to be done for. */
  drop(id: number, channel: Channel): void {
    const key = keyOf(id, channel);
    const count = this.#counts.get(key);
    if (count === undefined) return;
    this.#size--;
    if (--count.entries === 0) this.#counts.delete(key);
  }

  /**
   * What to do with an entry that came due, `fileSeconds` being its file's time: `drop` it (it is noted), let it `wait`
   * for that time, or `try` to deliver.
   */
  judge({ id, channel, atSeconds }: Retry, fileSeconds: number, nowSeconds: number): "try" | "drop" | "wait" {
    const count = this.#counts.get(keyOf(id, channel));
    if (fileSeconds > nowSeconds) {
      const alarmed = atSeconds <= this.#alarmSeconds && fileSeconds < heldSeconds;
      if (alarmed ? count?.tried === this.#alarms : count !== undefined) {
        this.drop(id, channel);
        return "drop";
      }
      if (!alarmed) return "wait";
    }
    if (count !== undefined) count.tried = this.#alarms;
    return "try";
  }
}

function keyOf(id: number, channel: Channel): string {
  return `${channel}/${id}`;
}
