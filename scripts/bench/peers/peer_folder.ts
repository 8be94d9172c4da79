/**
 * The folder of a server of another make: made below the file system that is measured, with Maildirs like those of ours,
 * and removed with everything in it.
 * @module
 */
import { join } from "@std/path";
import { pause } from "../clock.ts";
import { host } from "../instance.ts";
import { expandMaildirs } from "../pattern.ts";
import type { Server } from "../server.ts";
import type { Greeted } from "./child_server.ts";

/** Where it is and whose mailboxes are in it. */
export interface PeerFolder {
  readonly dir: string;
  readonly maildirs: readonly string[];
}

/** An id that no account of the machine has; mailboxes are its. */
export const mailboxId = 61_003;

/** Makes a folder that every user may enter, and Maildirs u0, u1 and so on in `mail`. */
export function makePeerFolder(below: string, name: string, users: number): PeerFolder {
  const dir = Deno.makeTempDirSync({ dir: below, prefix: `dqmail-bench-${name}-` });
  Deno.chmodSync(dir, 0o755);
  const mail = join(dir, "mail");
  makeOwned(mail);
  const maildirs = users === 0 ? [] : expandMaildirs(join(mail, "u%u", "Maildir"), users);
  for (const maildir of maildirs) {
    for (const folder of [join(maildir, ".."), maildir, ...["cur", "new", "tmp"].map((part) => join(maildir, part))]) {
      makeOwned(folder);
    }
  }
  return { dir, maildirs };
}

function makeOwned(path: string): void {
  Deno.mkdirSync(path, { mode: 0o755 });
  Deno.chownSync(path, mailboxId, mailboxId);
}

const removeLimitMs = 10_000;
const removeAgainMs = 100;

/** What a server has begun goes on behind its end, and makes files while others are removed: Exim's deliveries do. */
async function removeFolder(dir: string): Promise<void> {
  const endMs = performance.now() + removeLimitMs;
  for (;;) {
    try {
      return await Deno.remove(dir, { recursive: true });
    } catch (error) {
      const isFilled = (error as { code?: unknown }).code === "ENOTEMPTY";
      if (!isFilled || performance.now() > endMs) throw error;
      await pause(removeAgainMs);
    }
  }
}

/** The running server, as the scenarios know one. The folder is gone when it is disposed of, or cannot be started. */
export async function serveFrom(
  { dir, maildirs }: PeerFolder,
  port: number,
  start: () => Promise<Greeted>,
): Promise<Server> {
  const remove = () => removeFolder(dir);
  let greeted: Greeted;
  try {
    greeted = await start();
  } catch (error) {
    await remove();
    throw error;
  }
  let disposed: Promise<void> | undefined; // a second call waits as well
  return {
    home: dir,
    host,
    port,
    get pid() {
      return greeted.pid;
    },
    maildirs,
    async restart() {
      await greeted.stop();
      greeted = await start();
      return greeted.greetingSeconds;
    },
    [Symbol.asyncDispose]: () => disposed ??= greeted.stop().then(remove),
  };
}
