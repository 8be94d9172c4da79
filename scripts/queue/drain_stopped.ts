/**
 * The journal of a stopped system emptied: what qmail-queue does at qmail-send's word, done here with its code. Every
 * message becomes S4 with qmail's bytes, and what is left of the journal goes.
 * @module
 */
import { breathe } from "../../components/lib/process/breathe.ts";
import type { Home } from "../../config/home.ts";
import { type Disk, realDisk } from "../../components/lib/disk/disk.ts";
import { describeError } from "../../components/lib/log/log.ts";
import { Journal } from "../../components/qmail-queue/journal/journal.ts";
import { removeLeftovers } from "../../components/qmail-queue/leftovers.ts";
import { finishMoves } from "../../components/qmail-queue/finish_moves.ts";
import { QueueStore } from "../../components/qmail-queue/store.ts";
import { lockQueue, type StoppedQueue } from "./running.ts";

/** What is made here is qmail-queue's, also where root makes it. */
function ownedDisk(disk: Disk, owner: StoppedQueue["owner"]): Disk {
  if (owner === undefined) return disk;
  return {
    ...disk,
    create: (path, mode) => {
      const file = disk.create(path, mode);
      Deno.chownSync(path, owner.uid, owner.gid);
      Deno.chmodSync(path, mode);
      return file;
    },
  };
}

/** Marks a side file may hold: as many as qmail-queue gives it. */
const segmentRecords = 8192;

/** Answers how many messages were moved. Throws where somebody works there, or where one could not be moved. */
export async function drainStopped(home: Home): Promise<number> {
  using queue = await lockQueue(home);
  return await emptyJournal(ownedDisk(realDisk(), queue.owner), home);
}

/** The same in a queue that is nobody else's. A crash on the way leaves every message once: call it again. */
export async function emptyJournal(disk: Disk, home: Home): Promise<number> {
  const troubles: unknown[] = [];
  removeLeftovers(disk, home);
  const journal = await Journal.open(disk, home, {
    // Nothing is appended: no segment grows, none is made.
    segment: { bytes: 0, records: segmentRecords },
    segments: 0,
    numbers: { ready: 0, most: 4096, breathe },
    onTrouble: (error) => troubles.push(error),
    onVacate: () => {},
    nowMs: () => Date.now(),
    gather: () => Promise.resolve(),
  });
  const store = new QueueStore(disk, home, journal, { todo: () => {}, journal: () => {} });
  let moved = 0;
  try {
    await finishMoves(disk, home, journal);
    for (const { serial, id } of journal.entries()) if (await store.move(serial, id)) moved++;
  } finally {
    await journal.close();
  }
  if (journal.size > 0) throw new Error(`${journal.size} messages could not be moved (said above); ${moved} were`);
  if (troubles.length > 0) throw new Error(`the journal stays: ${describeError(troubles[0])}`);
  await removeJournal(disk, home);
  return moved;
}

async function removeJournal(disk: Disk, home: Home): Promise<void> {
  const folder = home.queue("journal");
  const names = disk.list(folder);
  // A segment without its marks would be a segment full of messages: the marks go last, the power may fail in between.
  for (const name of names.filter((name) => /^[0-9]+$/.test(name))) disk.remove(`${folder}/${name}`);
  await disk.syncDir(folder);
  for (const name of names.filter((name) => /^[0-9]+\.done$/.test(name))) disk.remove(`${folder}/${name}`);
  const numbers = `${folder}/numbers`;
  for (const name of disk.list(numbers)) disk.remove(`${numbers}/${name}`);
  await disk.syncDir(folder);
}
