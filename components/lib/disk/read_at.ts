/**
 * Reads a piece of an open file.
 * @module
 */

/** `count` octets from `offset` on; fewer where the file ends. Moves the file's position. Throws what the system says. */
export function readAt(file: Deno.FsFile, offset: number, count: number): Uint8Array {
  file.seekSync(offset, Deno.SeekMode.Start);
  const octets = new Uint8Array(count);
  let filled = 0;
  while (filled < count) {
    const read = file.readSync(octets.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return octets.subarray(0, filled);
}
