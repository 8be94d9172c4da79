/**
 * The lives of message numbers: what the log says between `new msg N` and `end msg N`, and what became of the deliveries
 * that begin there, which the log tells by their own numbers.
 * @module
 */
import { type LifeSummary, mostSummaryRecipients, type TraceEvent } from "./event.ts";
import { eventOf } from "./event_of.ts";
import { parseLogLine } from "./lines.ts";
import { backwards, forwards, type Hit, type LogText, type Spent } from "./search.ts";

/** An event, and where its line begins. */
export interface Placed {
  readonly at: number;
  readonly event: TraceEvent;
}

/** What is known of one life, in the order of the log. */
export interface Life {
  readonly message: number;
  /** 1: the newest of this number. */
  readonly life: number;
  readonly events: readonly Placed[];
}

/** One block's work after another; the value is how much of it was done in the end. */
export type Search<T> = Generator<void, T, undefined>;

/** The event of a line, if it is one of the log's. */
export function placed({ line, at }: Hit): Placed | undefined {
  const read = parseLogLine(line);
  return read === undefined ? undefined : { at, event: eventOf(read) };
}

/** Numbers looked for one by one; beyond that, every line about any message is looked at. */
const fewNumbers = 6;
/** A number of so many digits is hardly met by chance: one look for it is enough. */
const rareFrom = 10_000;

function wordsFor(messages: ReadonlySet<number>): readonly string[] {
  if (messages.size > fewNumbers) return ["msg ", `"msg":`];
  if ([...messages].every((message) => message >= rareFrom)) return Array.from(messages, String);
  return Array.from(messages, (message) => [
    ...[`msg ${message}`, `"msg":${message}`, `message=${message}`, `"message":${message}`],
    ...["local", "remote", "info", "todo", "mess", "bounce"].map((folder) => `${folder}/${message}`),
  ]).flat();
}

const mentions = /(?:msg |"msg":|message=|"message":|(?:local|remote|info|todo|mess|bounce)\/)([0-9]+)/g;

/** Whether a line may be about one of `messages`: cheaper than to read it. */
function mentionsOne(line: string, messages: ReadonlySet<number>): boolean {
  for (const [, number] of line.matchAll(mentions)) if (messages.has(Number(number))) return true;
  return false;
}

/** Events of one life at the most that are kept: a message to a hundred thousand has more. */
const mostKept = 20_000;

export interface FindOptions {
  /** Where in the log the search ends; default its beginning. */
  readonly from?: number;
  readonly spent: Spent;
  readonly limit: number;
  /**
   * The one life of each number that is wanted: of the others only one event is kept, and once it is found they are
   * counted no longer than until `spent` passes this other limit.
   */
  readonly wanted?: { readonly life: number; readonly limit: number };
}

export interface FoundLives {
  /** By number, the newest first. */
  readonly lives: ReadonlyMap<number, readonly Life[]>;
  /** Where the search ended. */
  readonly reached: number;
}

/**
 * The lives of `messages` from the newest line back to `from`, without what became of their deliveries. Stops when `spent`
 * passes `limit`.
 */
export function* findLives(
  log: LogText,
  messages: ReadonlySet<number>,
  { from = 0, spent, limit, wanted }: FindOptions,
): Search<FoundLives> {
  const found = new Map<number, Placed[][]>();
  /** Those whose next older event belongs to another life. */
  const closed = new Set<number>();
  let reached = log.size;
  const has = (life: number) =>
    [...messages].every((message) => (found.get(message)?.length ?? 0) - (closed.has(message) ? 0 : 1) >= life);
  for (const { hits, start } of backwards(log, wordsFor(messages), { from })) {
    for (const hit of hits) {
      const one = mentionsOne(hit.line, messages) ? placed(hit) : undefined;
      const message = one?.event.message;
      if (one === undefined || message === undefined || !messages.has(message)) continue;
      const lives = found.get(message) ?? [];
      found.set(message, lives);
      // What stands in front of its beginning is of another one that had its number; of the newest it may be lost.
      if (lives.length === 0 || closed.delete(message) || endsLife(one.event, lives.at(-1)!)) lives.push([]);
      const life = lives.at(-1)!;
      if (life.length < mostKept && (life.length === 0 || (wanted === undefined || lives.length === wanted.life))) {
        life.push(one);
      }
      if (one.event.kind === "new") closed.add(message);
    }
    reached = start;
    yield;
    if (spent() > (wanted !== undefined && has(wanted.life) ? wanted.limit : limit)) break;
  }
  return { lives: numbered(found), reached };
}

/** An end with something newer behind it: the beginning of that has been lost. Of its own life it is the last, but for commands. */
function endsLife({ kind }: TraceEvent, newer: readonly Placed[]): boolean {
  return kind === "end" && newer.some(({ event }) => event.kind !== "command");
}

function numbered(found: ReadonlyMap<number, readonly (readonly Placed[])[]>): ReadonlyMap<number, readonly Life[]> {
  return new Map(
    Array.from(found, ([message, lives]) => [
      message,
      lives.map((events, at): Life => ({ message, life: at + 1, events: events.toReversed() })),
    ]),
  );
}

/**
 * What became of the deliveries in `lives` and what protected them, from a text log: a JSON log names the message with
 * each. Answers the lives with those events put in their places.
 */
export function* withResults(
  log: LogText,
  lives: readonly Life[],
  spent: Spent,
  limit: number,
): Search<readonly Life[]> {
  const starts = lives.flatMap(({ events }, of) =>
    events.flatMap(({ at, event }) => numberedAlone.test(event.text) ? [{ at, event, of }] : [])
  ).sort((one, other) => one.at - other.at);
  const more = lives.map((): Placed[] => []);
  const open = new Map<number | undefined, (typeof starts)[number]>();
  for (let next = 0; next < starts.length;) {
    const from = starts[next]!.at;
    // With nothing open, what stands in front of the next beginning need not be read.
    search: for (const { hits } of forwards(log, ["delivery ", ...beginsAnew], { from, blockBytes: nearBytes })) {
      for (const hit of hits) {
        for (; next < starts.length && starts[next]!.at <= hit.at; next++) {
          open.set(starts[next]!.event.delivery, starts[next]!);
        }
        const one = isAbout(hit.line, open) ? placed(hit) : undefined;
        if (one !== undefined && isAnew(one.event)) open.clear();
        const { delivery, kind } = one?.event ?? {};
        const begun = open.get(delivery);
        if (one !== undefined && begun !== undefined && kind !== "starting") {
          const { message, recipient, channel } = begun.event;
          const about = { message, channel, ...(kind === "tls" ? {} : { recipient }) };
          more[begun.of]!.push({ at: one.at, event: { ...one.event, ...about } as TraceEvent });
          if (kind !== "tls") open.delete(delivery);
        }
        if (open.size === 0 && (next === starts.length || starts[next]!.at > hit.at)) break search;
      }
      yield;
      if (spent() > limit) return joined(lives, more);
    }
    yield;
    if (spent() > limit) break;
    // What is still open has not ended in this log; nothing of it stands in front of the next beginning.
    open.clear();
    while (next < starts.length && starts[next]!.at <= from) next++;
  }
  return joined(lives, more);
}

/** Most deliveries end this near to their beginning. */
const nearBytes = 128 * 1024;

/** The beginning of a delivery whose end will be told by its own number alone. */
const numberedAlone = /^starting delivery [0-9]+: /;

/** An orderly end or a death of qmail-send: deliveries are numbered from 1 again. */
const beginsAnew = ["status: exiting", "component=qmail-send"] as const;

function isAnew({ component, text }: TraceEvent): boolean {
  return component === "qmail-send" ? text === "status: exiting" : component === "supervisor" && /^restart /.test(text);
}

/** Whether a line is worth reading: it ends everything, or is about a delivery that is open. */
function isAbout(line: string, open: ReadonlyMap<number | undefined, unknown>): boolean {
  if (beginsAnew.some((words) => line.includes(words))) return true;
  const number = /delivery ([0-9]+):/.exec(line)?.[1];
  return number !== undefined && open.has(Number(number));
}

function joined(lives: readonly Life[], more: readonly (readonly Placed[])[]): readonly Life[] {
  return lives.map((life, at) => ({ ...life, events: inOrder([...life.events, ...more[at]!]) }));
}

/** By place in the log. */
export function inOrder(events: readonly Placed[]): readonly Placed[] {
  return events.toSorted((one, other) => one.at - other.at);
}

/** A life in a few words. */
export function summaryOf({ message, life, events }: Life): LifeSummary {
  const all = events.map(({ event }) => event);
  const info = all.find(({ kind }) => kind === "info");
  const recipients = new Set(all.flatMap(({ recipient }) => recipient === undefined ? [] : [recipient]));
  const count = (wanted: TraceEvent["kind"]) => all.filter(({ kind }) => kind === wanted).length;
  return {
    message,
    life,
    ...(info?.qp === undefined ? {} : { qp: info.qp }),
    ...(info?.sender === undefined ? {} : { sender: info.sender }),
    recipients: [...recipients].slice(0, mostSummaryRecipients),
    recipientCount: recipients.size,
    ...(info?.bytes === undefined ? {} : { bytes: info.bytes }),
    firstMs: all[0]?.atMs ?? 0,
    lastMs: all.at(-1)?.atMs ?? 0,
    ended: all.some(({ kind }) => kind === "end"),
    delivered: count("delivered"),
    deferred: count("deferral"),
    failed: count("failure"),
  };
}
