/**
 * A queue as qmail's own programs write it, and read it: built and looked at with nothing of this project's but the
 * accounts, from qmail's interface (names, bytes, modes, times). Contents are octet strings, "\0" for NUL.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { accountIds } from "../../config/accounts.ts";

type Owner = "qmailq" | "qmails" | "qmailr";

interface Place {
  readonly owner: Owner;
  readonly mode: number;
  readonly split: boolean;
}

/** The folders, and who may look into them. */
const folders: Readonly<Record<string, Place>> = {
  pid: { owner: "qmailq", mode: 0o700, split: false },
  mess: { owner: "qmailq", mode: 0o750, split: true },
  intd: { owner: "qmailq", mode: 0o700, split: false },
  todo: { owner: "qmailq", mode: 0o750, split: false },
  info: { owner: "qmails", mode: 0o700, split: true },
  local: { owner: "qmails", mode: 0o700, split: true },
  remote: { owner: "qmails", mode: 0o700, split: true },
  bounce: { owner: "qmails", mode: 0o700, split: false },
};

/** Modes of the files in them: qmail-queue's umask is 033, qmail-send's 077. */
const fileModes: Readonly<Record<Owner, number>> = { qmailq: 0o644, qmails: 0o600, qmailr: 0o644 };

const locks = {
  sendmutex: { owner: "qmails", mode: 0o600, sizeBytes: 0 },
  tcpto: { owner: "qmailr", mode: 0o644, sizeBytes: 1024 },
  trigger: { owner: "qmails", mode: 0o622, sizeBytes: 0 },
} as const;

const ids = Deno.uid() === 0 ? accountIds(Deno.readTextFileSync("/etc/passwd")) : undefined;

function octets(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function text(path: string): string {
  return Array.from(Deno.readFileSync(path), (octet) => String.fromCharCode(octet)).join("");
}

function own(path: string, owner: Owner, mode: number): void {
  Deno.chmodSync(path, mode);
  if (ids !== undefined) Deno.chownSync(path, ids[owner].uid, ids.qmailq.gid);
}

export type QueueDir = "intd" | "todo" | "info" | "local" | "remote" | "bounce";

export interface OriginalFiles {
  readonly mess: string;
  /** Linked: `todo` is a second name of the file in intd, unless there is an `intd: null`. */
  readonly todo?: string | undefined;
  readonly intd?: string | null | undefined;
  readonly info?: string | undefined;
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
  readonly bounce?: string | undefined;
}

/** Seconds since 1970; what is not named was written just now. */
export type Times = Readonly<Partial<Record<"mess" | QueueDir, number>>>;

export class OriginalQueue {
  readonly #dir: string;
  readonly #split: number;
  #born = 0;

  /** Makes it at `dir`, which is not there yet. */
  constructor(dir: string, split: number) {
    this.#dir = dir;
    this.#split = split;
    for (const [name, { owner, mode, split: isSplit }] of Object.entries(folders)) {
      const parts = isSplit ? Array.from({ length: split }, (_, part) => `${name}/${part}`) : [];
      for (const folder of [name, ...parts]) {
        Deno.mkdirSync(`${dir}/${folder}`, { recursive: true });
        own(`${dir}/${folder}`, owner, mode);
      }
    }
    Deno.mkdirSync(`${dir}/lock`);
    own(`${dir}/lock`, "qmailq", 0o750);
    for (const [name, { owner, mode, sizeBytes }] of Object.entries(locks)) {
      const path = `${dir}/lock/${name}`;
      if (name === "trigger") assertEquals(new Deno.Command("mkfifo", { args: [path] }).outputSync().code, 0);
      else Deno.writeFileSync(path, new Uint8Array(sizeBytes));
      own(path, owner, mode);
    }
  }

  /** A file in pid whose qmail-queue is gone. */
  abandonBirth(): void {
    this.#write(`${this.#dir}/pid/4711.1763800000.1`, "qmailq", "");
  }

  /** Puts a message there; its number is its inode. */
  put({ mess, todo, intd, info, local, remote, bounce }: OriginalFiles, times: Times = {}): number {
    const birth = `${this.#dir}/pid/4711.1763800001.${++this.#born}`;
    this.#write(birth, "qmailq", mess);
    const id = Deno.statSync(birth).ino!;
    const path = (dir: "mess" | QueueDir) => this.#path(dir, id);
    Deno.linkSync(birth, path("mess"));
    Deno.removeSync(birth);
    const envelope = intd ?? todo;
    if (envelope !== undefined) this.#write(path("intd"), "qmailq", envelope);
    if (todo !== undefined) Deno.linkSync(path("intd"), path("todo"));
    if (todo !== undefined && intd === null) Deno.removeSync(path("intd"));
    for (const [dir, content] of Object.entries({ info, local, remote, bounce })) {
      if (content !== undefined) this.#write(path(dir as QueueDir), "qmails", content);
    }
    for (const [dir, seconds] of Object.entries(times)) Deno.utimeSync(path(dir as QueueDir), seconds, seconds);
    return id;
  }

  #path(dir: "mess" | QueueDir, id: number): string {
    return folders[dir]!.split ? `${this.#dir}/${dir}/${id % this.#split}/${id}` : `${this.#dir}/${dir}/${id}`;
  }

  #write(path: string, owner: Owner, content: string): void {
    Deno.writeFileSync(path, octets(content));
    own(path, owner, fileModes[owner]);
  }
}

/** One file of a message, as the original would find it. */
export interface FoundFile {
  readonly content: string;
  readonly mtimeSeconds: number;
  readonly inode: number;
}

export type FoundMessage = Readonly<Partial<Record<"mess" | QueueDir, FoundFile>>>;

/** Fails on another owner (where root made it) or mode (`undefined`: any). */
function assertOwned(path: string, owner: Owner, mode: number | undefined): Deno.FileInfo {
  const info = Deno.lstatSync(path);
  if (mode !== undefined) assertEquals((info.mode ?? 0) & 0o7777, mode, `mode of ${path}`);
  if (ids !== undefined) assertEquals([info.uid, info.gid], [ids[owner].uid, ids.qmailq.gid], `owner of ${path}`);
  return info;
}

/**
 * The messages in the queue at `dir`, which nobody uses just now, by number. Fails on whatever the original does not know
 * (but our own folders and lock), on missing folders and locks, on other modes, on names that are not inodes.
 */
export function readOriginalQueue(dir: string, split: number): ReadonlyMap<number, FoundMessage> {
  const names = (path: string) => Array.from(Deno.readDirSync(path), ({ name }) => name).sort();
  const foldersFound = names(dir).filter((name) => !["journal", "options", "delayed", "paused"].includes(name));
  assertEquals(foldersFound, [...Object.keys(folders), "lock"].sort());
  assertEquals(names(`${dir}/lock`).filter((name) => name !== "queuemutex"), Object.keys(locks).sort());
  for (const [name, { owner, mode, sizeBytes }] of Object.entries(locks)) {
    const { isFile, isFifo, size } = assertOwned(`${dir}/lock/${name}`, owner, mode);
    assertEquals([name, isFile, isFifo, size], [name, name !== "trigger", name === "trigger", sizeBytes]);
  }
  const messages = new Map<number, Partial<Record<"mess" | QueueDir, FoundFile>>>();
  for (const [name, { owner, mode, split: isSplit }] of Object.entries(folders)) {
    const numbers = Array.from({ length: split }, (_, part) => String(part));
    if (isSplit) assertEquals(names(`${dir}/${name}`), numbers.toSorted());
    // An ordinary user's start leaves the folders' modes to his umask.
    for (const folder of isSplit ? numbers.map((number) => `${name}/${number}`) : [name]) {
      assert(assertOwned(`${dir}/${folder}`, owner, ids === undefined ? undefined : mode).isDirectory);
      for (const file of names(`${dir}/${folder}`)) {
        const path = `${dir}/${folder}/${file}`;
        const { isFile, ino, mtime } = assertOwned(path, owner, fileModes[owner]);
        const id = Number(file);
        assertEquals([path, isFile, String(id)], [path, true, file]);
        if (isSplit) assertEquals(`${name}/${id % split}`, folder);
        if (name === "mess") assertEquals(ino, id, "a message's number is its inode");
        const message = messages.get(id) ?? {};
        message[name as QueueDir] = { content: text(path), mtimeSeconds: mtime!.getTime() / 1000, inode: ino! };
        messages.set(id, message);
      }
    }
  }
  return messages;
}
