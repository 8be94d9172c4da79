/**
 * What a mail server has to have a disk do, and nothing else: no mail, no other process. A server cannot be faster than
 * that, in this runtime and on this disk.
 * @module
 */
import type { DiskOptions } from "./options.ts";

/** What was done in one run. */
export interface Done {
  readonly seconds: number;
  /** Files, records or deliveries. */
  readonly count: number;
}

const [kibibyte, mebibyte] = [1024, 1024 * 1024];
const messageBytes = 10 * kibibyte;

/** Each makes what it needs below `dir`, an empty folder, and begins to count when that is on the disk. */
export const works = {
  "files of 10 KiB, each synced": (options: DiskOptions, dir: string) =>
    newFiles(dir, options.files, messageBytes, options.writers),
  "files of 1 MiB, each synced": (options: DiskOptions, dir: string) =>
    newFiles(dir, Math.ceil(options.files / 10), mebibyte, options.writers),
  "records of 10 KiB into a file that is there, one sync for those of a round": records,
  "one text into each of the Maildirs: the file synced, renamed, its folder synced": maildirs,
} as const;

/** All of `count` are begun in order, and at most `atOnce` are under way. */
async function each(count: number, atOnce: number, one: (n: number) => Promise<void>): Promise<Done> {
  const beginMs = performance.now();
  let next = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (next < count) await one(next++);
  }));
  return { seconds: (performance.now() - beginMs) / 1000, count };
}

/** Text that no file system makes smaller. */
function randomText(bytes: number): Uint8Array {
  const text = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(text.subarray(at, at + 65_536));
  return text;
}

function makeFile(path: string, text: Uint8Array): Deno.FsFile {
  const file = Deno.openSync(path, { write: true, createNew: true });
  for (let at = 0; at < text.length;) at += file.writeSync(text.subarray(at));
  return file;
}

async function syncFolder(path: string): Promise<void> {
  using folder = Deno.openSync(path);
  await folder.sync();
}

async function newFiles(dir: string, count: number, bytes: number, writers: number): Promise<Done> {
  const text = randomText(bytes);
  return await each(count, writers, async (n) => {
    using file = makeFile(`${dir}/${n}`, text);
    await file.syncData();
  });
}

async function records({ files: count, writers }: DiskOptions, dir: string): Promise<Done> {
  const text = randomText(messageBytes);
  using file = makeFile(`${dir}/records`, randomText(messageBytes * writers));
  await file.sync();
  const rounds = Math.ceil(count / writers);
  const { seconds } = await each(rounds, 1, async () => {
    file.seekSync(0, Deno.SeekMode.Start);
    for (let n = 0; n < writers; n++) {
      for (let at = 0; at < text.length;) at += file.writeSync(text.subarray(at));
    }
    await file.syncData();
  });
  return { seconds, count: rounds * writers };
}

async function maildirs({ mailboxes, writers }: DiskOptions, dir: string): Promise<Done> {
  const text = randomText(messageBytes);
  for (let n = 0; n < mailboxes; n++) {
    for (const folder of ["tmp", "new"]) Deno.mkdirSync(`${dir}/${n}/${folder}`, { recursive: true });
  }
  await syncFolder(dir);
  return await each(mailboxes, writers, async (n) => {
    {
      using file = makeFile(`${dir}/${n}/tmp/text`, text);
      await file.syncData();
    }
    Deno.renameSync(`${dir}/${n}/tmp/text`, `${dir}/${n}/new/text`);
    await syncFolder(`${dir}/${n}/new`);
  });
}
