/**
 * Looks at a queue for its check. Everything may run meanwhile: what seems wrong is looked at again, for between two
 * looks at one message it may have gone on to its next state, and only what stays wrong is a finding.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { ifThere } from "../disk/if_there.ts";
import { type Entry, type EntryKind, expectedFolders, type Finding, placesOf, QueueCheck } from "./check.ts";
import { formatDefect, type FormattedDir, formattedDirs } from "./check_format.ts";
import { lookAtJournal } from "./journal/look.ts";
import { openIfThere, piecesOf } from "./listing.ts";

export interface LookOptions {
  /** Whether a qmail-queue runs; asked before every look. */
  readonly writing: () => Promise<boolean>;
  /** Waits between two looks. */
  readonly pause: () => Promise<void>;
}

/** Looks after the first that a finding has to stand. */
const looksAgain = 4;

function kindOf(info: Deno.FileInfo): EntryKind {
  if (info.isFile) return "file";
  if (info.isDirectory) return "folder";
  if (info.isSymlink) return "symlink";
  return info.isFifo === true ? "fifo" : "other";
}

function defectOf(home: Home, path: readonly string[]): string | undefined {
  const dir = path[0] as FormattedDir;
  const file = formattedDirs.includes(dir) ? openIfThere(home.queue(...path)) : undefined;
  return file === undefined ? undefined : formatDefect(dir, piecesOf(file));
}

/** What lies at `path` below queue/; `undefined` when nothing does. */
function entryAt(home: Home, path: readonly string[]): Entry | undefined {
  return ifThere(() => {
    const info = Deno.lstatSync(home.queue(...path));
    const kind = kindOf(info);
    const defect = kind === "file" ? defectOf(home, path) : undefined;
    return { path, kind, inode: info.ino ?? 0, sizeBytes: info.size, defect };
  });
}

/** All entries below queue/, folders before what is in them. Goes into the folders of the layout only. */
export function* entriesBelow(
  home: Home,
  path: readonly string[] = [],
  folders: ReadonlySet<string> = new Set(expectedFolders(home.queueSplit)),
): Generator<Entry, void, undefined> {
  for (const { name } of Deno.readDirSync(home.queue(...path))) {
    const entry = entryAt(home, [...path, name]);
    if (entry === undefined) continue;
    yield entry;
    if (entry.kind === "folder" && folders.has(entry.path.join("/"))) yield* entriesBelow(home, entry.path, folders);
  }
}

function keyOf({ kind, path }: Finding): string {
  return `${kind} ${path}`;
}

/** The places a finding is about. */
function placesFor({ path, id }: Finding, split: number): string[] {
  return id === undefined ? [path] : [path, ...placesOf(id, split)];
}

/**
 * What is wrong with a home's queue, and still is after looking again. Throws when the queue is closed to us.
 */
export async function checkQueue(home: Home, { writing, pause }: LookOptions): Promise<Finding[]> {
  // Asked before and after: a qmail-queue that started or ended during the look may have left what it shows.
  const before = await writing();
  const check = new QueueCheck(home.queueSplit);
  for (const entry of entriesBelow(home)) check.take(entry);
  const { findings: inJournal, inMess } = lookAtJournal(home, before);
  let journal = inJournal;
  let findings = check.findings({ writing: await writing() || before });
  for (let look = 0; look < looksAgain && findings.length + journal.length > 0; look++) {
    await pause();
    const runs = await writing();
    journal = still(journal, journal.length > 0 ? lookAtJournal(home, runs).findings : []);
    findings = await lookAgain(home, findings, runs, writing);
  }
  // What a move has begun is no message yet: its record is. So it is of a text whose envelope is in the journal.
  const moving = journal.filter(({ kind }) => kind === "unfinished-move").map(({ id }) => id);
  const recorded = new Set([...inMess, ...moving]);
  findings = findings.filter(({ kind, id }) => kind !== "no-envelope" || !recorded.has(id));
  return [...findings, ...journal].sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
}

/** Those of `findings` that were found again; a record is named by its serial, so the detail counts. */
function still(findings: readonly Finding[], again: readonly Finding[]): Finding[] {
  const keys = new Set(again.map((finding) => `${keyOf(finding)} ${finding.detail}`));
  return findings.filter((finding) => keys.has(`${keyOf(finding)} ${finding.detail}`));
}

async function lookAgain(
  home: Home,
  findings: readonly Finding[],
  runs: boolean,
  writing: () => Promise<boolean>,
): Promise<Finding[]> {
  const again = new QueueCheck(home.queueSplit);
  for (const path of new Set(findings.flatMap((finding) => placesFor(finding, home.queueSplit)))) {
    const entry = entryAt(home, path.split("/"));
    if (entry !== undefined) again.take(entry);
  }
  const found = new Set(again.findings({ writing: await writing() || runs }, { partial: true }).map(keyOf));
  return findings.filter((finding) =>
    found.has(keyOf(finding)) ||
    finding.kind === "missing-folder" && entryAt(home, finding.path.split("/")) === undefined
  );
}
