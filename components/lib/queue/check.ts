/**
 * Whether a queue is what ARCHITECTURE.md says it is: names that are inodes, files that together are one of the states
 * S1 to S5, envelopes in their formats, and nothing else. Decides over entries that somebody else has looked at; keeps
 * one small record for each message.
 * @module
 */
import { flatDirs, isKeptName, ownDirs, parseQueueId, pausedFile, splitDirs } from "./layout.ts";

export type EntryKind = "file" | "folder" | "symlink" | "fifo" | "other";

/** What lies at one place. */
export interface Entry {
  /** Below queue/: `["mess", "3", "26"]`. */
  readonly path: readonly string[];
  readonly kind: EntryKind;
  readonly inode: number;
  readonly sizeBytes: number;
  /** What is wrong with the file's format, where it has one. */
  readonly defect?: string | undefined;
}

/** The words for what can be wrong; they stay the same, for programs. */
export type FindingKind =
  | "missing-folder"
  | "foreign"
  | "not-regular"
  | "wrong-folder"
  | "wrong-inode"
  | "format"
  | "no-text"
  | "empty-text"
  | "no-envelope"
  | "no-sender"
  | "leftover-intd"
  | "leftover-options"
  | "unlinked-todo"
  | "unborn"
  // Those of the journal: see journal/check.ts.
  | "no-marks"
  | "no-segment"
  | "damaged-record"
  | "shared-number"
  | "unfinished-move"
  | "kept-number"
  | "renumber";

export interface Finding {
  readonly kind: FindingKind;
  /** Below queue/: `mess/3/26`. */
  readonly path: string;
  readonly detail: string;
  /** The message it is about, where there is one. */
  readonly id?: number;
  /** Nothing is wrong: the next qmail-queue does what is to be done. */
  readonly note?: true | undefined;
}

type MessageDir = "mess" | "info" | "local" | "remote" | FlatDir;

/** The folders that are not split, in which each file is a message's. */
const messageFlatDirs = ["todo", "intd", "bounce", "options", "delayed"] as const;
type FlatDir = (typeof messageFlatDirs)[number];

/** The files there are of one message. */
interface Seen {
  readonly at: Map<MessageDir, Pick<Entry, "inode" | "sizeBytes" | "defect">>;
}

/** qmail's own, too: a queue may have been qmail's before. */
const lockNames: Readonly<Record<string, EntryKind>> = {
  queuemutex: "file",
  sendmutex: "file",
  tcpto: "file",
  trigger: "fifo",
};

function isSplit(dir: string): boolean {
  return (splitDirs as readonly string[]).includes(dir);
}

/** Every folder there has to be in a queue of that split, as paths below queue/. */
export function expectedFolders(split: number): string[] {
  const parts = Array.from({ length: split }, (_, part) => String(part));
  return [...flatDirs, ...ownDirs, ...splitDirs.flatMap((dir) => [dir, ...parts.map((part) => `${dir}/${part}`)])];
}

/** Where the files of message `id` belong, as paths below queue/. */
export function placesOf(id: number, split: number): string[] {
  return [
    ...messageFlatDirs.map((dir) => `${dir}/${id}`),
    ...splitDirs.map((dir) => placeOf(dir, id, split)),
  ];
}

/** What to hold against the entries. */
export interface Activity {
  /** Whether a qmail-queue may be writing: then S2, S3 and files in pid are messages on their way. */
  readonly writing: boolean;
}

export class QueueCheck {
  readonly #split: number;
  readonly #folders: ReadonlySet<string>;
  readonly #seenFolders = new Set<string>();
  readonly #messages = new Map<number, Seen>();
  readonly #unborn: string[] = [];
  readonly #findings: Finding[] = [];

  /** `split`: the home's. */
  constructor(split: number) {
    this.#split = split;
    this.#folders = new Set(expectedFolders(split));
  }

  /** Notes one entry, in any order. */
  take(entry: Entry): void {
    const path = entry.path.join("/");
    if (this.#folders.has(path)) {
      this.#seenFolders.add(path);
      if (entry.kind !== "folder") this.#find("not-regular", path, `a ${entry.kind} in a folder's place`);
      return;
    }
    const [dir = "", ...rest] = entry.path;
    if (dir === "journal") return this.#takeJournal(entry, rest, path);
    if (dir === "lock" && rest.length === 1) return this.#takeLock(entry, rest[0]!, path);
    if (dir === "paused" && rest.length === 1) return this.#takePaused(entry, rest[0]!, path);
    if (dir === "pid" && rest.length === 1) return this.#takeUnborn(entry, rest[0]!, path);
    const name = rest.at(-1) ?? "";
    const id = parseQueueId(name);
    const depth = isSplit(dir) ? 2 : 1;
    const known = isSplit(dir) || (messageFlatDirs as readonly string[]).includes(dir);
    if (!known || id === undefined || rest.length !== depth) {
      return this.#find("foreign", path, `a ${entry.kind} that no program of the queue makes`);
    }
    if (entry.kind !== "file") return this.#find("not-regular", path, `a ${entry.kind} in a file's place`, id);
    if (isSplit(dir) && rest[0] !== String(id % this.#split)) {
      return this.#find("wrong-folder", path, `belongs in ${dir}/${id % this.#split}`, id);
    }
    const { inode, sizeBytes, defect } = entry;
    let seen = this.#messages.get(id);
    if (seen === undefined) this.#messages.set(id, seen = { at: new Map() });
    seen.at.set(dir as MessageDir, { inode, sizeBytes, defect });
  }

  /** All that is wrong, in the order of the paths. `partial`: not all entries were taken, none of the folders. */
  findings({ writing }: Activity, { partial = false } = {}): Finding[] {
    const all = [...this.#findings];
    if (!partial) {
      for (const path of this.#folders) {
        if (!this.#seenFolders.has(path)) all.push({ kind: "missing-folder", path, detail: "the folder is not there" });
      }
    }
    if (!writing) {
      for (const path of this.#unborn) {
        all.push({ kind: "unborn", path, detail: "a file nobody writes any more; the next qmail-queue removes it" });
      }
    }
    for (const [id, { at }] of this.#messages) all.push(...messageFindings(id, at, { split: this.#split, writing }));
    return all.sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
  }

  #takeLock({ kind }: Entry, name: string, path: string): void {
    const want = Object.hasOwn(lockNames, name) ? lockNames[name] : undefined;
    if (want === undefined) this.#find("foreign", path, `a ${kind} that no program of the queue makes`);
    else if (kind !== want) this.#find("not-regular", path, `a ${kind} in the place of a ${want}`);
  }

  #takePaused({ kind }: Entry, name: string, path: string): void {
    // A crash leaves the second one.
    if (name !== pausedFile && name !== `${pausedFile}.new`) {
      this.#find("foreign", path, `a ${kind} that no program of the queue makes`);
    } else if (kind !== "file") this.#find("not-regular", path, `a ${kind} in a file's place`);
  }

  #takeJournal({ kind }: Entry, rest: readonly string[], path: string): void {
    const [name = "", number] = rest;
    const isOurs = rest.length === 1
      ? /^[1-9][0-9]{0,4}(\.done)?$/.test(name)
      : name === "numbers" && rest.length === 2 && isKeptName(number!);
    if (!isOurs) this.#find("foreign", path, `a ${kind} that no program of the queue makes`);
    else if (kind !== "file") this.#find("not-regular", path, `a ${kind} in a file's place`);
  }

  #takeUnborn({ kind }: Entry, name: string, path: string): void {
    if (!/^[0-9]{1,15}\.[0-9]{1,15}\.[0-9]{1,15}$/.test(name)) {
      this.#find("foreign", path, `a ${kind} that no program of the queue makes`);
    } else if (kind !== "file") this.#find("not-regular", path, `a ${kind} in a file's place`);
    else this.#unborn.push(path);
  }

  #find(kind: FindingKind, path: string, detail: string, id?: number): void {
    this.#findings.push({ kind, path, detail, ...(id === undefined ? {} : { id }) });
  }
}

function placeOf(dir: MessageDir, id: number, split: number): string {
  return isSplit(dir) ? `${dir}/${id % split}/${id}` : `${dir}/${id}`;
}

/** One message's files against the states' table. */
function messageFindings(id: number, at: Seen["at"], { split, writing }: Activity & { split: number }): Finding[] {
  const found: Finding[] = [];
  const find = (kind: FindingKind, dir: MessageDir, detail: string) =>
    found.push({ kind, path: placeOf(dir, id, split), detail, id });
  const [mess, intd, todo, info] = [at.get("mess"), at.get("intd"), at.get("todo"), at.get("info")];
  const accepted = todo !== undefined || info !== undefined;
  const later = (["local", "remote", "bounce", "delayed"] as const).filter((dir) => at.has(dir));

  if (mess === undefined && [...at.keys()].every((dir) => dir === "options")) {
    find("leftover-options", "options", "no message has this number");
  } else if (mess === undefined) {
    const first = (["todo", "info", "intd", ...later] as const).find((dir) => at.has(dir))!;
    find("no-text", first, `${[...at.keys()].toSorted().join(", ")} without a mess file`);
  } else {
    if (mess.inode !== id) find("wrong-inode", "mess", `the file's inode is ${mess.inode}: it was copied here`);
    if (accepted && mess.sizeBytes === 0) find("empty-text", "mess", "the text of an accepted message is empty");
  }
  if (!accepted && later.length > 0 && mess !== undefined) {
    find("no-sender", later[0]!, `${later.join(", ")} with neither info nor todo (no state)`);
  }
  // S2 and S3 are a message on its way in, while there is somebody who writes it.
  if (!accepted && later.length === 0 && mess !== undefined && !writing) {
    find("no-envelope", "mess", `never accepted, and no qmail-queue runs (state ${intd === undefined ? "S2" : "S3"})`);
  }
  if (todo !== undefined && intd !== undefined && todo.inode !== intd.inode) {
    find("unlinked-todo", "todo", "intd is another file, and should be this one");
  }
  if (info !== undefined && todo === undefined && intd !== undefined) {
    find("leftover-intd", "intd", "the message is preprocessed (state S5)");
  }
  if (todo?.defect !== undefined) find("format", "todo", todo.defect);
  // In S4 these are pieces that an interrupted first attempt left: they are removed before they are read.
  if (todo === undefined) {
    for (const dir of ["info", "local", "remote"] as const) {
      const defect = at.get(dir)?.defect;
      if (defect !== undefined) find("format", dir, defect);
    }
  }
  return found;
}
