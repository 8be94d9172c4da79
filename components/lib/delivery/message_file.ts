/**
 * A queued message as a spawner reads it: its size, and any piece of it. Only a regular file under its own number is
 * one; anything else found there is refused.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { queueFile } from "../queue/layout.ts";

/** Octets of one piece. */
export const pieceBytes = 128 * 1024;

export class MessageFile {
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

  /** Up to {@link pieceBytes} octets from `offset` on; empty at the end. */
  read(offset: number): Uint8Array {
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    const piece = new Uint8Array(Math.max(0, Math.min(pieceBytes, this.sizeBytes - offset)));
    let filled = 0;
    while (filled < piece.length) {
      const count = this.#file.readSync(piece.subarray(filled));
      if (count === null) throw new Error("the message became shorter while it was read");
      filled += count;
    }
    return piece;
  }

  close(): void {
    this.#file.close();
  }
}
