/**
 * A home whose queue holds messages that wait: room for them is looked for, then they are made, by several processes at a
 * time. A home that is kept says in a file of its own what is in it.
 * @module
 */
import { statfsSync } from "node:fs";
import { ensureDir, existsSync } from "@std/fs";
import { fromFileUrl, join, resolve } from "@std/path";
import { homeAt } from "../../../config/home.ts";
import { prepareFolders, preparingIds } from "../../home/prepare.ts";
import { settleHome } from "../../home/stage.ts";
import { addUsers, makeHome, removeHome, writeControls } from "../home.ts";
import { Child } from "../json_lines.ts";
import { showProgress } from "../progress.ts";
import { controlFiles } from "../server.ts";
import type { FillJob } from "./fill.ts";
import type { Place } from "./options.ts";

/** A home with its queue, nothing running in it. Disposing of it removes it where it is not to be kept. */
export interface FilledHome extends AsyncDisposable {
  readonly home: string;
  readonly messages: number;
  /** How long the making took; undefined for one that was kept. */
  readonly fillSeconds: number | undefined;
}

/** Mailboxes u0@localhost and so on, as the waiting messages' recipients and the load's. */
export const users = 10;

/** As no attempt may be due while we measure, nor soon after. */
const aheadSeconds = 10 * 86_400;
const leastAheadSeconds = 3600;
/** In one request, so that progress can be shown. */
const jobMessages = 2000;
/** mess, info, and local or remote. */
const filesPerMessage = 3;
/** A small file takes a block. */
const bytesPerMessage = filesPerMessage * 4096;
/** For all that is not in the queue. */
const spareFiles = 20_000;
const spareBytes = 500 << 20;

const stampName = "bench-backlog.json";

interface Stamp {
  readonly messages: number;
  readonly nextSeconds: number;
}

/** What is free on a file system. */
export interface Room {
  readonly files: number;
  readonly bytes: number;
}

/** Why a queue of so many messages has no room, or undefined. */
export function roomDefect(messages: number, free: Room, dir: string): string | undefined {
  const files = messages * filesPerMessage + spareFiles;
  const bytes = messages * bytesPerMessage + spareBytes;
  if (free.files < files) {
    return `Cannot make ${messages} messages in ${dir}: they need ${files} inodes, ${free.files} are free`;
  }
  if (free.bytes < bytes) {
    const mib = (octets: number) => Math.floor(octets / (1 << 20));
    return `Cannot make ${messages} messages in ${dir}: they need ${mib(bytes)} MiB, ${mib(free.bytes)} are free`;
  }
  return undefined;
}

function roomIn(dir: string): Room {
  const { ffree, files, bavail, bsize } = statfsSync(dir);
  // A file system that makes inodes as it needs them (btrfs) says that it has none.
  return { files: files === 0 ? Infinity : ffree, bytes: bavail * bsize };
}

/** Makes the queue, or takes the one that was kept. Throws what stands in the way. */
export async function provideHome(place: Place, messages: number, signal: AbortSignal): Promise<FilledHome> {
  if (place.kind === "kept") return keptHome(resolve(place.home));
  const parent = place.kind === "temporary" ? place.dir : resolve(place.home);
  if (place.kind === "keep") {
    await ensureDir(parent);
    if (!Deno.readDirSync(parent)[Symbol.iterator]().next().done) {
      throw new Error(`Cannot use ${parent}: it is not empty`);
    }
  }
  const defect = roomDefect(messages, roomIn(parent), parent);
  if (defect !== undefined) throw new Error(defect);
  const home = place.kind === "temporary" ? await makeHome(parent) : parent;
  const remove = () => removeHome(home, showProgress(`removing the queue of ${messages} messages`));
  try {
    settleHome(home); // so that the start will not refuse it when all has been made
    const begin = performance.now();
    await fillHome(home, messages, signal);
    const fillSeconds = (performance.now() - begin) / 1000;
    const dispose = place.kind === "keep" ? () => Promise.resolve() : remove;
    return { home, messages, fillSeconds, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await remove();
    throw error;
  }
}

function keptHome(home: string): FilledHome {
  const stampFile = join(home, stampName);
  if (!existsSync(stampFile)) throw new Error(`Cannot use ${home}: no queue was made there with --keep-home`);
  const { messages, nextSeconds } = JSON.parse(Deno.readTextFileSync(stampFile)) as Stamp;
  if (nextSeconds < Date.now() / 1000 + leastAheadSeconds) {
    throw new Error(`Cannot use ${home}: its messages' next attempts are due; make another with --keep-home`);
  }
  return { home, messages, fillSeconds: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
}

async function fillHome(dir: string, messages: number, signal: AbortSignal): Promise<void> {
  // Ports are chosen at each start; these are only such as the schema takes.
  await writeControls(dir, controlFiles({ hold: false, relayPort: undefined }, { smtp: 0, admin: 0 }));
  await addUsers(dir, users);
  const home = homeAt(dir);
  prepareFolders(home);
  const nowSeconds = Math.floor(Date.now() / 1000);
  const nextSeconds = nowSeconds + aheadSeconds;
  const plan = {
    home: dir,
    queueSplit: home.queueSplit,
    birthSeconds: nowSeconds,
    nextSeconds,
    owners: preparingIds(),
  };
  const progress = showProgress(`making ${messages} messages, ${messages * filesPerMessage} files`);
  let [begun, done] = [0, 0];
  const work = async () => {
    await using child = new Child<FillJob, number>("./backlog/fill.ts", flagsOf(home.queue()));
    while (begun < messages) {
      signal.throwIfAborted();
      const first = begun;
      const count = Math.min(jobMessages, messages - first);
      begun += count;
      done += await child.ask({ ...plan, first, count });
      progress(done, messages);
    }
  };
  const results = await Promise.allSettled(Array.from({ length: navigator.hardwareConcurrency }, work));
  for (const result of results) if (result.status === "rejected") throw result.reason;
  await syncAll(dir);
  const stamp: Stamp = { messages, nextSeconds };
  Deno.writeTextFileSync(join(dir, stampName), `${JSON.stringify(stamp)}\n`);
}

/** What is not on the disk yet would be written in the background of the first measurement. */
async function syncAll(dir: string): Promise<void> {
  const { success } = await new Deno.Command("sync", { args: ["--file-system", dir], stdin: "null" }).output();
  if (!success) throw new Error(`Cannot sync the file system of ${dir}`);
}

/** The filling processes may read and write the queue and nothing else. */
function flagsOf(queue: string): readonly string[] {
  const config = fromFileUrl(new URL("../../../deno.json", import.meta.url));
  return ["--config", config, "--no-lock", `--allow-read=${queue}`, `--allow-write=${queue}`];
}
