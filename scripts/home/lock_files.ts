/**
 * The files below queue/lock that qmail's own programs expect and do not make. Nothing here needs tcpto and trigger: they
 * are there so that qmail can go on with a queue that was never its own.
 * @module
 */
import { existsSync } from "@std/fs";
import type { Home } from "../../config/home.ts";
import type { Account } from "../../components/lib/permissions/grant.ts";

interface LockFile {
  readonly name: string;
  readonly owner: Account;
  readonly mode: number;
  readonly make: (path: string) => void;
}

/** 64 records of 16 octets: hosts whose connections time out. */
const tcptoBytes = 1024;

export const lockFiles: readonly LockFile[] = [
  { name: "sendmutex", owner: "qmails", mode: 0o600, make: (path) => Deno.writeFileSync(path, new Uint8Array()) },
  { name: "tcpto", owner: "qmailr", mode: 0o644, make: (path) => Deno.writeFileSync(path, new Uint8Array(tcptoBytes)) },
  { name: "trigger", owner: "qmails", mode: 0o622, make: makeFifo },
];

/** Deno makes none itself. */
function makeFifo(path: string): void {
  try {
    const { success, stderr } = new Deno.Command("mkfifo", { args: [path], stdin: "null" }).outputSync();
    if (!success) throw new Error(`mkfifo ${path} failed: ${new TextDecoder().decode(stderr)}`);
  } catch (error) {
    // A system without that program can do without the FIFO: qmail, which wants it, would bring both.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Makes those that are missing; what is there stays as it is. */
export function prepareLockFiles(home: Home): void {
  for (const { name, mode, make } of lockFiles) {
    const path = home.queue("lock", name);
    if (existsSync(path)) continue;
    make(path);
    // A umask may have taken something away.
    if (existsSync(path)) Deno.chmodSync(path, mode);
  }
}
