/**
 * How often a file system makes its device write for good, by the kernel's own counters: what all syncs of all processes
 * cost together, those that share one flush counted once. Other users of the device are counted as well.
 * @module
 */
import { ifThere } from "../../components/lib/disk/if_there.ts";

/** Counts since the device is there. */
export interface FlushCount {
  /** Flush requests completed (Documentation/block/stat.rst of Linux, since 5.5). */
  readonly flushes: number;
  /** Transactions of the journal; undefined for a file system without jbd2. */
  readonly commits: number | undefined;
}

/** The counters of the file system that `dir` is on; undefined where it has no block device of its own. */
export function flushCount(dir: string): FlushCount | undefined {
  const device = ifThere(() => Deno.statSync(dir).dev);
  if (device === undefined) return undefined;
  const place = `/sys/dev/block/${majorMinor(device)}`;
  const flushes = parseFlushes(readIfThere(`${place}/stat`));
  if (flushes === undefined) return undefined;
  const name = ifThere(() => Deno.readLinkSync(place))?.split("/").at(-1);
  return { flushes, commits: name === undefined ? undefined : commitsOf(name) };
}

/** `major:minor` of a device number as stat(2) gives it. */
export function majorMinor(device: number): string {
  const major = (device >>> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return `${major}:${minor}`;
}

/** The count in the text of a device's `stat`; undefined where the kernel does not count flushes. */
export function parseFlushes(text: string): number | undefined {
  const fields = text.trim().split(/\s+/);
  return fields.length < 17 ? undefined : Number(fields[15]);
}

/** jbd2 names its folder after the device and an inode: `sda1-8`. */
function commitsOf(device: string): number | undefined {
  const folders = ifThere(() => Array.from(Deno.readDirSync("/proc/fs/jbd2"), ({ name }) => name)) ?? [];
  const folder = folders.find((name) => name.replace(/-[0-9]+$/, "") === device);
  if (folder === undefined) return undefined;
  const count = /^([0-9]+) transactions/.exec(readIfThere(`/proc/fs/jbd2/${folder}/info`))?.[1];
  return count === undefined ? undefined : Number(count);
}

function readIfThere(path: string): string {
  return ifThere(() => Deno.readTextFileSync(path)) ?? "";
}
