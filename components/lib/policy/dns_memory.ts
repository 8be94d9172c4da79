/**
 * Answers of the DNS kept for a minute: the rules ask again for every recipient, and those that were answered should be
 * answered at once. Failures are not kept.
 * @module
 */
import type { RecordType } from "../wire/resolver_protocol.ts";
import type { DnsAnswer, Soon } from "./oracles.ts";

const keptMs = 60_000;
const mostKept = 10_000;

export class DnsMemory {
  readonly #ask: (name: string, type: RecordType) => Soon<DnsAnswer>;
  readonly #nowMs: () => number;
  readonly #answers = new Map<string, { readonly answer: DnsAnswer; readonly untilMs: number }>();

  /** `nowMs` goes forward only. */
  constructor(ask: (name: string, type: RecordType) => Soon<DnsAnswer>, nowMs: () => number) {
    this.#ask = ask;
    this.#nowMs = nowMs;
  }

  /** An oracle's `dns`. */
  lookUp(name: string, type: RecordType): Soon<DnsAnswer> {
    const key = `${type} ${name}`;
    const kept = this.#answers.get(key);
    if (kept !== undefined && kept.untilMs > this.#nowMs()) return kept.answer;
    const answer = this.#ask(name, type);
    if (!(answer instanceof Promise)) return this.#keep(key, answer);
    return answer.then((known) => this.#keep(key, known));
  }

  #keep(key: string, answer: DnsAnswer): DnsAnswer {
    if (answer.kind === "failure") return answer;
    // All of them are old soon: none is looked for to make room.
    if (this.#answers.size >= mostKept) this.#answers.clear();
    this.#answers.set(key, { answer, untilMs: this.#nowMs() + keptMs });
    return answer;
  }
}
