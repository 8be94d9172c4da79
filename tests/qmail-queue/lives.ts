/**
 * A qmail-queue on a disk in memory that lives through a scenario, and what is known of each message meanwhile; then the
 * question whether a disk holds what was promised.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { parseTodo } from "../../components/lib/queue/envelope.ts";
import { queueFile, queueFolder } from "../../components/lib/queue/layout.ts";
import { formatMessageOptions } from "../../components/lib/queue/message_options.ts";
import { parseOptionsFile } from "../../components/lib/queue/options_file.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import {
  type EnvelopeFields,
  type JournalMessage,
  smallMessageBytes,
} from "../../components/lib/wire/queue_protocol.ts";
import { removalOrder } from "../../components/qmail-clean/removal.ts";
import type { CleanOp } from "../../components/lib/wire/clean_protocol.ts";
import { Journal, type JournalOptions } from "../../components/qmail-queue/journal/journal.ts";
import { removeLeftovers } from "../../components/qmail-queue/leftovers.ts";
import { finishMoves } from "../../components/qmail-queue/finish_moves.ts";
import { QueueStore } from "../../components/qmail-queue/store.ts";
import type { FakeClock } from "../support/fake_clock.ts";
import type { FakeDisk } from "../support/fake_disk.ts";
import { home, queued } from "../support/queue_disk.ts";

/**
 * What was promised about a message. `asked`: nobody heard whether it was taken. `unsure`: done, but the disk did not take
 * the mark. `gone`: done, and its mark is on stable storage.
 */
export type Fate = "asked" | "accepted" | "refused" | "unsure" | "done" | "gone";

/** So often each may be found after the process's end, and after the power's. */
const afterKill: Record<Fate, readonly number[]> = {
  asked: [0, 1],
  accepted: [1],
  refused: [0],
  unsure: [0, 1],
  done: [0],
  gone: [0],
};
/** A refused one's record may outlive the power, and the mark against it not: its sender, who tries again, sends it twice. */
const afterPower: Record<Fate, readonly number[]> = { ...afterKill, refused: [0, 1], done: [0, 1] };

export const promises = { afterKill, afterPower };

/** With names that begin so come messages whose sender asked for something. */
const asking = /^[bdelx]/;

export function optionsOf(name: string): string | undefined {
  if (!asking.test(name)) return undefined;
  const recipients = new Map([[0, { orcpt: `rfc822;${name}+\n` }]]);
  return formatMessageOptions({ ret: "HDRS", envid: name, requireTls: true, recipients }, [`${name}@b.example`]);
}

export function envelopeOf(name: string, recipients = [`${name}@b.example`]): EnvelopeFields {
  const options = optionsOf(name);
  return {
    ...{ origin: "network", uid: 7, sender: "amy@a.example", recipients },
    ...options === undefined ? undefined : { options },
  };
}

export function textOf(name: string, sizeBytes: number): Uint8Array {
  return toOctets(`Subject: ${name}\n\n`.padEnd(sizeBytes - 1, "x") + "\n");
}

/** A journal of segments that hold a few small messages. */
export function tinyJournal(onTrouble: (error: unknown) => void): JournalOptions {
  return {
    segment: { bytes: 4096, records: 16 },
    segments: 3,
    numbers: { ready: 1, most: 64, breathe: () => Promise.resolve() },
    onTrouble,
    onVacate: () => {},
    nowMs: () => Date.now(),
    gather: () => Promise.resolve(),
  };
}

/** What the next qmail-queue does first. */
export async function openQueue(disk: FakeDisk, options: JournalOptions): Promise<Journal> {
  removeLeftovers(disk, home);
  const journal = await Journal.open(disk, home, options);
  await finishMoves(disk, home, journal);
  return journal;
}

interface Known {
  fate: Fate;
  readonly sizeBytes: number;
  /** As qmail-send was told. */
  id?: number;
  serial?: number;
}

export class Lives {
  readonly disk: FakeDisk;
  readonly clock: FakeClock;
  readonly known = new Map<string, Known>();
  #journal: Journal | undefined;
  #store: QueueStore | undefined;
  /** Moved, but the mark against the record may not be on stable storage. */
  readonly #doubted = new Set<string>();
  #troubles = 0;

  constructor(disk: FakeDisk, clock: FakeClock) {
    this.disk = disk;
    this.clock = clock;
  }

  /** A process that cannot start is started again. */
  async start(): Promise<void> {
    for (let tries = 0; tries < 2 && this.#store === undefined; tries++) {
      try {
        this.#journal = await openQueue(this.disk, tinyJournal(() => this.#troubles++));
        this.#store = new QueueStore(this.disk, home, this.#journal, {
          journal: (message) => this.#told(message),
          todo: () => {},
        });
      } catch {
        this.#troubles++;
      }
    }
  }

  async stop(): Promise<void> {
    await this.#journal?.close().catch(() => {});
    this.#end();
  }

  /** The process is killed while it does nothing. */
  async kill(): Promise<void> {
    await this.clock.settle();
    this.#end();
  }

  async accept(...messages: readonly { readonly name: string; readonly sizeBytes: number }[]): Promise<void> {
    await Promise.all(messages.map(({ name, sizeBytes }) =>
      this.#accepting(name, sizeBytes, async (store) => {
        await store.accept(envelopeOf(name), textOf(name, sizeBytes));
      })
    ));
  }

  /** One that comes in pieces. */
  acceptLarge(name: string): Promise<void> {
    const sizeBytes = smallMessageBytes + 1;
    return this.#accepting(name, sizeBytes, async (store) => {
      const { draft, qp } = store.begin("network", 7);
      try {
        const text = textOf(name, sizeBytes);
        for (const piece of [text.subarray(0, 1000), text.subarray(1000)]) store.write(draft, piece);
      } catch (error) {
        store.abort(draft);
        throw error;
      }
      await store.commit(draft, qp, envelopeOf(name));
    });
  }

  done(...names: readonly string[]): void {
    // What has gone into the layout instead is not the journal's to end.
    const messages = names.map((name) => this.known.get(name)!).filter(({ fate, serial }) =>
      fate === "accepted" && serial !== undefined
    );
    const serials = messages.flatMap(({ serial }) => serial ?? []);
    this.#settling(messages, "done", () => this.#store?.done(serials));
  }

  /** Longer than marks wait for their sync. */
  async second(): Promise<void> {
    const troubles = this.#troubles;
    await this.clock.advance(1.1);
    if (this.#troubles > troubles || this.disk.stopped || this.#store === undefined) return;
    for (const message of this.known.values()) if (message.fate === "done") message.fate = "gone";
  }

  async move(name: string): Promise<void> {
    const message = this.known.get(name)!;
    if (message.fate !== "accepted" || message.serial === undefined) return;
    const troubles = this.#troubles;
    const moved = await this.#store?.move(message.serial, message.id!);
    if (moved !== true) return;
    if (this.#troubles > troubles) this.#doubted.add(name);
    delete message.serial;
  }

  /** All have a message that has moved: what qmail-clean does then, and the folders' entries on stable storage. */
  async clean(name: string): Promise<void> {
    const message = this.known.get(name)!;
    if (message.fate !== "accepted" || message.serial !== undefined || message.id === undefined) return;
    const { id } = message;
    message.fate = "unsure";
    try {
      const remove = (op: CleanOp) => removalOrder(op).forEach((dir) => this.disk.remove(queueFile(home, dir, id)));
      if (optionsOf(name) === undefined) remove("done");
      else {
        // As qmail-send has it done: it must not come back without what was asked for.
        remove("todo");
        await this.disk.syncDir(home.queue("todo"));
        remove("foop");
      }
      if (!this.disk.stopped && !this.#doubted.has(name)) message.fate = "done";
      for (const dir of [home.queue("todo"), home.queue("intd"), queueFolder(home, "mess", id)]) {
        await this.disk.syncDir(dir);
      }
      if (!this.disk.stopped && message.fate === "done") message.fate = "gone";
    } catch {
      // It may come back.
    }
  }

  /** Moves all that is in the journal. */
  async moveAll(): Promise<void> {
    for (const { serial, id } of [...this.#store!.journalMessages()]) await this.#store!.move(serial, id);
  }

  /** A life after this one, on the disk that one left. */
  heir(disk: FakeDisk): Lives {
    const heir = new Lives(disk, this.clock);
    for (const [name, message] of this.known) heir.known.set(name, { ...message });
    return heir;
  }

  #end(): void {
    this.clock.dropTimers();
    this.#journal = undefined;
    this.#store = undefined;
  }

  async #accepting(name: string, sizeBytes: number, accept: (store: QueueStore) => Promise<void>): Promise<void> {
    const message: Known = { fate: "asked", sizeBytes };
    this.known.set(name, message);
    if (this.#store === undefined) return;
    try {
      await accept(this.#store);
      message.fate = "accepted";
    } catch {
      if (!this.disk.stopped) message.fate = "refused";
    }
  }

  #settling(messages: readonly Known[], fate: Fate, act: () => void): void {
    const troubles = this.#troubles;
    for (const message of messages) message.fate = "unsure";
    if (this.#store === undefined) return;
    act();
    if (this.#troubles > troubles || this.disk.stopped) return;
    for (const message of messages) message.fate = fate;
  }

  #told({ id, serial, recipients }: JournalMessage): void {
    Object.assign(this.known.get(recipients[0]!.split("@")[0]!)!, { id, serial });
  }
}

interface Found {
  readonly id: number;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly text: string;
  readonly options: string | undefined;
}

/** Every message the next qmail-queue finds on `disk`. */
async function recovered(disk: FakeDisk, clock: FakeClock): Promise<Found[]> {
  const journal = await openQueue(
    disk,
    tinyJournal((error) => {
      throw error;
    }),
  );
  const inJournal = journal.entries().map((entry) => {
    const { envelope, options, content, messBytes } = journal.read(entry);
    const text = messBytes === undefined ? content : disk.readFile(queueFile(home, "mess", entry.id));
    const todo = parseTodo(envelope);
    assert(todo.ok);
    const { sender, recipients } = todo.value;
    return { id: entry.id, sender, recipients, text: fromOctets(text), options: options && fromOctets(options) };
  });
  clock.dropTimers();
  const inLayout = queued(disk).map((message) => {
    const { id, text = "" } = message;
    const path = queueFile(home, "options", id);
    const options = disk.exists(path) ? parseOptionsFile(disk.readFile(path), toOctets(text)) : undefined;
    return { ...message, text, options };
  });
  return [...inJournal, ...inLayout];
}

/** Throws where the next qmail-queue finds on `disk` something other than was promised. */
export async function checkPromises(
  { known, clock }: Lives,
  disk: FakeDisk,
  allowed: Record<Fate, readonly number[]>,
  when: string,
): Promise<void> {
  const found = await recovered(disk, clock);
  const counts = new Map<string, number>();
  for (const { id, sender, recipients, text, options } of found) {
    const name = recipients[0]?.split("@")[0] ?? "";
    const message = known.get(name);
    assert(message !== undefined, `${when}: ${name} was never sent`);
    assertEquals({ sender, recipients }, { sender: "amy@a.example", recipients: envelopeOf(name).recipients }, when);
    assertEquals(options, optionsOf(name), `${when}: ${name} is not asked what it was`);
    assert(text.endsWith(fromOctets(textOf(name, message.sizeBytes))), `${when}: ${name} is not whole`);
    assert(text.startsWith("Received: (qmail "), `${when}: ${name} has no beginning`);
    if (message.fate === "accepted") assertEquals(id, message.id ?? id, `${when}: ${name} has another number`);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  assertEquals(new Set(found.map(({ id }) => id)).size, found.length, `${when}: two have one number`);
  for (const [name, { fate }] of known) {
    const count = counts.get(name) ?? 0;
    assert(allowed[fate].includes(count), `${when}: ${name}, ${fate}, was found ${count} times`);
  }
}
