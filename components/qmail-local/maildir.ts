/**
 * Delivery into a Maildir: written under tmp, synced, renamed into new, and new's entries synced; only then is it there
 * to stay. A reader never sees a part of a message.
 * @module
 */
import type { Disk } from "../lib/disk/disk.ts";
import type { Pieces } from "./message_pieces.ts";

/** What makes a file's name unique: never the same twice. */
export interface UniqueName {
  readonly unixSeconds: number;
  readonly microseconds: number;
  readonly pid: number;
  /** Deliveries of this process so far. */
  readonly serial: number;
  readonly hostName: string;
}

/** `<time>.M<usec>P<pid>Q<n>.<host>`; `/` and `:` of the host are written `\057` and `\072`. */
export function uniqueName({ unixSeconds, microseconds, pid, serial, hostName }: UniqueName): string {
  const host = hostName.replaceAll("/", "\\057").replaceAll(":", "\\072");
  return `${unixSeconds}.M${microseconds}P${pid}Q${serial}.${host}`;
}

/** So long a message may take to come, piece by piece (qmail's limit). */
export const maildirLimitMs = 86_400_000;

/** The message took longer than {@link maildirLimitMs}. */
export class MaildirTimeout extends Error {
  override name = "MaildirTimeout";
}

/** `pieces`, of which the last has to come within `limitMs`; else iterating throws {@link MaildirTimeout}. */
export function within(pieces: Pieces, limitMs: number): Pieces {
  return Symbol.asyncIterator in pieces ? limited(pieces, limitMs) : pieces;
}

async function* limited(
  pieces: AsyncIterable<Uint8Array>,
  limitMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new MaildirTimeout(`no end after ${limitMs} ms`)), limitMs);
  });
  late.catch(() => {});
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), late]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Delivers `pieces` as `name`; throws what the disk says, and then nothing stays in new or tmp. */
export async function deliverToMaildir(
  disk: Disk,
  maildir: string,
  name: string,
  pieces: Pieces,
): Promise<void> {
  const tmpPath = `${maildir}/tmp/${name}`;
  const newPath = `${maildir}/new/${name}`;
  const file = disk.create(tmpPath, 0o600);
  try {
    try {
      if (Symbol.asyncIterator in pieces) { for await (const piece of pieces) file.write(piece); }
      else for (const piece of pieces) file.write(piece);
      await file.sync();
    } finally {
      file.close();
    }
    disk.rename(tmpPath, newPath);
    await disk.syncDir(`${maildir}/new`);
  } catch (error) {
    disk.remove(tmpPath);
    // It will be delivered again: a copy that may not outlast a crash is none.
    disk.remove(newPath);
    throw error;
  }
}
