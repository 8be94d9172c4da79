/**
 * How many syncs the processes of a server ask for, told by strace. That slows them down many times over, so it is done in
 * a run of its own whose other figures nobody looks at.
 * @module
 */
import { readLines } from "./json_lines.ts";
import { processesBelow } from "./processes.ts";

/** Calls by name: fsync, fdatasync and their like. */
export type SyncCalls = Readonly<Record<string, number>>;

const calls = ["fsync", "fdatasync", "sync_file_range", "syncfs", "sync", "msync"];
const attachLimitMs = 10_000;

/** Whether there is a strace to ask. */
export function hasStrace(): boolean {
  try {
    return new Deno.Command("strace", { args: ["-V"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Counts the syncs of `root` and of all below it while `work` is done. Undefined where strace may not look. */
export async function countSyncs(root: number, work: () => Promise<unknown>): Promise<SyncCalls | undefined> {
  const pids = processesBelow(root);
  const summary = await Deno.makeTempFile({ prefix: "dqmail-bench-strace-" });
  try {
    const watching = ["-f", "-c", "-e", `trace=${calls.join(",")}`, "-o", summary];
    const args = [...watching, ...pids.flatMap((pid) => ["-p", String(pid)])];
    const process = new Deno.Command("strace", { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
    const attached = await isAttached(process.stderr, pids.length);
    if (attached) await work();
    if (await stillRuns(process)) process.kill("SIGINT"); // it lets go of all and writes what it has counted
    await process.status;
    return attached ? parseCalls(await Deno.readTextFile(summary)) : undefined;
  } finally {
    await Deno.remove(summary);
  }
}

/** Whether it says so of each process within the limit; what it says afterwards is read and forgotten. */
async function isAttached(stderr: ReadableStream<Uint8Array<ArrayBuffer>>, wanted: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), attachLimitMs);
  let seen = 0;
  const reading = async () => {
    for await (const line of readLines(stderr)) if (line.includes(" attached") && ++seen >= wanted) resolve(true);
    resolve(false);
  };
  reading().catch(() => resolve(false));
  const attached = await promise;
  clearTimeout(timer);
  return attached;
}

async function stillRuns(process: Deno.ChildProcess): Promise<boolean> {
  const ended = process.status.then(() => false);
  return await Promise.race([ended, new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 0))]);
}

/** Reads the table of `strace -c`: the name stands last in a row, the calls fourth. */
export function parseCalls(text: string): SyncCalls {
  const rows = text.split("\n").map((line) => line.trim().split(/\s+/));
  const counted = rows.flatMap((cells) => {
    const name = cells.at(-1) ?? "";
    return calls.includes(name) ? [[name, Number(cells[3])] as const] : [];
  });
  return Object.fromEntries(counted);
}

/** All of them. */
export function totalOf(counts: SyncCalls): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
