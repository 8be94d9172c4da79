/**
 * One process at a time: an exclusive lock on a file, gone with the process that holds it.
 * @module
 */
import { CannotStart } from "./component.ts";

const attempts = 50;
const waitMs = 100;

/**
 * Takes the lock of `path`, making the file where it is absent. A predecessor may still be ending: tries for five
 * seconds, then throws {@link CannotStart}. Keep the file open for as long as the lock is wanted.
 */
export async function takeLock(path: string): Promise<Deno.FsFile> {
  const file = Deno.openSync(path, { write: true, create: true, mode: 0o600 });
  for (let attempt = 1; !await file.tryLock(true); attempt++) {
    if (attempt === attempts) throw new CannotStart(`${path} is locked: this component is already running`);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  return file;
}
