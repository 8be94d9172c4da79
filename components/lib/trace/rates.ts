/**
 * How much happens in each minute, counted from the log's lines on their way to the disk: a look for a few words in what
 * came at once, and nothing for the lines that have none of them.
 * @module
 */
import { type RateMinute, type RateName, rateNames } from "./event.ts";

export const keptMinutes = 60;
const minuteMs = 60_000;

/** What a line is counted as: the words it has, and what has to stand in front of them in a text log. */
interface Mark {
  readonly name: RateName;
  readonly words: string;
  readonly front: RegExp;
}

/** `TIME COMPONENT`, or `TIME HOST COMPONENT[PID]`: texts in other lines may have the words as well. */
const server = /^\S+ (?:\S+ )?(?:dqmail-)?qmail-(?:smtpd|qmtpd|qmqpd)(?:-[0-9]+)?(?:\[[0-9]+\])?$/;
const filter = /^\S+ (?:\S+ )?(?:dqmail-)?(?:verify|rspamd|clamd|milter|custom)(?:\[[0-9]+\])?$/;
const delivery = /^\S+ (?:\S+ )?(?:dqmail-)?qmail-send(?:\[[0-9]+\])?: delivery [0-9]+$/;
const send = /^\S+ (?:\S+ )?(?:dqmail-)?qmail-send(?:\[[0-9]+\])?$/;
const jsonServer = /^\{"time":"[^"]*","component":"qmail-(?:smtpd|qmtpd|qmqpd)(?:-[0-9]+)?",$/;
const jsonFilter = /^\{"time":"[^"]*","component":"(?:verify|rspamd|clamd|milter|custom)",$/;
const jsonSend = /^\{"time":"[^"]*","component":"qmail-send",/;

const marks: readonly Mark[] = [
  { name: "accepted", words: ": accepted ip=", front: server },
  { name: "delivered", words: ": success: ", front: delivery },
  { name: "deferred", words: ": deferral: ", front: delivery },
  { name: "failed", words: ": failure: ", front: delivery },
  { name: "bounced", words: ": bounce msg ", front: send },
  { name: "refused", words: ": refused-", front: server },
  { name: "refused", words: ": refused filter=", front: filter },
];
/** A quotation mark in a value of a JSON log has a backslash in front of it. */
const jsonMarks: readonly Mark[] = [
  { name: "accepted", words: `"event":"accepted"`, front: jsonServer },
  { name: "delivered", words: `"result":"success"`, front: jsonSend },
  { name: "deferred", words: `"result":"deferral"`, front: jsonSend },
  { name: "failed", words: `"result":"failure"`, front: jsonSend },
  { name: "bounced", words: `"event":"bounce"`, front: jsonSend },
  { name: "refused", words: `"event":"refused-`, front: jsonServer },
  { name: "refused", words: `"event":"refused",`, front: jsonFilter },
];

/** One look for all of them: the words of one mark never begin inside those of another where either counts. */
function finderOf(all: readonly Mark[]): { readonly pattern: RegExp; readonly byWords: ReadonlyMap<string, Mark> } {
  return {
    pattern: new RegExp(all.map(({ words }) => words).join("|"), "g"),
    byWords: new Map(all.map((mark) => [mark.words, mark])),
  };
}

const finder = finderOf(marks);
const jsonFinder = finderOf(jsonMarks);

/** Calls `found` for each line in `text` that is counted, with the place where it begins. */
export function countLines(text: string, found: (name: RateName, start: number) => void): void {
  const { pattern, byWords } = text.startsWith("{") ? jsonFinder : finder;
  for (const { 0: words, index } of text.matchAll(pattern)) {
    const { name, front } = byWords.get(words)!;
    const start = text.lastIndexOf("\n", index) + 1;
    if (front.test(text.slice(start, index))) found(name, start);
  }
}

/** Counts of the last hour. */
export class RateCounter {
  readonly #minutes = new Map<number, Record<RateName, number>>();

  /** Counts lines, whole ones, that came at `atMs`. */
  count(text: string, atMs: number): void {
    const counts = this.#at(atMs);
    countLines(text, (name) => counts[name]++);
  }

  /** The last hour up to `nowMs`, the oldest first. */
  minutes(nowMs: number): readonly RateMinute[] {
    const last = Math.floor(nowMs / minuteMs);
    return Array.from({ length: keptMinutes }, (_, at) => {
      const minute = last - keptMinutes + 1 + at;
      return { startMs: minute * minuteMs, ...(this.#minutes.get(minute) ?? none()) };
    });
  }

  #at(atMs: number): Record<RateName, number> {
    const minute = Math.floor(atMs / minuteMs);
    const known = this.#minutes.get(minute);
    if (known !== undefined) return known;
    const fresh = none();
    this.#minutes.set(minute, fresh);
    // A clock that was set back leaves nothing behind, either.
    for (const other of this.#minutes.keys()) if (Math.abs(other - minute) > keptMinutes) this.#minutes.delete(other);
    return fresh;
  }
}

function none(): Record<RateName, number> {
  return Object.fromEntries(rateNames.map((name) => [name, 0])) as Record<RateName, number>;
}
