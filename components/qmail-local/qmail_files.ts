/**
 * Finds the `.qmail` file of a delivery and reads it: what is open is what is looked at, so that nothing can be put in
 * its place in between.
 * @module
 */
import fs from "node:fs";
import { Buffer } from "node:buffer";
import { fromOctets } from "../lib/octets.ts";
import { qmailFileNames, qmailFilePath, safeExtension } from "../lib/users/qmail_file_names.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import type { Owners } from "./new_sender.ts";
import { reports, trouble } from "./report.ts";

/** Octets of a `.qmail` file at the most: a list of ten thousand addresses. */
export const longestQmailFile = 256 * 1024;

const [worldWritable, ownerExecutable, sticky] = [0o002, 0o100, 0o1000];
/** "There is none", in the ways a path can say so; whatever else may pass. */
const absentCodes: readonly string[] = ["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP", "ENXIO"];

export interface FoundFile {
  readonly kind: "found";
  readonly name: string;
  readonly text: string;
  /** The variable DEFAULT. */
  readonly default: string | undefined;
  /** Its x bit is set. */
  readonly forwardOnly: boolean;
}

/** `report`: the delivery ends here. */
export type Lookup = FoundFile | { readonly kind: "none" } | {
  readonly kind: "report";
  readonly report: DeliveryReport;
};

/** Where to look, and whether a symlink may be followed to what it names. */
export interface Where {
  readonly home: string;
  readonly dash: string;
  readonly extension: string;
  readonly followLinks: boolean;
}

/** What is wrong with a home: it is gone, others may write into it, or its owner is at work there. */
export function homeDefect(home: string): DeliveryReport | undefined {
  try {
    const { mode } = fs.statSync(home);
    if ((mode & worldWritable) !== 0) return reports.homeWritable;
    if ((mode & sticky) !== 0) return reports.homeSticky;
    return undefined;
  } catch (error) {
    return { verdict: "Z", text: `Unable to switch to ${home}: ${codeOf(error)}. (#4.3.0)\n` };
  }
}

/** The first of the names that is a regular file. */
export function findQmailFile({ home, dash, extension, followLinks }: Where): Lookup {
  const mayExist = existence();
  for (const { name, default: rest } of qmailFileNames(dash, extension)) {
    const path = qmailFilePath(home, name);
    if (path === undefined || !mayExist(path)) continue;
    const opened = openPlain(path, followLinks);
    if (opened === "absent") continue;
    if (typeof opened === "string") return { kind: "report", report: trouble("open", name, opened) };
    try {
      if ((opened.mode & worldWritable) !== 0) return { kind: "report", report: reports.fileWritable };
      if (opened.size > longestQmailFile) return { kind: "report", report: trouble("read", name, "it is too large") };
      const text = readAll(opened.fd, opened.size);
      return { kind: "found", name, text, default: rest, forwardOnly: (opened.mode & ownerExecutable) !== 0 };
    } catch (error) {
      return { kind: "report", report: trouble("read", name, codeOf(error)) };
    } finally {
      fs.closeSync(opened.fd);
    }
  }
  return { kind: "none" };
}

/** Which files of owners are there; of any kind. */
export function findOwners({ home, dash, extension }: Where): Owners {
  const stem = `.qmail${dash}${safeExtension(extension)}-owner`;
  const isThere = (name: string): boolean => {
    const path = qmailFilePath(home, name);
    return path !== undefined && fs.existsSync(path);
  };
  const owner = isThere(stem);
  return { owner, ownerDefault: owner && isThere(`${stem}-default`) };
}

interface Opened {
  readonly fd: number;
  readonly mode: number;
  readonly size: number;
}

/**
 * Says of a file whether it is there; `true`, too, where nobody can know. That there is none is the usual answer, and an
 * error that says so costs the runtime 25 us, seven times as much.
 */
function existence(): (path: string) => boolean {
  let searched: string | undefined;
  return (path) => {
    if (fs.existsSync(path)) return true;
    const folder = path.slice(0, path.lastIndexOf("/"));
    // In a folder that may not be searched, nothing seems to be there.
    if (folder !== searched && !fs.existsSync(`${folder}/.`)) return true;
    searched = folder;
    return false;
  };
}

/** A regular file, open for reading; "absent" where there is none, else what is wrong. */
function openPlain(path: string, followLinks: boolean): Opened | string {
  let fd: number;
  try {
    // Without O_NONBLOCK a FIFO of that name would hold up every delivery of this process.
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    return absentCodes.includes(code) ? "absent" : code;
  }
  try {
    const info = fs.fstatSync(fd);
    if (info.isFile() && (followLinks || isEntryItself(path, info))) return { fd, mode: info.mode, size: info.size };
    fs.closeSync(fd);
    return "absent";
  } catch (error) {
    fs.closeSync(fd);
    return codeOf(error);
  }
}

/** Whether `path` is a name of the very file that is open, and no symlink to it. Deno knows no O_NOFOLLOW. */
function isEntryItself(path: string, { ino, dev }: fs.Stats): boolean {
  const entry = fs.lstatSync(path);
  return entry.isFile() && entry.ino === ino && entry.dev === dev;
}

/** As much as there was when it was opened: a file that grows meanwhile must not fill the memory. */
function readAll(fd: number, size: number): string {
  const buffer = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const count = fs.readSync(fd, buffer, filled, size - filled, null);
    if (count === 0) break;
    filled += count;
  }
  return fromOctets(buffer.subarray(0, filled));
}

/** `ENOENT`, or what else the error says of itself. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return typeof (error as { code?: unknown }).code === "string"
    ? (error as unknown as { code: string }).code
    : error.message;
}
