/**
 * The answers to what multilog's socket and `deno task trace` are asked, made from the log's text. Each is a search of many
 * short steps; what it could not look at before `spent` ran out it does not tell, and says so (`whole`).
 * @module
 */
import { type AddressTrace, type Looked, type MessageTrace, mostEvents, type Tail } from "../wire/trace_protocol.ts";
import { type LogLine, longestText, type TraceEvent } from "./event.ts";
import { withArrival } from "./arrival.ts";
import { parseLogLine, printable } from "./lines.ts";
import { findLives, type Life, type Placed, placed, type Search, summaryOf, withResults } from "./lives.ts";
import { backwards, type LogText, type Spent } from "./search.ts";

/** Of what may be spent: to find the lines of a message, and then the ends of its deliveries; what is left is for its arrival. */
const [findShare, resultShare] = [0.65, 0.9];

/** The same to count how often a message's number was used, once the life is found. */
const countShare = 0.25;
/** The same to find the lines with an address. */
const addressShare = 0.4;

/** Where the log begins: the first line that has a time; 0: there is none. */
export function oldestMs(log: LogText, from = 0): number {
  const text = log.read(from, Math.min(log.size, from + 64 * 1024));
  for (const line of text.split("\n")) {
    const read = parseLogLine(line);
    if (read !== undefined) return read.atMs;
  }
  return 0;
}

/** How far back was looked. */
function looked(log: LogText, reached: number): Looked {
  // From the middle of a line on there may be none that is whole.
  return { whole: reached === 0, oldestMs: oldestMs(log, reached === 0 ? 0 : Math.max(0, reached - 1)) };
}

/** The life of a message: what is in the log of it, and how it came in. */
export function* traceMessage(log: LogText, message: number, life: number, spent: Spent): Search<MessageTrace> {
  const wanted = { life, limit: countShare };
  const { lives, reached } = yield* findLives(log, new Set([message]), { spent, limit: findShare, wanted });
  const all = lives.get(message) ?? [];
  const about = { message, life, lives: all.length, ...looked(log, reached) };
  const one = all[life - 1];
  if (one === undefined) return { ...about, events: [], cut: false };
  const [told] = yield* withResults(log, [one], spent, resultShare);
  const whole = yield* withArrival(log, told!, spent, 1);
  const events = whole.events.map(({ event }) => event);
  return { ...about, ...middleCut(withNextTimes(events)) };
}

/** Deferrals with the time that is told of all of a channel once the last of them has been. */
function withNextTimes(events: readonly TraceEvent[]): readonly TraceEvent[] {
  const next = new Map<string | undefined, number>();
  return events.toReversed().map((event): TraceEvent => {
    const { kind, channel, nextMs } = event;
    if (nextMs !== undefined) next.set(channel, nextMs);
    const known = kind === "deferral" ? next.get(channel) : undefined;
    return known === undefined || known < event.atMs ? event : { ...event, nextMs: known };
  }).reverse();
}

function middleCut(events: readonly TraceEvent[]): { readonly events: readonly TraceEvent[]; readonly cut: boolean } {
  if (events.length <= mostEvents) return { events, cut: false };
  const half = mostEvents / 2;
  return { events: [...events.slice(0, half), ...events.slice(-half)], cut: true };
}

/** Refusals of one answer at the most. */
const mostRefusals = 100;

/**
 * The newest lives an address took part in, and what was refused to or from it.
 *
 * @param address without angle brackets; `@domain` for everybody there
 */
export function* traceAddress(log: LogText, address: string, count: number, spent: Spent): Search<AddressTrace> {
  const wanted = printable(address).replaceAll(" ", "_").replaceAll("%", "_").toLowerCase();
  const hits: Placed[] = [];
  const refusals: TraceEvent[] = [];
  const numbers = new Set<number>();
  let reached = log.size;
  let isOver = wanted === "";
  for (const { hits: found, start } of isOver ? [] : backwards(log, [wanted], { anyCase: true })) {
    for (const hit of found) {
      const one = placed(hit);
      if (one === undefined || !takesPart(one.event, wanted)) continue;
      const { kind, message } = one.event;
      if (kind === "refused" && refusals.length < mostRefusals) refusals.push(one.event);
      if (message === undefined || (kind !== "info" && kind !== "starting")) continue;
      if (numbers.size === count && !numbers.has(message)) {
        isOver = true;
        break;
      }
      numbers.add(message);
      hits.push(one);
      reached = one.at;
    }
    if (!isOver) reached = start;
    yield;
    // A refusal of long ago is no reason to read all.
    if (isOver || spent() > addressShare) break;
  }
  const from = Math.max(0, (hits.at(-1)?.at ?? log.size) - marginBytes);
  const found = numbers.size === 0
    ? { lives: new Map<number, readonly Life[]>(), reached: from }
    : yield* findLives(log, numbers, { from, spent, limit: resultShare });
  const own = [...found.lives.values()].flat().filter(({ events }) =>
    hits.some(({ at }) => at >= events[0]!.at && at <= events.at(-1)!.at)
  );
  const told = yield* withResults(log, own, spent, 1);
  const lives = told.map(summaryOf).sort((one, other) => other.lastMs - one.lastMs).slice(0, count);
  // What was found of an address whose life was not come to any more is not told.
  return { lives, refusals, ...looked(log, found.reached > from ? found.reached : reached) };
}

/** The first line of a message stands this far in front of a delivery's at the most, or its life is told from there on. */
const marginBytes = 8 * 1024 * 1024;

/** Whether an event is about this address, which is lower-case. */
function takesPart({ sender, recipient, channel }: TraceEvent, wanted: string): boolean {
  return [sender, recipient].some((one) => {
    const address = one?.toLowerCase() ?? "";
    if (wanted.startsWith("@") ? address.endsWith(wanted) : address === wanted) return true;
    // control/virtualdomains may have put a prefix in front of it.
    return channel === "local" && one === recipient && address.endsWith(`-${wanted}`);
  });
}

export interface TailOptions {
  readonly count: number;
  readonly component?: string | undefined;
  readonly contains?: string | undefined;
  /** Lines that begin here or later; default all. */
  readonly from?: number;
}

/** The newest lines, in the order of the log. */
export function* tail(
  log: LogText,
  { count, component, contains, from = 0 }: TailOptions,
  spent: Spent,
): Search<Omit<Tail, "cursor">> {
  const lines: LogLine[] = [];
  let reached = log.size;
  const words = contains === undefined || contains === "" ? [] : [contains.toLowerCase()];
  // A block for a page is enough where every line counts.
  const blockBytes = words.length === 0 && component === undefined ? 128 * 1024 : undefined;
  const options = { from, anyCase: true, ...(blockBytes === undefined ? {} : { blockBytes }) };
  search: for (const { hits, start } of backwards(log, words, options)) {
    for (const { line, at } of hits) {
      if (lines.length >= count) break search;
      reached = at;
      const read = parseLogLine(line);
      if (read === undefined || (component !== undefined && read.component !== component)) continue;
      lines.push({ atMs: read.atMs, component: read.component.slice(0, 100), text: read.text.slice(0, longestText) });
    }
    reached = start;
    yield;
    if (spent() > 1) break;
  }
  return { lines: lines.reverse(), ...looked(log, reached <= from ? 0 : reached) };
}
