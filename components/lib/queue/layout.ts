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
 * (options_file.ts); which senders have been told that their message is late; and which destinations an operator paused.
 */
export const ownDirs = ["journal", "journal/numbers", "options", "delayed", "paused"] as const;

/** The file of paused destinations, in its folder. */
export const pausedFile = "destinations";

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

/** The folder of kept numbers: of empty files, each of which keeps its inode, whatever its name is. */
export function journalNumbers(home: Home): string {
  return home.queue("journal", "numbers");
}

/** The name of the `n`th file there. */
export function keptName(n: number): string {
  return `kept.${n}`;
}

/** The `n` of such a name; `undefined` for every other. */
export function parseKeptName(name: string): number | undefined {
  const [, n] = /^kept\.(0|[1-9][0-9]{0,14})$/.exec(name) ?? [];
  return n === undefined ? undefined : Number(n);
}

/** Whether a file of this name keeps a number. Earlier versions named files after their inodes. */
export function isKeptName(name: string): boolean {
  return parseKeptName(name) !== undefined || parseQueueId(name) !== undefined;
}
