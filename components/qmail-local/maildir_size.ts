/**
 * Asks and keeps a Maildir's `maildirsize` (maildir_quota.ts says what is in it).
 * @module
 */
import { existsSync, lstatSync } from "node:fs";
import { ifThere } from "../lib/disk/if_there.ts";
import {
  formatEntry,
  formatMaildirSize,
  isDoubtful,
  isOver,
  isTrashed,
  parseMaildirSize,
  type Quota,
  sizeInName,
  type Usage,
} from "./maildir_quota.ts";

/** Longer ones are no such file. */
const mostBytes = 64 * 1024;

const encoder = new TextEncoder();

/** What a Maildir says to one more message. */
export type Room = "unlimited" | "room" | "full";

/**
 * Whether `maildir` takes a message of `sizeBytes`. `name` is unique: the file is written anew under it where its sums
 * are in doubt. Throws what the system says.
 */
export function roomFor(maildir: string, sizeBytes: number, name: string, nowSeconds: number): Room {
  const path = `${maildir}/maildirsize`;
  // That there is none is the usual answer, and an error that says so costs seven times as much.
  const info = existsSync(path) ? lstatSync(path, { throwIfNoEntry: false }) : undefined;
  // A symlink or a FIFO is none that any program made.
  if (info === undefined || !info.isFile() || info.size > mostBytes) return "unlimited";
  const text = ifThere(() => Deno.readTextFileSync(path));
  const size = text === undefined ? undefined : parseMaildirSize(text);
  if (size === undefined || (size.quota.maxBytes === 0 && size.quota.maxMessages === 0)) return "unlimited";
  const ageSeconds = nowSeconds - Math.floor(info.mtimeMs / 1000);
  const usage = isDoubtful(size, ageSeconds, info.size, sizeBytes) ? recount(maildir, size.quota, name) : size.usage;
  return isOver(size.quota, usage, sizeBytes) ? "full" : "room";
}

/** Notes what came. A line that cannot be written is counted another time: the message is there and stays. */
export function noteArrival(maildir: string, sizeBytes: number): void {
  const file = Deno.openSync(`${maildir}/maildirsize`, { append: true });
  try {
    // One write: lines of several processes do not mix.
    file.writeSync(encoder.encode(formatEntry({ bytes: sizeBytes, messages: 1 })));
  } finally {
    file.close();
  }
}

function recount(maildir: string, quota: Quota, name: string): Usage {
  const usage = countMaildir(maildir);
  const fresh = `${maildir}/tmp/${name}.size`;
  Deno.writeTextFileSync(fresh, formatMaildirSize(quota, usage), { createNew: true, mode: 0o600 });
  Deno.renameSync(fresh, `${maildir}/maildirsize`);
  return usage;
}

/** What is in new and cur of a Maildir and of its folders (`.Name`), the trash left out. */
function countMaildir(maildir: string): Usage {
  let [bytes, messages] = [0, 0];
  const folders = Array.from(Deno.readDirSync(maildir))
    .filter(({ name, isDirectory }) => isDirectory && name.startsWith(".") && name !== ".Trash")
    .map(({ name }) => `${maildir}/${name}`);
  for (const folder of [maildir, ...folders]) {
    for (const part of ["new", "cur"]) {
      const entries = ifThere(() => Array.from(Deno.readDirSync(`${folder}/${part}`))) ?? [];
      for (const { name, isFile } of entries) {
        if (!isFile || name.startsWith(".") || isTrashed(name)) continue;
        // One that is read or moved just now counts under its next name, or another time.
        bytes += sizeInName(name) ?? ifThere(() => Deno.lstatSync(`${folder}/${part}/${name}`).size) ?? 0;
        messages++;
      }
    }
  }
  return { bytes, messages };
}
