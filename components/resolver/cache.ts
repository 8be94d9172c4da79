/**
 * Answers remembered for as long as they hold, at most so many and so much of them: when it is full, the answer that
 * nobody has asked for the longest goes. Time is an argument.
 * @module
 */
import type { ResolveReply } from "../lib/wire/resolver_protocol.ts";
import type { Answer } from "./lookup.ts";
import type { Question } from "./packet.ts";

interface Entry {
  readonly reply: ResolveReply;
  readonly untilMs: number;
  readonly octets: number;
}

export interface CacheLimits {
  readonly entries: number;
  /** Of keys and values, with {@link entryOctets} an answer and {@link recordOctets} a record: about the memory it takes. */
  readonly octets: number;
}

export const entryOctets = 200;
export const recordOctets = 50;
const defaultLimits: CacheLimits = { entries: 10_000, octets: 32 * 1024 * 1024 };

const longestPositiveSeconds = 86_400;
const longestNegativeSeconds = 3600;

/** One text for one question; a type has no blank in it. */
export function keyOf(question: Question): string {
  return `${question.type} ${question.name}`;
}

function secondsToKeep({ reply, ttlSeconds }: Answer): number {
  return Math.min(ttlSeconds, reply.status === "ok" ? longestPositiveSeconds : longestNegativeSeconds);
}

function octetsOf(key: string, reply: ResolveReply): number {
  const names = key.length + (reply.canonical?.length ?? 0);
  return reply.records.reduce((sum, record) => sum + record.value.length + recordOctets, names + entryOctets);
}

/** The answers by {@link keyOf}. */
export class AnswerCache {
  readonly #limits: CacheLimits;
  /** In the order of last use, the oldest first: a Map keeps the order of insertion. */
  readonly #entries = new Map<string, Entry>();
  #octets = 0;

  constructor(limits: CacheLimits = defaultLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, nowMs: number): ResolveReply | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.untilMs <= nowMs) {
      this.#drop(key, entry);
      return undefined;
    }
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.reply;
  }

  /** Remembers an answer for its TTL: a day at the most, a "no" an hour; with TTL 0 not at all. */
  put(key: string, answer: Answer, nowMs: number): void {
    const old = this.#entries.get(key);
    if (old !== undefined) this.#drop(key, old);
    const seconds = secondsToKeep(answer);
    if (seconds <= 0) return;
    const entry = { reply: answer.reply, untilMs: nowMs + seconds * 1000, octets: octetsOf(key, answer.reply) };
    this.#entries.set(key, entry);
    this.#octets += entry.octets;
    for (const [oldest, its] of this.#entries) {
      if (this.#entries.size <= this.#limits.entries && this.#octets <= this.#limits.octets) break;
      this.#drop(oldest, its);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#octets = 0;
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#octets -= entry.octets;
  }
}
