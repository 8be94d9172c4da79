/**
 * qmail-send's files: reads todo, keeps info, local, remote and bounce. Everything else about a message in the queue is
 * other components' business.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { queueSplit } from "../../config/home.ts";
import type { Disk } from "../lib/disk/disk.ts";
import { fromOctets, toOctets } from "../lib/octets.ts";
import {
  type ChannelRecord,
  formatChannel,
  formatInfo,
  parseChannel,
  parseInfo,
  parseTodo,
  type TodoEnvelope,
} from "../lib/queue/envelope.ts";
import { type Channel, channels, parseQueueId, queueFile, queueFolder } from "../lib/queue/layout.ts";
import type { Result } from "../lib/result.ts";

const doneMark = toOctets("D");

/** A new message as todo and mess tell of it. */
export interface TodoMessage extends TodoEnvelope {
  readonly sizeBytes: number;
  readonly birthSeconds: number;
}

/** What is to stand in the queue for a message that goes on beyond its first attempt. */
export interface SplitMessage {
  readonly sender: string;
  readonly birthSeconds: number;
  readonly recipients: Readonly<Record<Channel, readonly { address: string; done: boolean }[]>>;
  /** Paragraphs of recipients that failed already. */
  readonly bounce: string;
}

export class Store {
  readonly #disk: Disk;
  readonly #home: Home;

  constructor(disk: Disk, home: Home) {
    this.#disk = disk;
    this.#home = home;
  }

  /** Ids in todo. */
  listTodo(): number[] {
    return ids(this.#disk.list(this.#home.queue("todo")));
  }

  /** Ids in a split folder. */
  listSplit(dir: "info" | "mess"): number[] {
    return Array.from({ length: queueSplit }, (_, part) => ids(this.#disk.list(this.#home.queue(dir, String(part)))))
      .flat();
  }

  inTodo(id: number): boolean {
    return this.#disk.stat(queueFile(this.#home, "todo", id)) !== undefined;
  }

  hasInfo(id: number): boolean {
    return this.#disk.stat(queueFile(this.#home, "info", id)) !== undefined;
  }

  /** `undefined` when the message is gone (its notice was older than its end). Errors: what is wrong with its files. */
  readTodo(id: number): Result<TodoMessage, string> | undefined {
    const todoPath = queueFile(this.#home, "todo", id);
    const stat = this.#disk.stat(todoPath);
    if (stat === undefined) return undefined;
    if (!stat.isFile) return { ok: false, error: `todo/${id} is no regular file` };
    const envelope = parseTodo(this.#disk.readFile(todoPath));
    if (!envelope.ok) return { ok: false, error: `todo/${id}: ${envelope.error}` };
    const mess = this.#disk.stat(queueFile(this.#home, "mess", id));
    if (mess === undefined || !mess.isFile) return { ok: false, error: `mess file of ${id} is missing` };
    return { ok: true, value: { ...envelope.value, sizeBytes: mess.sizeBytes, birthSeconds: mess.mtimeSeconds } };
  }

  /** Removes what an interrupted move of a message still in todo left behind. */
  removeLeftovers(id: number): void {
    for (const dir of ["info", "local", "remote", "bounce"] as const) this.#disk.remove(queueFile(this.#home, dir, id));
  }

  /**
   * Writes info, local, remote and bounce and settles when they are on stable storage; todo may go then (state S5).
   * Answers the recipients still to do, with their places.
   */
  async writeSplit(id: number, message: SplitMessage): Promise<Record<Channel, ChannelRecord[]>> {
    this.removeLeftovers(id);
    const todo: Record<Channel, ChannelRecord[]> = { local: [], remote: [] };
    const syncs: Promise<void>[] = [];
    const put = (dir: "info" | "local" | "remote" | "bounce", octets: Uint8Array, folder: string) => {
      const path = queueFile(this.#home, dir, id);
      const file = this.#disk.create(path, 0o600);
      try {
        file.write(octets);
        if (dir === "info") this.#disk.setMtime(path, message.birthSeconds);
      } catch (error) {
        file.close();
        throw error;
      }
      syncs.push(file.sync().finally(() => file.close()), this.#disk.syncDir(folder));
    };
    try {
      if (message.bounce !== "") put("bounce", toOctets(message.bounce), this.#home.queue("bounce"));
      for (const channel of channels) {
        const formatted = formatChannel(message.recipients[channel]);
        todo[channel] = formatted.records.filter((record) => !record.done);
        if (todo[channel].length > 0) put(channel, formatted.octets, queueFolder(this.#home, channel, id));
      }
      put("info", formatInfo(message.sender), queueFolder(this.#home, "info", id));
    } finally {
      // Waited for in any case: a sync that fails unheard would end the process.
      await Promise.all(syncs);
    }
    return todo;
  }

  /** Birth of a message in S5 and the next attempt of each channel it has a file for; `undefined` when it is gone. */
  readRetryTimes(id: number): { birthSeconds: number; next: Partial<Record<Channel, number>> } | undefined {
    const info = this.#disk.stat(queueFile(this.#home, "info", id));
    if (info === undefined) return undefined;
    const next: Partial<Record<Channel, number>> = {};
    for (const channel of channels) {
      const stat = this.#disk.stat(queueFile(this.#home, channel, id));
      if (stat !== undefined) next[channel] = stat.mtimeSeconds;
    }
    return { birthSeconds: info.mtimeSeconds, next };
  }

  readSender(id: number): Result<string, string> {
    return parseInfo(this.#disk.readFile(queueFile(this.#home, "info", id)));
  }

  /** The recipients still to do; none where there is no file (any more). */
  readChannel(id: number, channel: Channel): Result<ChannelRecord[], string> {
    const path = queueFile(this.#home, channel, id);
    if (this.#disk.stat(path) === undefined) return { ok: true, value: [] };
    const parsed = parseChannel(this.#disk.readFile(path));
    return parsed.ok ? { ok: true, value: parsed.value.filter((record) => !record.done) } : parsed;
  }

  /** Overwrites one letter in place. Not synced: a crash may cost a second delivery, as in qmail. */
  markDone(id: number, channel: Channel, offset: number): void {
    const file = this.#disk.openWrite(queueFile(this.#home, channel, id));
    try {
      file.writeAt(offset, doneMark);
    } finally {
      file.close();
    }
  }

  /** Kept in the file's time, so that a restart knows it (Unlike qmail: at once, not only at an orderly end). */
  setNextAttempt(id: number, channel: Channel, atSeconds: number): void {
    this.#disk.setMtime(queueFile(this.#home, channel, id), atSeconds);
  }

  removeChannel(id: number, channel: Channel): void {
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

function ids(names: readonly string[]): number[] {
  return names.map(parseQueueId).filter((id) => id !== undefined);
}
