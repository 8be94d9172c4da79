/**
 * One message on its way into qmail's layout: a file named by its inode in mess, the envelope in intd, and the link in
 * todo that makes it ours. What stands on the disk after a crash at any step is one of the states S1 to S4 of
 * ARCHITECTURE.md; only S4 is a message.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Disk, DiskFile } from "../lib/disk/disk.ts";
import { journalNumbers, queueFile, queueFolder } from "../lib/queue/layout.ts";

export interface Born {
  /** Unique among the names in pid/ while this process lives. */
  readonly serial: number;
  readonly qp: number;
  readonly unixSeconds: number;
}

export class Draft {
  readonly #disk: Disk;
  readonly #home: Home;
  readonly #mess: DiskFile;
  /** The inode of the mess file: the message's number. */
  readonly id: number;
  #open = true;

  private constructor(disk: Disk, home: Home, mess: DiskFile) {
    this.#disk = disk;
    this.#home = home;
    this.#mess = mess;
    this.id = mess.inode;
  }

  /** Makes the mess file (state S2) with this in it. Throws what the disk says; nothing stays then. */
  static begin(disk: Disk, home: Home, born: Born, content: readonly Uint8Array[]): Draft {
    const birthName = home.queue("pid", `${born.qp}.${born.unixSeconds}.${born.serial}`);
    const draft = new Draft(disk, home, disk.create(birthName, 0o644));
    try {
      disk.link(birthName, queueFile(home, "mess", draft.id));
    } catch (error) {
      // A queue that was copied has files under other numbers than their inodes: that message is not ours to remove.
      draft.#close();
      disk.remove(birthName);
      throw error;
    }
    try {
      disk.remove(birthName);
      for (const part of content) draft.write(part);
      return draft;
    } catch (error) {
      disk.remove(birthName);
      draft.abort();
      throw error;
    }
  }

  /**
   * Makes the file that keeps the number `id` for a message of the journal its mess file (state S2), with this in it.
   * Throws what the disk says; the number stays kept.
   */
  static adopt(disk: Disk, home: Home, id: number, birthSeconds: number, content: Uint8Array): Draft {
    const kept = journalNumbers(home, id);
    const draft = new Draft(disk, home, disk.openEmpty(kept));
    try {
      disk.link(kept, queueFile(home, "mess", id));
      draft.write(content);
      disk.setMtime(kept, birthSeconds);
      return draft;
    } catch (error) {
      draft.abort();
      throw error;
    }
  }

  /** Adds content. Throws what the disk says; call {@link abort} then. */
  write(content: Uint8Array): void {
    this.#mess.write(content);
  }

  /**
   * Queues it with an envelope in todo's format (state S4) and settles once content, envelope and both folders' entries
   * are on stable storage. Throws what the disk says; the message is gone then.
   */
  async commit(envelope: Uint8Array): Promise<void> {
    const disk = this.#disk;
    const intdPath = queueFile(this.#home, "intd", this.id);
    const todoPath = queueFile(this.#home, "todo", this.id);
    try {
      const intd = disk.create(intdPath, 0o644);
      try {
        intd.write(envelope);
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
