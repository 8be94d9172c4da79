/**
 * `@std/fs` on a machine that cannot reach JSR: the functions this project uses, with the documented behaviour.
 * @module
 */

/** Makes the folder and its parents; content with one that is there. */
export async function ensureDir(dir: string): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
}

/** Makes the folder and its parents; content with one that is there. */
export function ensureDirSync(dir: string): void {
  Deno.mkdirSync(dir, { recursive: true });
}

/** Whether there is anything of that name (a dangling symlink counts as nothing). */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Whether there is anything of that name (a dangling symlink counts as nothing). */
export function existsSync(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
