/**
 * What lies in a queue, read while everything runs: a file that vanishes underneath is mail that was delivered. Holds one
 * folder's names and one piece of a file at a time.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { ifThere } from "../disk/if_there.ts";
import { liveRecords } from "./journal/scan.ts";
import { type Channel, channels, parseQueueId, queueFile } from "./layout.ts";
import { RecordSplitter } from "./record_splitter.ts";

/** A preprocessed message, as its info, mess and bounce tell of it. */
export interface ListedMessage {
  readonly id: number;
  readonly birthSeconds: number;
  readonly sizeBytes: number;
  /** An octet string; "" for the null reverse-path. */
  readonly sender: string;
  /** Whether a recipient failed already. */
  readonly bouncing: boolean;
}

export interface ListedRecipient {
  readonly channel: Channel;
  readonly address: string;
  readonly done: boolean;
}

/** Each `message` is followed by its recipients, local ones first. */
export type ListingEvent =
  | { readonly kind: "message"; readonly message: ListedMessage }
  | { readonly kind: "recipient"; readonly recipient: ListedRecipient }
  | { readonly kind: "warning"; readonly text: string };

export interface QueueCounts {
  /** Files below mess, and messages in the journal that have none there. */
  readonly messages: number;
  /** Files in todo, and messages in the journal: one whose first attempt runs counts here. */
  readonly notPreprocessed: number;
}

const pieceBytes = 64 * 1024;

/** The pieces of a file as they are read; each is valid until the next. Closes it. */
export function* piecesOf(file: Deno.FsFile): Generator<Uint8Array, void, undefined> {
  using open = file;
  const buffer = new Uint8Array(pieceBytes);
  for (let count = open.readSync(buffer); count !== null; count = open.readSync(buffer)) {
    yield buffer.subarray(0, count);
  }
}

/** Opens a regular file for reading; `undefined` where there is none (a FIFO would make the opening wait). */
export function openIfThere(path: string): Deno.FsFile | undefined {
  return ifThere(() => Deno.lstatSync(path).isFile ? Deno.openSync(path, { read: true }) : undefined);
}

/** The messages that are preprocessed, with their recipients (what qmail-qread shows). Throws when the queue is closed to us. */
export function* readListing(home: Home): Generator<ListingEvent, void, undefined> {
  for (let part = 0; part < home.queueSplit; part++) {
    for (const { name } of Deno.readDirSync(home.queue("info", String(part)))) {
      const id = parseQueueId(name);
      if (id !== undefined) yield* readMessage(home, id);
    }
  }
}

function* readMessage(home: Home, id: number): Generator<ListingEvent, void, undefined> {
  // Its files are being written, or will be anew: they are whole when this one goes.
  if (ifThere(() => Deno.lstatSync(queueFile(home, "todo", id))) !== undefined) return;
  const info = openIfThere(queueFile(home, "info", id));
  if (info === undefined) return;
  const birthSeconds = Math.floor((info.statSync().mtime?.getTime() ?? 0) / 1000);
  const [record = ""] = recordsOf(info);
  const mess = ifThere(() => Deno.lstatSync(queueFile(home, "mess", id)));
  if (mess === undefined) return;
  if (record[0] !== "F") {
    yield { kind: "warning", text: `info/${id} holds no sender` };
    return;
  }
  const bouncing = ifThere(() => Deno.lstatSync(queueFile(home, "bounce", id))) !== undefined;
  yield {
    kind: "message",
    message: { id, birthSeconds, sizeBytes: mess.size, sender: record.slice(1), bouncing },
  };
  for (const channel of channels) {
    const file = openIfThere(queueFile(home, channel, id));
    if (file !== undefined) yield* readRecipients(file, channel, id);
  }
}

function* recordsOf(file: Deno.FsFile): Generator<string, string | undefined, undefined> {
  const splitter = new RecordSplitter();
  for (const piece of piecesOf(file)) yield* splitter.push(piece);
  return splitter.defect;
}

function* readRecipients(file: Deno.FsFile, channel: Channel, id: number): Generator<ListingEvent, void, undefined> {
  const records = recordsOf(file);
  for (;;) {
    const { value, done } = records.next();
    if (done === true) {
      if (value !== undefined) yield { kind: "warning", text: `${channel}/${id}: ${value}` };
      return;
    }
    if (value[0] === "T" || value[0] === "D") {
      yield { kind: "recipient", recipient: { channel, address: value.slice(1), done: value[0] === "D" } };
    } else yield { kind: "warning", text: `${channel}/${id}: unknown record type ${JSON.stringify(value[0] ?? "")}` };
  }
}

function filesIn(dir: string): number {
  let count = 0;
  for (const entry of Deno.readDirSync(dir)) if (entry.isFile) count++;
  return count;
}

/** What qmail-qstat counts. Throws when the queue is closed to us. */
export function countQueue(home: Home): QueueCounts {
  let [inJournal, messages] = [0, 0];
  for (const { messBytes } of liveRecords(home)) {
    inJournal++;
    if (messBytes === undefined) messages++;
  }
  for (let part = 0; part < home.queueSplit; part++) messages += filesIn(home.queue("mess", String(part)));
  return { messages, notPreprocessed: filesIn(home.queue("todo")) + inJournal };
}
