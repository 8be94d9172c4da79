/**
 * Reads what one message's files tell, while everything runs: a file that vanishes underneath is mail that was delivered.
 * Synchronous: some ten calls of the system, of microseconds each; a file that is not there is asked for by existsSync(),
 * for an error with its stack costs more than all the others.
 * @module
 */
import { existsSync } from "node:fs";
import type { Home } from "../../config/home.ts";
import { ifThere } from "../lib/disk/if_there.ts";
import type { JournalRecord } from "../lib/queue/journal/record.ts";
import { liveRecords } from "../lib/queue/journal/scan.ts";
import { parseTodo } from "../lib/queue/envelope.ts";
import { type Channel, queueFile } from "../lib/queue/layout.ts";
import { RecordSplitter } from "../lib/queue/record_splitter.ts";
import type { Observed } from "./observed.ts";

/** Recipients of one message that are kept: more than the index has room for. */
const mostKept = 300;

/** What is there; undefined: nothing. */
function look(path: string): Deno.FileInfo | undefined {
  return existsSync(path) ? ifThere(() => Deno.lstatSync(path)) : undefined;
}

function secondsOf(info: Deno.FileInfo | undefined): number {
  return Math.floor((info?.mtime?.getTime() ?? 0) / 1000);
}

/** The times of a message's files in local and remote; 0 where there is none. */
export function channelSeconds(home: Home, id: number): { readonly local: number; readonly remote: number } {
  const of = (channel: Channel) => secondsOf(look(queueFile(home, channel, id)));
  return { local: of("local"), remote: of("remote") };
}

/** A message of the layout; undefined: there is none, or its files cannot be understood, which `queue check` tells of. */
export function observe(home: Home, id: number): Observed | undefined {
  const mess = look(queueFile(home, "mess", id));
  if (mess === undefined) return undefined;
  const common = { id, birthSeconds: secondsOf(mess), sizeBytes: mess.size };
  // What stands in info, local and remote beside it is being written, or will be anew.
  const todo = queueFile(home, "todo", id);
  if (existsSync(todo)) {
    const envelope = new Envelope();
    const addresses = new Addresses();
    for (const record of recordsOf(todo, look(todo))) {
      envelope.take(record);
      if (record[0] === "T") addresses.take(record.slice(1), false);
    }
    if (envelope.sender === undefined) return undefined;
    return {
      ...{ ...common, sender: envelope.sender, fresh: true, journal: false, bouncing: false },
      ...{ localSeconds: 0, remoteSeconds: 0, local: { left: 0, done: 0 }, remote: addresses.count },
      recipients: addresses.all,
    };
  }
  return observeSplit(home, common);
}

function observeSplit(
  home: Home,
  common: Pick<Observed, "id" | "birthSeconds" | "sizeBytes">,
): Observed | undefined {
  const info = queueFile(home, "info", common.id);
  const envelope = new Envelope();
  for (const record of recordsOf(info, look(info))) envelope.take(record);
  if (envelope.sender === undefined) return undefined;
  const local = readChannel(home, "local", common.id);
  const remote = readChannel(home, "remote", common.id);
  return {
    ...{ ...common, sender: envelope.sender, fresh: false, journal: false },
    bouncing: existsSync(queueFile(home, "bounce", common.id)),
    localSeconds: local.seconds,
    remoteSeconds: remote.seconds,
    local: local.addresses.count,
    remote: remote.addresses.count,
    recipients: [
      ...local.addresses.left,
      ...remote.addresses.left,
      ...local.addresses.done,
      ...remote.addresses.done,
    ],
  };
}

/** A message of the journal; undefined: its envelope cannot be understood. */
export function observeRecord(record: JournalRecord): Observed | undefined {
  const envelope = parseTodo(record.envelope);
  if (!envelope.ok || record.id === 0) return undefined;
  const { sender, recipients } = envelope.value;
  return {
    ...{
      id: record.id,
      sender,
      birthSeconds: record.birthSeconds,
      sizeBytes: record.messBytes ?? record.content.length,
    },
    ...{ fresh: true, journal: true, bouncing: false, localSeconds: 0, remoteSeconds: 0 },
    local: { left: 0, done: 0 },
    remote: { left: recipients.length, done: 0 },
    recipients,
  };
}

/** Messages of these numbers that stand in the journal. Reads all of it. */
export function observeInJournal(home: Home, ids: ReadonlySet<number>): ReadonlyMap<number, Observed> {
  const found = new Map<number, Observed>();
  if (ids.size === 0) return found;
  for (const record of liveRecords(home)) {
    const observed = ids.has(record.id) ? observeRecord(record) : undefined;
    if (observed !== undefined) found.set(record.id, observed);
  }
  return found;
}

class Envelope {
  sender: string | undefined;

  take(record: string): void {
    if (record[0] === "F") this.sender ??= record.slice(1);
  }
}

/** Counts all, keeps some. */
class Addresses {
  readonly left: string[] = [];
  readonly done: string[] = [];
  #left = 0;
  #done = 0;

  take(address: string, done: boolean): void {
    const kept = done ? this.done : this.left;
    if (kept.length < mostKept) kept.push(address);
    if (done) this.#done++;
    else this.#left++;
  }

  get count(): { readonly left: number; readonly done: number } {
    return { left: this.#left, done: this.#done };
  }

  get all(): readonly string[] {
    return [...this.left, ...this.done];
  }
}

function readChannel(home: Home, channel: Channel, id: number): { addresses: Addresses; seconds: number } {
  const addresses = new Addresses();
  const path = queueFile(home, channel, id);
  // Before it is read: what changes meanwhile is seen by its time at the next look.
  const info = look(path);
  for (const record of recordsOf(path, info)) {
    if (record[0] === "T" || record[0] === "D") addresses.take(record.slice(1), record[0] === "D");
  }
  return { addresses, seconds: secondsOf(info) };
}

/** One file is read at a time, to its end. */
const buffer = new Uint8Array(64 * 1024);

/** Records of an envelope file, as octet strings; none where it is no regular file (a FIFO would make the opening wait). */
function* recordsOf(path: string, info: Deno.FileInfo | undefined): Generator<string, void, undefined> {
  if (info?.isFile !== true) return;
  using file = ifThere(() => Deno.openSync(path, { read: true }));
  const splitter = new RecordSplitter();
  for (;;) {
    const count = file?.readSync(buffer) ?? null;
    if (count === null) return;
    yield* splitter.push(buffer.subarray(0, count));
    // As large as it was: that was all of it, or its time tells of what was added.
    if (count === info.size) return;
  }
}
