/**
 * What is known of Maildirs from earlier sessions, so that a large one need not be looked at file by file each time; as
 * many messages at the most as fit into some 100 MiB, those of mailboxes that were not opened for longest go first.
 * @module
 */
import { type Maildir, outdated, type Reading, type ScanOptions } from "./maildir.ts";

/** Messages in all; a mailbox that has more is known only while it is being opened. */
export const mostKnown = 600_000;

export class KnownMaildirs {
  /** By path, the one opened last at the end. */
  readonly #readings = new Map<string, Reading>();
  readonly #scans = new Map<string, Promise<Reading>>();
  #messages = 0;
  /** Sessions that have changed something so far. */
  #changes = 0;

  get messages(): number {
    return this.#messages;
  }

  /** The Maildir as it stands. Throws what the system says. */
  async read(maildir: Maildir, options: ScanOptions): Promise<Reading> {
    const { path } = maildir;
    // What another session is finding out just now need not be found out twice.
    const running = this.#scans.get(path);
    if (running !== undefined) await running.catch(() => {});
    const changes = this.#changes;
    const scan = maildir.scan(this.#readings.get(path), options);
    this.#scans.set(path, scan);
    try {
      const reading = await scan;
      this.#keep(path, changes === this.#changes ? reading : outdated(reading));
      return reading;
    } finally {
      if (this.#scans.get(path) === scan) this.#scans.delete(path);
    }
  }

  /** A session has removed or moved messages there. */
  changed({ path }: Maildir): void {
    this.#changes++;
    const reading = this.#readings.get(path);
    if (reading !== undefined) this.#readings.set(path, outdated(reading));
  }

  #keep(path: string, reading: Reading): void {
    this.#drop(path);
    this.#readings.set(path, reading);
    this.#messages += reading.snapshot.size;
    while (this.#messages > mostKnown) this.#drop(this.#readings.keys().next().value!);
  }

  #drop(path: string): void {
    this.#messages -= this.#readings.get(path)?.snapshot.size ?? 0;
    this.#readings.delete(path);
  }
}
