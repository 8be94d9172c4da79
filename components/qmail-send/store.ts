/**
 * qmail-send's files: reads todo, keeps info, local, remote and bounce. Everything else about a message in the queue is
 * other components' business.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Disk, DiskFile, Held } from "../lib/disk/disk.ts";
import { fromOctets, toOctets } from "../lib/octets.ts";
import {
  type ChannelRecord,
  formatChannel,
  formatInfo,
  parseChannel,
  parseInfo,
  parseTodo,
} from "../lib/queue/envelope.ts";
import { type Channel, channels, parseQueueId, queueFile, queueFolder, type splitDirs } from "../lib/queue/layout.ts";
import { describeError } from "../lib/log/log.ts";
import { parseMessageOptions } from "../lib/queue/message_options.ts";
import { knownByBytes, parseOptionsFile } from "../lib/queue/options_file.ts";
import type { Result } from "../lib/result.ts";
import type { NewMessage } from "./message.ts";

const doneMark = toOctets("D");

/** What is to stand in the queue for a message that goes on beyond its first attempt. */
export interface SplitMessage {
  readonly sender: string;
  readonly birthSeconds: number;
  readonly recipients: Readonly<Record<Channel, readonly { address: string; done: boolean }[]>>;
  /** Paragraphs of recipients that failed already. */
  readonly bounce: string;
}

/** Recipients that are written down in one turn of the event loop: some milliseconds. */
const writtenAtOnce = 5000;

export class Store {
  readonly #disk: Disk;
  readonly #home: Home;
  /** Folders in which pieces of these messages stood, and would again after a power loss. */
  readonly #cleared = new Map<number, Set<string>>();
  /** The file whose letters were overwritten last: a bulk message's, ten thousand times in a row. */
  #marked: { readonly path: string; readonly file: DiskFile } | undefined;

  constructor(disk: Disk, home: Home) {
    this.#disk = disk;
    this.#home = home;
  }

  /** Ids in todo. */
  async listTodo(): Promise<number[]> {
    return ids(await this.#disk.listLong(this.#home.queue("todo")));
  }

  /** Ids in one part of a split folder. */
  async list(dir: (typeof splitDirs)[number], part: number): Promise<number[]> {
    return ids(await this.#disk.listLong(this.#home.queue(dir, String(part))));
  }

  /** A file's time (seconds since 1970); undefined when there is no such file. */
  mtime(dir: (typeof splitDirs)[number], id: number): number | undefined {
    return this.#disk.stat(queueFile(this.#home, dir, id))?.mtimeSeconds;
  }

  /** Keeps a message's number from being given to another for as long as it is held; `undefined` when it has no text. */
  hold(id: number): Held | undefined {
    return this.#disk.hold(queueFile(this.#home, "mess", id));
  }

  inTodo(id: number): boolean {
    return this.#disk.stat(queueFile(this.#home, "todo", id)) !== undefined;
  }

  /**
   * `undefined` when the message is gone (its notice was older than its end). Pieces of S5 go first where it was
   * `scanned`: an interrupted move has left them. Errors: what is wrong with its files.
   */
  readTodo(id: number, scanned = false): Result<NewMessage, string> | undefined {
    try {
      // Not there any more: what stands in S5 is no piece, but the message.
      if (!this.inTodo(id)) return undefined;
      if (scanned) this.removeLeftovers(id);
      return this.#readTodo(id);
    } catch (error) {
      return { ok: false, error: describeError(error) };
    }
  }

  #readTodo(id: number): Result<NewMessage, string> {
    const todoPath = queueFile(this.#home, "todo", id);
    const stat = this.#disk.stat(todoPath);
    if (stat?.isFile !== true) return { ok: false, error: `todo/${id} is no regular file` };
    const envelope = parseTodo(this.#disk.readFile(todoPath));
    if (!envelope.ok) return { ok: false, error: `todo/${id}: ${envelope.error}` };
    const mess = this.#disk.stat(queueFile(this.#home, "mess", id));
    if (mess === undefined || !mess.isFile) return { ok: false, error: `mess file of ${id} is missing` };
    const { sizeBytes, mtimeSeconds: birthSeconds } = mess;
    const options = this.readOptions(id);
    return {
      ok: true,
      value: {
        ...{ ...envelope.value, id, place: undefined, sizeBytes, birthSeconds },
        ...options === undefined ? undefined : { options },
      },
    };
  }

  // --- what its client asked for

  /** Whether there may be something: the file of another message, too. */
  hasOptions(id: number): boolean {
    return this.#disk.exists(queueFile(this.#home, "options", id));
  }

  /** As formatMessageOptions() writes them; `undefined` where nothing was asked for. Throws what is wrong with them. */
  readOptions(id: number): string | undefined {
    if (!this.hasOptions(id)) return undefined;
    const text = this.#disk.readStart(queueFile(this.#home, "mess", id), knownByBytes);
    const options = parseOptionsFile(this.#disk.readFile(queueFile(this.#home, "options", id)), text);
    const parsed = options === undefined ? undefined : parseMessageOptions(options);
    // A later version's: nobody here would do what its sender asked for.
    if (parsed?.ok === false) throw new Error(`options/${id}: ${parsed.error}`);
    return options;
  }

  /**
   * Settles when no power loss can bring back the message's envelope, which has been removed. Its options may go only then:
   * it must not be delivered again without them.
   */
  async envelopeGone(id: number): Promise<void> {
    const dirs = [this.#home.queue("todo"), queueFolder(this.#home, "info", id)];
    await Promise.all(dirs.map((dir) => this.#disk.syncDir(dir)));
  }

  /** Whether its sender was told that it is late. */
  isNotedDelayed(id: number): boolean {
    return this.#disk.exists(queueFile(this.#home, "delayed", id));
  }

  /** Not synced: a power loss may cost a second report. */
  noteDelayed(id: number): void {
    this.#disk.openAppend(queueFile(this.#home, "delayed", id), 0o600).close();
  }

  removeDelayed(id: number): void {
    this.#disk.remove(queueFile(this.#home, "delayed", id));
  }

  // --- S5

  /** Removes what an interrupted move of a message still in todo left behind. */
  removeLeftovers(id: number): void {
    this.closeMarks();
    for (const dir of ["info", "local", "remote", "bounce", "delayed"] as const) {
      const path = queueFile(this.#home, dir, id);
      if (this.#disk.stat(path) === undefined) continue;
      this.#disk.remove(path);
      const cleared = this.#cleared.get(id) ?? new Set();
      const isFlat = dir === "bounce" || dir === "delayed";
      this.#cleared.set(id, cleared.add(isFlat ? this.#home.queue(dir) : queueFolder(this.#home, dir, id)));
    }
  }

  /**
   * Writes info, local, remote and bounce and settles when they are on stable storage; todo may go then (state S5).
   * Answers the recipients still to do, with their places.
   */
  async writeSplit(
    id: number,
    message: SplitMessage,
    breathe: () => Promise<void>,
  ): Promise<Record<Channel, ChannelRecord[]>> {
    this.removeLeftovers(id);
    const todo: Record<Channel, ChannelRecord[]> = { local: [], remote: [] };
    const syncs: Promise<void>[] = [];
    const put = async (
      dir: "info" | "local" | "remote" | "bounce",
      pieces: Iterable<Uint8Array>,
      folder: string,
    ) => {
      const path = queueFile(this.#home, dir, id);
      const file = this.#disk.create(path, 0o600);
      try {
        let first = true;
        for (const octets of pieces) {
          if (!first) await breathe();
          file.write(octets);
          first = false;
        }
        if (dir === "info") this.#disk.setMtime(path, message.birthSeconds);
      } catch (error) {
        file.close();
        throw error;
      }
      syncs.push(file.sync().finally(() => file.close()), this.#disk.syncDir(folder));
    };
    try {
      if (message.bounce !== "") await put("bounce", [toOctets(message.bounce)], this.#home.queue("bounce"));
      for (const channel of channels) {
        const recipients = message.recipients[channel];
        if (recipients.every(({ done }) => done)) continue;
        await put(channel, formatInSlices(recipients, todo[channel]), queueFolder(this.#home, channel, id));
      }
      await put("info", [formatInfo(message.sender)], queueFolder(this.#home, "info", id));
      // Beside what is written now, what an earlier message of this number left must not stand again: it has recipients.
      for (const folder of this.#cleared.get(id) ?? []) syncs.push(this.#disk.syncDir(folder));
    } finally {
      // Waited for in any case: a sync that fails unheard would end the process.
      await Promise.all(syncs);
    }
    this.#cleared.delete(id);
    return todo;
  }

  /** What a bounce says of times: of the message's birth, and of the last failure. */
  bounceTimes(id: number): { arrivalSeconds: number; failureSeconds: number } {
    const bounce = this.#disk.stat(queueFile(this.#home, "bounce", id));
    return { arrivalSeconds: this.mtime("info", id) ?? 0, failureSeconds: bounce?.mtimeSeconds ?? 0 };
  }

  readSender(id: number): Result<string, string> {
    return parseInfo(this.#disk.readFile(queueFile(this.#home, "info", id)));
  }

  /** A message is to look as old as that. */
  setBirth(id: number, atSeconds: number): void {
    this.#disk.setMtime(queueFile(this.#home, "info", id), atSeconds);
  }

  /** The recipients still to do; none where there is no file (any more). */
  readChannel(id: number, channel: Channel): Result<ChannelRecord[], string> {
    const path = queueFile(this.#home, channel, id);
    if (this.#disk.stat(path) === undefined) return { ok: true, value: [] };
    const parsed = parseChannel(this.#disk.readFile(path));
    return parsed.ok ? { ok: true, value: parsed.value.filter((record) => !record.done) } : parsed;
  }

  /** Overwrites letters in place. Not synced: a crash may cost a second delivery, as in qmail. At most some hundred offsets. */
  markDone(id: number, channel: Channel, offsets: readonly number[]): void {
    const path = queueFile(this.#home, channel, id);
    if (this.#marked?.path !== path) {
      this.closeMarks();
      this.#marked = { path, file: this.#disk.openWrite(path) };
    }
    try {
      markAll(this.#marked.file, offsets);
    } catch (error) {
      this.closeMarks();
      throw error;
    }
  }

  /** Before a file of that name may be another one. */
  closeMarks(): void {
    this.#marked?.file.close();
    this.#marked = undefined;
  }

  /** Kept in the file's time, so that a restart knows it (Unlike qmail: at once, not only at an orderly end). */
  setNextAttempt(id: number, channel: Channel, atSeconds: number): void {
    this.#disk.setMtime(queueFile(this.#home, channel, id), atSeconds);
  }

  removeChannel(id: number, channel: Channel): void {
    this.closeMarks();
    this.#disk.remove(queueFile(this.#home, channel, id));
  }

  /** Adds a paragraph and settles when it is on stable storage: only then may the recipient be marked. */
  async appendBounce(id: number, paragraph: string): Promise<void> {
    const file = this.#disk.openAppend(queueFile(this.#home, "bounce", id), 0o600);
    try {
      file.write(toOctets(paragraph));
      await file.sync();
    } finally {
      file.close();
    }
    await this.#disk.syncDir(this.#home.queue("bounce"));
  }

  /** "" when no recipient failed. */
  readBounce(id: number): string {
    const path = queueFile(this.#home, "bounce", id);
    return this.#disk.stat(path) === undefined ? "" : fromOctets(this.#disk.readFile(path));
  }

  removeBounce(id: number): void {
    this.#disk.remove(queueFile(this.#home, "bounce", id));
  }

  removeInfo(id: number): void {
    this.#disk.remove(queueFile(this.#home, "info", id));
  }
}

/** Letters that stand closer than this, on the average, are written in one piece with what is between them. */
const closeBytes = 256;

function markAll(file: DiskFile, offsets: readonly number[]): void {
  const first = Math.min(...offsets);
  const span = Math.max(...offsets) + 1 - first;
  const isClose = offsets.length > 1 && span <= closeBytes * offsets.length;
  const octets = isClose ? file.readAt(first, span) : undefined;
  if (octets?.length !== span) {
    for (const offset of offsets) file.writeAt(offset, doneMark);
    return;
  }
  for (const offset of offsets) octets.set(doneMark, offset - first);
  file.writeAt(first, octets);
}

function ids(names: readonly string[]): number[] {
  return names.map(parseQueueId).filter((id) => id !== undefined);
}

/** A local or remote file in pieces; `todo` gets the records of those that are not done. */
function* formatInSlices(
  recipients: readonly { address: string; done: boolean }[],
  todo: ChannelRecord[],
): Generator<Uint8Array, void, undefined> {
  let offset = 0;
  for (let at = 0; at < recipients.length; at += writtenAtOnce) {
    const { octets, records } = formatChannel(recipients.slice(at, at + writtenAtOnce), offset);
    for (const record of records) if (!record.done) todo.push(record);
    offset += octets.length;
    yield octets;
  }
}
