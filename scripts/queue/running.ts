/**
 * Whether somebody works in a queue.
 * @module
 */
import { ensureDirSync, existsSync } from "@std/fs";
import type { Home, SocketName } from "../../config/home.ts";
import { takeLock } from "../../components/lib/process/lock.ts";
import { askSupervisor } from "../ask.ts";

async function answers(home: Home, socket: SocketName): Promise<boolean> {
  return await askSupervisor(home, { op: "status" }, socket).then(() => true, () => false);
}

/** Whether a qmail-queue runs: where the supervisor does, one that is away comes back at once. */
export async function queueRuns(home: Home): Promise<boolean> {
  return await answers(home, "queue-status") || await answers(home, "supervisor-status");
}

/** A queue in which nobody works and nobody will begin to, until this is disposed of. */
export interface StoppedQueue extends Disposable {
  /** To whom qmail-queue's files belong, where root works here for somebody else. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

/** Takes qmail-queue's and qmail-send's locks. Throws an Error that says what to do where they run. */
export async function lockQueue(home: Home): Promise<StoppedQueue> {
  const like = ["todo", "mess", "lock"].map((dir) => home.queue(dir)).find((path) => existsSync(path)) ?? home.queue();
  const { uid, gid } = Deno.statSync(like);
  const me = Deno.uid();
  if (me !== 0 && me !== uid) throw new Error(`this is for root, and for the owner of ${like}`);
  // A queue that is to be repaired may have lost it.
  ensureDirSync(home.queue("lock"));
  const owner = me === 0 && uid !== null && gid !== null && uid !== 0 ? { uid, gid } : undefined;
  const locks: Deno.FsFile[] = [];
  try {
    for (const name of ["queuemutex", "sendmutex"]) locks.push(await takeLock(home.queue("lock", name)));
  } catch (error) {
    for (const lock of locks) lock.close();
    throw new Error(`the system must be stopped for this: ${error instanceof Error ? error.message : error}`);
  }
  return { owner, [Symbol.dispose]: () => locks.forEach((lock) => lock.close()) };
}
