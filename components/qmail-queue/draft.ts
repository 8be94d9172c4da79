/**
 * One message on its way into qmail's layout: a file named by its inode in mess, the envelope in intd, and the link in
 * todo that makes it ours. What stands on the disk after a crash at any step is one of the states S1 to S4 of
 * ARCHITECTURE.md; only S4 is a message.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Disk, DiskFile } from "../lib/disk/disk.ts";
import { type Invocation, queueReceived } from "../lib/message/received.ts";
import { toOctets } from "../lib/octets.ts";
import { formatTodo, type TodoEnvelope } from "../lib/queue/envelope.ts";
import { queueFile, queueFolder } from "../lib/queue/layout.ts";

export interface Born {
  /** Unique among the names in pid/ while this process lives. */
  readonly serial: number;
  readonly qp: number;
  /** The words after "invoked" in the queue's Received line. */
  readonly how: Invocation;
  readonly unixSeconds: number;
}

export class Draft {
  readonly #disk: Disk;
  readonly #home: Home;
  readonly #mess: DiskFile;
  /** The inode of the mess file: the message's number. */
  readonly id: number;
  #open = true;

  /** Makes the mess file (state S2) with the Received line and `content`. Throws what the disk says; nothing stays then. */
  constructor(disk: Disk, home: Home, born: Born, content?: Uint8Array) {
    this.#disk = disk;
    this.#home = home;
    const birthName = home.queue("pid", `${born.qp}.${born.unixSeconds}.${born.serial}`);
    this.#mess = disk.create(birthName, 0o644);
    this.id = this.#mess.inode;
    try {
      disk.link(birthName, queueFile(home, "mess", this.id));
    } catch (error) {
      // A queue that was copied has files under other numbers than their inodes: that message is not ours to remove.
      this.#close();
      disk.remove(birthName);
      throw error;
    }
    try {
      disk.remove(birthName);
      this.#mess.write(withReceived(born, content));
    } catch (error) {
      disk.remove(birthName);
      this.abort();
      throw error;
    }
  }

  /** Adds content. Throws what the disk says; call {@link abort} then. */
  write(content: Uint8Array): void {
    this.#mess.write(content);
  }

  /**
   * Queues it (state S4) and settles once content, envelope and both folders' entries are on stable storage. Throws what
   * the disk says; the message is gone then.
   */
  async commit(envelope: TodoEnvelope): Promise<void> {
    const disk = this.#disk;
    const intdPath = queueFile(this.#home, "intd", this.id);
    const todoPath = queueFile(this.#home, "todo", this.id);
    try {
      const intd = disk.create(intdPath, 0o644);
      try {
        intd.write(formatTodo(envelope));
        // The link must not outlive what it points to: all three before it, its own folder after it.
        await Promise.all([this.#mess.sync(), intd.sync(), disk.syncDir(queueFolder(this.#home, "mess", this.id))]);
      } finally {
        intd.close();
      }
      disk.link(intdPath, todoPath);
      await disk.syncDir(this.#home.queue("todo"));
    } catch (error) {
      disk.remove(todoPath);
      this.abort();
      throw error;
    }
    this.#close();
  }

  /** Removes what was written. */
  abort(): void {
    this.#close();
    this.#disk.remove(queueFile(this.#home, "intd", this.id));
    this.#disk.remove(queueFile(this.#home, "mess", this.id));
  }

  #close(): void {
    if (this.#open) this.#mess.close();
    this.#open = false;
  }
}

function withReceived(born: Born, content: Uint8Array | undefined): Uint8Array {
  const received = toOctets(queueReceived({ qp: born.qp, how: born.how, unixSeconds: born.unixSeconds }));
  if (content === undefined) return received;
  const all = new Uint8Array(received.length + content.length);
  all.set(received);
  all.set(content, received.length);
  return all;
}
