/**
 * Names in the queue (qmail's interface: numbered files, mess, info, local and remote split by the number's remainder
 * modulo the home's split, where the number is the inode of the mess file).
 * @module
 */
import type { Home } from "../../../config/home.ts";

export type Channel = "local" | "remote";
export const channels: readonly Channel[] = ["local", "remote"];

/** The folders split by number, and those that are flat. */
export const splitDirs = ["mess", "info", "local", "remote"] as const;
export const flatDirs = ["pid", "intd", "todo", "bounce", "lock"] as const;
/**
 * Those that qmail does not know and passes over: the journal; what clients asked for beside their envelopes
 * (options_file.ts); and which senders have been told that their message is late.
 */
export const ownDirs = ["journal", "journal/numbers", "options", "delayed"] as const;

/** The file of a message in `dir`. */
export function queueFile(
  home: Home,
  dir: "mess" | "info" | "local" | "remote" | "intd" | "todo" | "bounce" | "options" | "delayed",
  id: number,
): string {
  return dir === "mess" || dir === "info" || dir === "local" || dir === "remote"
    ? home.queue(dir, String(id % home.queueSplit), String(id))
    : home.queue(dir, String(id));
}

/** The folder that holds a message's file in a split `dir`. */
export function queueFolder(home: Home, dir: (typeof splitDirs)[number], id: number): string {
  return home.queue(dir, String(id % home.queueSplit));
}

/** A queue id out of a file's name; `undefined` for anything but a plain decimal number. */
export function parseQueueId(name: string): number | undefined {
  return /^[1-9][0-9]{0,14}$/.test(name) ? Number(name) : undefined;
}

/** Files of the journal: segment `n`, its side file of done marks, and the numbers kept for messages in it. */
export function journalSegment(home: Home, n: number): string {
  return home.queue("journal", String(n));
}

export function journalMarks(home: Home, n: number): string {
  return home.queue("journal", `${n}.done`);
}

/** The folder of kept numbers, or the empty file whose inode is the number `id`. */
export function journalNumbers(home: Home, id?: number): string {
  return id === undefined ? home.queue("journal", "numbers") : home.queue("journal", "numbers", String(id));
}

/** The name under which a file of that folder is made, before its inode is known; what a crash leaves, the next start removes. */
export function newNumberName(n: number): string {
  return `new.${n}`;
}

export function isNewNumberName(name: string): boolean {
  return /^new\.[0-9]{1,15}$/.test(name);
}
