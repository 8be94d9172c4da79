/** A journal on a disk in memory, its clock, and what the tests of it ask. @module */
import { assert } from "@std/assert";
import type { Disk, DiskFile } from "../../../components/lib/disk/disk.ts";
import { journalSegment } from "../../../components/lib/queue/layout.ts";
import { recordBytes } from "../../../components/lib/queue/journal/record.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import type { Entry, NewRecord } from "../../../components/qmail-queue/journal/entry.ts";
import { Journal, type JournalOptions } from "../../../components/qmail-queue/journal/journal.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import type { FakeDisk } from "../../support/fake_disk.ts";
import { emptyQueue, home } from "../../support/queue_disk.ts";

export const envelope = toOctets("u0\0p1\0F\0Tamy@a.example\0");

/** A record of so many octets. */
export function newRecord(bytes = 200, text = ""): NewRecord {
  const content = toOctets(text.padEnd(bytes - recordBytes(envelope, []), "x"));
  return { birthSeconds: 1_795_333_684, envelope, content: [content], mess: undefined };
}

/** A clock, a disk, and the journals opened on it. */
export function world() {
  const clock = new FakeClock();
  const disk = emptyQueue(() => clock.seconds);
  const troubles: unknown[] = [];
  const vacated: Entry[][] = [];
  const open = (fields: Partial<JournalOptions> = {}, on: Disk = disk): Promise<Journal> =>
    Journal.open(on, home, {
      segment: { bytes: 4096, records: 16 },
      segments: 3,
      numbers: { ready: 1, most: 64, breathe: () => Promise.resolve() },
      onTrouble: (error) => troubles.push(error),
      onVacate: (entries) => vacated.push([...entries]),
      nowMs: () => Date.now(),
      gather: () => Promise.resolve(),
      // A sync takes its time here, for one record as for many.
      soon: { one: 0, many: 0.5 },
      ...fields,
    });
  return { clock, disk, troubles, vacated, open, [Symbol.dispose]: () => clock[Symbol.dispose]() };
}

export const append = (journal: Journal, bytes?: number, text?: string): Promise<Entry> => {
  const appended = journal.append(newRecord(bytes, text));
  assert(appended !== undefined, "there is no room");
  return appended;
};
export const textOf = (journal: Journal, entry: Entry) => fromOctets(journal.read(entry).content).replace(/x*$/, "");
export const serials = (journal: Journal) => journal.entries().map(({ serial }) => serial);
export const segmentSync = (n: number) => `sync ${journalSegment(home, n)}`;
export const marksSync = (n: number) => `sync ${journalSegment(home, n)}.done`;
/** The number of the next operation that is this one. */
export const failNext = (disk: FakeDisk, ahead: number, code = "EIO") =>
  disk.failAt(disk.operations.length + ahead, code);

/** A disk whose segments' syncs wait until they are let go. */
export function holding(disk: FakeDisk): { readonly disk: Disk; release(): void; readonly syncs: () => number } {
  let release = () => {};
  const gate = new Promise<void>((resolve) => release = resolve);
  let syncs = 0;
  const held = (path: string, file: DiskFile): DiskFile => {
    if (!/\/journal\/\d+$/.test(path)) return file;
    const sync = async () => {
      syncs++;
      await gate;
      await file.sync();
    };
    return { ...file, sync };
  };
  const names = [
    "openEmpty",
    "openAppend",
    "readFile",
    "stat",
    "link",
    "rename",
    "remove",
    "setMtime",
    "list",
  ] as const;
  const bound = [...names, "listLong", "syncDir", "create"] as const;
  const others = Object.fromEntries(bound.map((name) => [name, disk[name].bind(disk)])) as unknown as Disk;
  return {
    disk: { ...others, openWrite: (path) => held(path, disk.openWrite(path)) },
    release,
    syncs: () => syncs,
  };
}

/** A journal with one record whose sync runs until it is let go. */
export async function whileSyncing(here: ReturnType<typeof world>) {
  // Its segments are made before: what is held is the record's sync.
  await (await here.open()).close();
  const slow = holding(here.disk);
  const journal = await here.open({}, slow.disk);
  const first = append(journal);
  await here.clock.settle();
  return { journal, slow, first };
}
