/**
 * One message on its way into qmail's layout: a file named by its inode in mess, the envelope in intd, and the link in
 * todo that makes it ours. What stands on the disk after a crash at any step is one of the states S1 to S4 of
 * ARCHITECTURE.md; only S4 is a message, and S2 with a record of the journal, which has the envelope.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Disk, DiskFile } from "../lib/disk/disk.ts";
import { queueFile, queueFolder } from "../lib/queue/layout.ts";
import { formatOptionsFile } from "../lib/queue/options_file.ts";

export interface Born {
  /** Unique among the names in pid/ while this process lives. */
  readonly serial: number;
  readonly qp: number;
  readonly unixSeconds: number;
}

export class Draft {
  readonly #disk: Disk;
  readonly #home: Home;
  /** Undefined: the text is a message's already. */
  readonly #mess: DiskFile | undefined;
  /** The first octets of the text: of one that is written here, what it was begun with. */
  readonly beginning: Uint8Array;
  /** The inode of the mess file: the message's number. */
  readonly id: number;
  readonly birthSeconds: number;
  /** Octets of the text so far. */
  sizeBytes = 0;
  #open = true;
  /** Whether text and name are on stable storage. */
  #kept: boolean;
  #hasOptions = false;

  private constructor(
    disk: Disk,
    home: Home,
    { id, mess, birthSeconds, beginning }: {
      readonly id: number;
      readonly mess: DiskFile | undefined;
      readonly birthSeconds: number;
      readonly beginning: Uint8Array;
    },
  ) {
    this.#disk = disk;
    this.#home = home;
    this.#mess = mess;
    this.#kept = mess === undefined;
    this.beginning = beginning;
    this.birthSeconds = birthSeconds;
    this.id = id;
  }

  /** Makes the mess file (state S2) with this in it, its Received field first. Throws what the disk says; nothing stays then. */
  static begin(disk: Disk, home: Home, born: Born, content: readonly Uint8Array[]): Draft {
    const birthName = home.queue("pid", `${born.qp}.${born.unixSeconds}.${born.serial}`);
    const mess = disk.create(birthName, 0o644);
    const beginning = content[0] ?? new Uint8Array();
    const draft = new Draft(disk, home, { id: mess.inode, mess, birthSeconds: born.unixSeconds, beginning });
    try {
      disk.link(birthName, queueFile(home, "mess", draft.id));
    } catch (error) {
      // A queue that was copied has files under other numbers than their inodes: that message is not ours to remove.
      draft.close();
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
   * Makes the file that keeps the number of a message in the journal its mess file (state S2), with this in it. Throws
   * what the disk says; the number stays kept.
   */
  static adopt(disk: Disk, home: Home, kept: string, birthSeconds: number, content: Uint8Array): Draft {
    const mess = disk.openEmpty(kept);
    const draft = new Draft(disk, home, { id: mess.inode, mess, birthSeconds, beginning: content });
    try {
      disk.link(kept, queueFile(home, "mess", draft.id));
      draft.write(content);
      disk.setMtime(kept, birthSeconds);
      return draft;
    } catch (error) {
      draft.abort();
      throw error;
    }
  }

  /** The text of a message of the journal that stands in mess: it begins so, and stays whatever becomes of the envelope. */
  static ofMess(disk: Disk, home: Home, id: number, birthSeconds: number, beginning: Uint8Array): Draft {
    return new Draft(disk, home, { id, mess: undefined, birthSeconds, beginning });
  }

  /** Adds content. Throws what the disk says; call {@link abort} then. */
  write(content: Uint8Array): void {
    this.#mess?.write(content);
    this.sizeBytes += content.length;
  }

  /** Settles once text and name (state S2) are on stable storage. Throws what the disk says; call {@link abort} then. */
  async keep(): Promise<void> {
    await Promise.all(this.#textSyncs());
    this.#kept = true;
  }

  #textSyncs(): Promise<void>[] {
    const { id } = this;
    if (this.#kept || this.#mess === undefined) return [];
    return [this.#mess.sync(), this.#disk.syncDir(queueFolder(this.#home, "mess", id))];
  }

  /**
   * Queues it with an envelope in todo's format (state S4) and settles once content, envelope and both folders' entries
   * are on stable storage; `options`, what the client asked for beside it, as well. Throws what the disk says; the message
   * is gone then.
   */
  async commit(envelope: Uint8Array, options?: string): Promise<void> {
    const disk = this.#disk;
    const intdPath = queueFile(this.#home, "intd", this.id);
    const todoPath = queueFile(this.#home, "todo", this.id);
    let linked = false;
    try {
      const intd = disk.create(intdPath, 0o644);
      let asked: DiskFile | undefined;
      try {
        intd.write(envelope);
        if (options !== undefined) asked = this.#writeOptions(options);
        const syncs = [...this.#textSyncs(), intd.sync()];
        if (asked !== undefined) syncs.push(asked.sync(), disk.syncDir(this.#home.queue("options")));
        // The link must not outlive what it points to: all of them before it, its own folder after it.
        await Promise.all(syncs);
      } finally {
        intd.close();
        asked?.close();
      }
      disk.link(intdPath, todoPath);
      linked = true;
      await disk.syncDir(this.#home.queue("todo"));
    } catch (error) {
      disk.remove(todoPath);
      if (linked && this.#hasOptions) await this.#keepOptionsUnlessGone();
      this.abort();
      throw error;
    }
    this.close();
  }

  /**
   * A power loss may bring back an envelope whose removal is not on stable storage: its options have to be there then. As
   * long as it is not they stay, as nobody's: they name the text they belong to.
   */
  async #keepOptionsUnlessGone(): Promise<void> {
    try {
      await this.#disk.syncDir(this.#home.queue("todo"));
    } catch {
      this.#hasOptions = false;
    }
  }

  /** A file of that name was an earlier message's. */
  #writeOptions(options: string): DiskFile {
    const path = queueFile(this.#home, "options", this.id);
    this.#hasOptions = true;
    this.#disk.remove(path);
    const file = this.#disk.create(path, 0o644);
    try {
      file.write(formatOptionsFile(options, this.beginning));
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Removes what was written. */
  abort(): void {
    this.close();
    this.#disk.remove(queueFile(this.#home, "intd", this.id));
    if (this.#hasOptions) this.#disk.remove(queueFile(this.#home, "options", this.id));
    if (this.#mess !== undefined) this.#disk.remove(queueFile(this.#home, "mess", this.id));
  }

  /** Nothing more is written. */
  close(): void {
    if (this.#open) this.#mess?.close();
    this.#open = false;
  }
}
