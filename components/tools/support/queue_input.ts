/**
 * What a program in qmail-queue's place is given (qmail's interface): the message on descriptor 0, the envelope on
 * descriptor 1.
 * @module
 */
import fs from "node:fs";

const pieceBytes = 64 * 1024;

/** The descriptor's next octets; `undefined` at its end. */
export type Read = () => Promise<Uint8Array | undefined>;

const buffer = new Uint8Array(pieceBytes);

/** A piece is the caller's to keep. */
export async function readMessage(): Promise<Uint8Array | undefined> {
  const count = await Deno.stdin.read(buffer);
  return count === null ? undefined : buffer.slice(0, count);
}

/**
 * Deno.stdout only writes, and to open /dev/fd/1 takes all permissions there are; but what is open already may be read
 * without any, through node's interface. A piece is valid until the next is read.
 */
export function readEnvelope(): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) =>
    fs.read(1, buffer, 0, buffer.length, null, (error, count) => {
      if (error !== null) reject(error);
      else resolve(count === 0 ? undefined : buffer.subarray(0, count));
    })
  );
}
