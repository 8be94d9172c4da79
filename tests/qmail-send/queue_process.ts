/**
 * A qmail-queue of the tests: the real store and journal on a {@link Process}'s disk, with segments so small that they
 * are soon full, and in place of its socket to qmail-send a line.
 * @module
 */
import { Journal } from "../../components/qmail-queue/journal/journal.ts";
import { removeLeftovers } from "../../components/qmail-queue/leftovers.ts";
import { finishMoves } from "../../components/qmail-queue/finish_moves.ts";
import { type Notify, QueueStore } from "../../components/qmail-queue/store.ts";
import { toOctets } from "../../components/lib/octets.ts";
import type {
  EnvelopeFields,
  JournalMessage,
  QueueNotice,
  SendRequest,
} from "../../components/lib/wire/queue_protocol.ts";
import { home } from "../support/queue_disk.ts";
import type { Process } from "./process.ts";

export class QueueProcess implements Notify {
  readonly process: Process;
  readonly #moves = new Set<Promise<void>>();
  #journal: Journal | undefined;
  #store: QueueStore | undefined;
  /** Where notices go; undefined: qmail-send is away. */
  tell: ((notice: QueueNotice) => void) | undefined;

  constructor(process: Process) {
    this.process = process;
  }

  /** Opens the journal of up to `segments`, as run.ts does. Throws what the disk says. */
  start(segments: number): Promise<void> {
    return this.process.run(async () => {
      removeLeftovers(this.process, home);
      const journal = await Journal.open(this.process, home, {
        segment: { bytes: 4096, records: 16 },
        segments,
        numbers: { ready: 4, most: 64, breathe: () => Promise.resolve() },
        onTrouble: () => {},
        onVacate: (entries) =>
          this.#say({
            op: "vacate",
            serials: entries.map(({ serial }) => serial),
            messages: entries.map(({ id }) => id),
          }),
        nowMs: () => Date.now(),
        gather: () => Promise.resolve(),
      });
      await finishMoves(this.process, home, journal);
      this.#journal = journal;
      this.#store = new QueueStore(this.process, home, journal, this);
    });
  }

  get store(): QueueStore {
    return this.#store!;
  }

  /** Settles when the message is ours; never when the process dies over it. */
  async accept(envelope: Omit<EnvelopeFields, "origin" | "uid">, text: string): Promise<void> {
    await this.process.run(() => this.store.accept({ origin: "network", uid: 7791, ...envelope }, toOctets(text)));
  }

  todo(id: number): void {
    this.#say({ op: "todo", messages: [id] });
  }

  journal(message: JournalMessage): void {
    this.#say({ op: "journal", entries: [message] });
  }

  /** Asks for the room of all that is in the journal. */
  vacateAll(): void {
    const entries = this.#journal!.entries();
    this.#say({
      op: "vacate",
      serials: entries.map(({ serial }) => serial),
      messages: entries.map(({ id }) => id),
    });
  }

  /** A connection to qmail-send stands. */
  connected(): void {
    this.process.run(() => {
      for (const message of this.store.journalMessages()) this.journal(message);
    });
  }

  take(request: SendRequest): void {
    switch (request.op) {
      case "writing":
        return this.#say({ op: "abandoned", messages: this.store.abandoned(request.messages) });
      case "done":
        this.store.done(request.serials);
        return this.#say({ op: "settled", serials: request.serials });
      case "move": {
        const { serial, message } = request;
        const moved = this.store.move(serial, message).then((ok) => this.#say({ op: "moved", serial, ok })).finally(
          () => this.#moves.delete(moved),
        );
        return void this.#moves.add(moved);
      }
      case "accepting":
        this.store.accepting = request.accepting;
    }
  }

  async stop(): Promise<void> {
    this.tell = undefined;
    await this.process.run(async () => {
      await Promise.all(this.#moves);
      await this.#journal!.close();
    });
    this.process.kill();
  }

  #say(notice: QueueNotice): void {
    if (!this.process.dead) this.tell?.(structuredClone(notice));
  }
}
