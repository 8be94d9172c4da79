/**
 * A queued message as those read it who deliver or bounce it: its size, and any piece of it.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { readAt } from "../disk/read_at.ts";
import type { JournalReader } from "../queue/journal/reader.ts";
import { queueFile } from "../queue/layout.ts";
import type { JournalPlace } from "../wire/queue_protocol.ts";

/** Octets of one piece. */
export const pieceBytes = 128 * 1024;

export interface MessageText {
  readonly sizeBytes: number;
  /** Up to {@link pieceBytes} octets from `offset` on; empty at the end. Throws what the system says. */
  read(offset: number): Uint8Array;
  close(): void;
}

/** Opens message `id`, in the journal where it has a place there. Throws what the system says, or an Error for what is no message. */
export function openMessage(
  home: Home,
  journal: JournalReader,
  id: number,
  place: JournalPlace | undefined,
): MessageText {
  const content = place === undefined ? undefined : journal.read(place);
  // Not there, or not any more: a large one's text stands in mess, and a small one may have moved there meanwhile.
  return content === undefined ? MessageFile.open(home, id) : new MessageOctets(content);
}

/** A message in memory. */
export class MessageOctets implements MessageText {
  readonly #octets: Uint8Array;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  get sizeBytes(): number {
    return this.#octets.length;
  }

  read(offset: number): Uint8Array {
    return this.#octets.subarray(offset, offset + pieceBytes);
  }

  close(): void {}
}

/** A message in mess. Only a regular file under its own number is one; anything else found there is refused. */
export class MessageFile implements MessageText {
  readonly sizeBytes: number;
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  /** Opens message `id`. Throws what the system says, or an Error for a file that is no message. */
  static open(home: Home, id: number): MessageFile {
    const path = queueFile(home, "mess", id);
    // Before it is opened: opening a FIFO would wait for a writer, and everybody with it.
    if (!Deno.lstatSync(path).isFile) throw new Error(`mess file of message ${id} is no regular file`);
    const file = Deno.openSync(path, { read: true });
    try {
      const info = file.statSync();
      if (!info.isFile) throw new Error(`mess file of message ${id} is no regular file`);
      return new MessageFile(file, info.size);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  read(offset: number): Uint8Array {
    const count = Math.max(0, Math.min(pieceBytes, this.sizeBytes - offset));
    const piece = readAt(this.#file, offset, count);
    if (piece.length < count) throw new Error("the message became shorter while it was read");
    return piece;
  }

  close(): void {
    this.#file.close();
  }
}
