/**
 * A file written anew: beside it, synced, and then in its place, so that whoever dies on the way leaves one of the two.
 * @module
 */
import type { Disk } from "./disk.ts";

/** Its folder is not synced: a power loss may bring the old file back. Throws what the disk says. */
export async function replaceFile(disk: Disk, path: string, octets: Uint8Array, mode: number): Promise<void> {
  const fresh = `${path}.new`;
  disk.remove(fresh);
  const file = disk.create(fresh, mode);
  try {
    file.write(octets);
    await file.sync();
  } finally {
    file.close();
  }
  disk.rename(fresh, path);
}
