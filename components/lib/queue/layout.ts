/**
 * Names in the queue (qmail's interface: numbered files, mess, info, local and remote split 23 ways by the number's
 * remainder, where the number is the inode of the mess file).
 * @module
 */
import { type Home, queueSplit } from "../../../config/home.ts";

export type Channel = "local" | "remote";
export const channels: readonly Channel[] = ["local", "remote"];

/** The folders split by number, and those that are flat. */
export const splitDirs = ["mess", "info", "local", "remote"] as const;
export const flatDirs = ["pid", "intd", "todo", "bounce", "lock"] as const;

/** The file of a message in `dir`. */
export function queueFile(
  home: Home,
  dir: "mess" | "info" | "local" | "remote" | "intd" | "todo" | "bounce",
  id: number,
): string {
  return dir === "intd" || dir === "todo" || dir === "bounce"
    ? home.queue(dir, String(id))
    : home.queue(dir, String(id % queueSplit), String(id));
}

/** The folder that holds a message's file in a split `dir`. */
export function queueFolder(home: Home, dir: (typeof splitDirs)[number], id: number): string {
  return home.queue(dir, String(id % queueSplit));
}

/** A queue id out of a file's name; `undefined` for anything but a plain decimal number. */
export function parseQueueId(name: string): number | undefined {
  return /^[1-9][0-9]{0,14}$/.test(name) ? Number(name) : undefined;
}
