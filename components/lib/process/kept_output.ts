/**
 * What a program says, of which the beginning is kept.
 * @module
 */
import type { Readable } from "node:stream";
import { fromOctets } from "../octets.ts";
import { concat } from "../wire/frame.ts";

/** So long a process that left the program's session may hold its output. */
const lingerMs = 1000;

export interface Kept {
  /** All there is, once the program has ended. An octet string. */
  text(): Promise<string>;
}

/** Reads all, keeps the beginning; `onFlood` is told when there is more than that. */
export function keep(stream: Readable, most: number, onFlood: () => void = () => {}): Kept {
  const pieces: Uint8Array[] = [];
  let [bytes, kept] = [0, 0];
  const ended = Promise.withResolvers<void>();
  stream.on("data", (piece: Uint8Array) => {
    const part = piece.slice(0, most - kept);
    kept += part.length;
    if (part.length > 0) pieces.push(part);
    if (bytes <= most && bytes + piece.length > most) onFlood();
    bytes += piece.length;
  });
  for (const event of ["end", "close", "error"]) stream.on(event, () => ended.resolve());
  return {
    text: async () => {
      const timer = setTimeout(ended.resolve, lingerMs);
      await ended.promise;
      clearTimeout(timer);
      stream.destroy();
      return fromOctets(concat(pieces, kept));
    },
  };
}
