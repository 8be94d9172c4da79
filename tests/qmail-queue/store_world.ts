/**
 * A store of qmail-queue's over a queue in memory, and messages in it.
 * @module
 */
import { type JournalMessage, smallMessageBytes } from "../../components/lib/wire/queue_protocol.ts";
import { Journal, type JournalOptions } from "../../components/qmail-queue/journal/journal.ts";
import { QueueStore } from "../../components/qmail-queue/store.ts";
import { captureLog } from "../support/captured_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import type { FakeDisk } from "../support/fake_disk.ts";
import { emptyQueue, home } from "../support/queue_disk.ts";
import { envelopeOf, textOf } from "./lives.ts";

/** A store over a queue in memory, with what qmail-send is told. */
export async function world(fields: Partial<JournalOptions> = {}) {
  const clock = new FakeClock();
  const log = captureLog();
  const disk = emptyQueue(() => clock.seconds);
  const open = (on: FakeDisk) =>
    Journal.open(on, home, {
      segment: { bytes: 256 * 1024, records: 100 },
      segments: 2,
      numbers: { ready: 1, most: 64, breathe: () => Promise.resolve() },
      onTrouble: () => {},
      onVacate: () => {},
      nowMs: () => Date.now(),
      gather: () => Promise.resolve(),
      ...fields,
    });
  const journal = await open(disk);
  const told: { todo: number[]; journal: JournalMessage[] } = { todo: [], journal: [] };
  const store = new QueueStore(disk, home, journal, {
    todo: (id) => void told.todo.push(id),
    journal: (message) => void told.journal.push(message),
  });
  const end = () => {
    log[Symbol.dispose]();
    clock[Symbol.dispose]();
  };
  return { clock, log, disk, journal, told, store, open, [Symbol.dispose]: end };
}

/** Accepts a small one; answers what qmail-send was told of it. */
export async function accept(here: Awaited<ReturnType<typeof world>>, name: string): Promise<JournalMessage> {
  await here.store.accept(envelopeOf(name), textOf(name, 300));
  return here.told.journal.at(-1)!;
}

/** The same for one whose text is in mess. */
export async function acceptLarge(here: Awaited<ReturnType<typeof world>>, name: string): Promise<JournalMessage> {
  await here.store.accept(envelopeOf(name), textOf(name, smallMessageBytes + 1));
  return here.told.journal.at(-1)!;
}
