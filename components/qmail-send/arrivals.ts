/**
 * New messages between their notice and their first attempt: told of by number (they are in todo) or with their envelope
 * (they are in the journal), more than once perhaps, and more than are to be held at a time.
 * @module
 */
import { log } from "../lib/log/log.ts";
import type { Result } from "../lib/result.ts";
import type { Message, NewMessage } from "./message.ts";
import { troubleSeconds } from "./timing.ts";

/** A message of the journal that waits to be begun. */
export type JournalMessage = NewMessage & { readonly place: NonNullable<NewMessage["place"]> };

export interface ArrivalEvents {
  /** The message in memory of this number. */
  known(id: number): Message | undefined;
  /** Whether another first attempt may begin. */
  hasRoom(): boolean;
  /** `undefined`: it is gone. Its other files are pieces and go first where `scanned`, for nobody told of it. */
  readTodo(id: number, scanned: boolean): Result<NewMessage, string> | undefined;
  begin(message: NewMessage): void;
  /** Whether a message of the journal needs nothing any more. */
  isDone(serial: number): boolean;
  /** Puts a message of the journal into todo; false: not now. */
  move(serial: number, id: number): Promise<boolean>;
}

/** A full disk is worth another look soon. */
const moveAgainMs = 5000;
/** Messages of the journal that wait in memory. */
const mostWaiting = 10_000;

export class Arrivals {
  readonly #events: ArrivalEvents;
  /** In todo; true: found there by a scan. */
  readonly #todo = new Map<number, boolean>();
  readonly #journal = new Map<number, JournalMessage>();
  /** Noticed while a message of the same number was still ending. */
  readonly #again = new Map<number, JournalMessage | "todo">();
  /** In todo, but not readable: they wait to be tried again. */
  readonly #unreadable = new Set<number>();
  /** On their way out of the journal, by number; none of them is begun before it is known where it stands. */
  readonly #moving = new Map<number, number>();
  #beginning = false;

  constructor(events: ArrivalEvents) {
    this.#events = events;
  }

  get size(): number {
    return this.#todo.size + this.#journal.size + this.#moving.size;
  }

  /** Whether a message of this number waits in todo, or is on its way there. */
  has(id: number): boolean {
    return this.#todo.has(id) || this.#moving.has(id);
  }

  /** These are in todo; `scanned`: looked up there. */
  todo(ids: readonly number[], scanned = false): void {
    for (const id of ids) {
      if (this.#moving.has(id)) continue;
      if (this.#events.known(id) === undefined) this.#todo.set(id, scanned || this.#todo.get(id) === true);
      else if (!scanned) this.#again.set(id, "todo");
    }
    this.beginMore();
  }

  /** These are in the journal. */
  journal(entries: readonly JournalMessage[]): void {
    for (const entry of entries) {
      const { serial } = entry.place;
      const known = this.#events.known(entry.id);
      // Told of once more, because one of the two processes was away.
      const isKnown = known?.place?.serial === serial || this.#moving.get(entry.id) === serial;
      if (isKnown || this.#events.isDone(serial)) continue;
      if (known !== undefined) this.#again.set(entry.id, entry);
      else if (this.#journal.size < mostWaiting || this.#journal.has(serial)) this.#journal.set(serial, entry);
      else void this.#moveAway(entry);
    }
    this.beginMore();
  }

  /** The message in memory of this number is gone. */
  ended(id: number): void {
    const next = this.#again.get(id);
    if (next === undefined) return;
    this.#again.delete(id);
    if (next === "todo") this.todo([id]);
    else this.journal([next]);
  }

  /** Puts a message of the journal that waits here into todo; false: it does not wait here. */
  vacate(serial: number): boolean {
    const entry = this.#journal.get(serial);
    if (entry !== undefined) void this.#moveAway(entry);
    return entry !== undefined;
  }

  /** Those of the journal that wait here. */
  journalMessages(): Iterable<JournalMessage> {
    return this.#journal.values();
  }

  get journalSize(): number {
    return this.#journal.size + this.#moving.size;
  }

  /** Begins this one out of its turn; false: it does not wait here. */
  beginNow(id: number): boolean {
    const scanned = this.#todo.get(id);
    if (scanned !== undefined) {
      this.#todo.delete(id);
      this.#read(id, scanned);
      return true;
    }
    for (const [serial, entry] of this.#journal) {
      if (entry.id !== id) continue;
      this.#journal.delete(serial);
      this.#events.begin(entry);
      return true;
    }
    return false;
  }

  /** Begins first attempts while there is room. */
  beginMore(): void {
    // What is begun may end at once, and whoever ends comes here: not deeper and deeper.
    if (this.#beginning) return;
    this.#beginning = true;
    try {
      this.#beginWhileRoom();
    } finally {
      this.#beginning = false;
    }
  }

  #beginWhileRoom(): void {
    for (const [serial, entry] of this.#journal) {
      if (!this.#events.hasRoom()) return;
      this.#journal.delete(serial);
      this.#events.begin(entry);
    }
    for (const [id, scanned] of this.#todo) {
      if (!this.#events.hasRoom()) return;
      this.#todo.delete(id);
      this.#read(id, scanned);
    }
  }

  #read(id: number, scanned: boolean): void {
    const read = this.#events.readTodo(id, scanned);
    if (read === undefined) return;
    if (read.ok) return this.#events.begin(read.value);
    log(`warning: unable to read todo/${id}: ${read.error}; will try again later`);
    // However often it is noticed until then, it is tried again once.
    if (this.#unreadable.has(id)) return;
    this.#unreadable.add(id);
    setTimeout(() => {
      this.#unreadable.delete(id);
      this.todo([id], scanned);
    }, troubleSeconds * 1000);
  }

  async #moveAway(entry: JournalMessage): Promise<void> {
    const { id, place: { serial } } = entry;
    this.#journal.delete(serial);
    this.#moving.set(id, serial);
    const settle = (next: () => void) => {
      this.#moving.delete(id);
      next();
    };
    if (await this.#events.move(serial, id)) settle(() => this.todo([id]));
    else setTimeout(() => settle(() => this.journal([entry])), moveAgainMs);
  }
}
