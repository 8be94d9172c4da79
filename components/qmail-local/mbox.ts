/**
 * Delivery into an mbox file: appended under an exclusive lock, synced, and cut back to where it ended when anything
 * fails. Unlike a Maildir it is not proof against a power loss in the middle.
 * @module
 */
import { ifThere } from "../lib/disk/if_there.ts";
import { FromQuoter } from "../lib/message/mbox_lines.ts";

/** So long the lock is waited for. */
export const lockMs = 30_000;
const tryEveryMs = 50;

/** An open mbox file, as far as a delivery needs it. */
export interface MboxFile {
  /** Whether the lock is ours now. Throws where locks do not work. */
  tryLock(): Promise<boolean>;
  size(): number;
  /** Appends all octets. */
  write(octets: Uint8Array): void;
  truncate(sizeBytes: number): void;
  sync(): Promise<void>;
  close(): void;
}

export interface MboxOptions {
  readonly lockMs?: number;
  readonly sleep?: (ms: number) => Promise<void>;
}

/** Opens `path` for appending, making it where it is absent. Throws what the system says, an Error for what is no file. */
export async function openMbox(path: string, followLinks: boolean): Promise<MboxFile> {
  const before = ifThere(() => followLinks ? Deno.statSync(path) : Deno.lstatSync(path));
  // Before it is opened: to open a FIFO is to wait for a reader.
  if (before !== undefined && !before.isFile) throw new Error("it is no regular file");
  const file = await Deno.open(path, { read: true, append: true, create: true, mode: 0o600 });
  const info = file.statSync();
  if (!info.isFile || (before !== undefined && (before.ino !== info.ino || before.dev !== info.dev))) {
    file.close();
    throw new Error("it is another file than a moment ago");
  }
  return {
    tryLock: () => file.tryLock(true),
    size: () => file.statSync().size,
    write: (octets) => {
      for (let at = 0; at < octets.length;) at += file.writeSync(octets.subarray(at));
    },
    truncate: (sizeBytes) => file.truncateSync(sizeBytes),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

/** Appends one message, `head` (its From_ line among it) in front, and closes the file; answers false when the lock was not to be had. */
export async function deliverToMbox(
  file: MboxFile,
  head: Uint8Array,
  pieces: AsyncIterable<Uint8Array>,
  options: MboxOptions = {},
): Promise<boolean> {
  try {
    const lock = await takeLock(file, options);
    if (lock === "busy") return false;
    const end = file.size();
    try {
      const quoter = new FromQuoter();
      file.write(head);
      for await (const piece of pieces) {
        for (const part of quoter.push(piece)) file.write(part);
      }
      for (const part of quoter.finish()) file.write(part);
      await file.sync();
    } catch (error) {
      // Without the lock somebody else's message may stand behind ours.
      if (lock === "ours") file.truncate(end);
      throw error;
    }
    return true;
  } finally {
    file.close();
  }
}

async function takeLock(file: MboxFile, options: MboxOptions): Promise<"ours" | "busy" | "none"> {
  const { sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)) } = options;
  for (let waitedMs = 0;; waitedMs += tryEveryMs) {
    try {
      if (await file.tryLock()) return "ours";
    } catch {
      // A file system without locks: everybody goes on without one.
      return "none";
    }
    if (waitedMs >= (options.lockMs ?? lockMs)) return "busy";
    await sleep(tryEveryMs);
  }
}
