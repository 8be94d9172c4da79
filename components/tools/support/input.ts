/**
 * The message on descriptor 0, in pieces, and octets on their way out.
 * @module
 */
import fs from "node:fs";
import { toOctets } from "../../lib/octets.ts";

const pieceBytes = 64 * 1024;

/** What is written to: a descriptor, or a child's standard input. */
export interface Output {
  write(octets: Uint8Array): Promise<number | void>;
}

/** Writes all of an octet string, or of octets. */
export async function writeOctets(output: Output, text: string | Uint8Array): Promise<void> {
  const octets = typeof text === "string" ? toOctets(text) : text;
  // A stream's writer takes all at once and answers nothing.
  for (let at = 0; at < octets.length;) at += await output.write(octets.subarray(at)) ?? octets.length;
}

/** From where the caller stands to the end; each piece may be kept. */
export async function* readInput(): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = new Uint8Array(pieceBytes);
  for (let count = await Deno.stdin.read(buffer); count !== null; count = await Deno.stdin.read(buffer)) {
    yield buffer.slice(0, count);
  }
}

/** All of it, held in memory. */
export async function readAllInput(): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readInput()) pieces.push(piece);
  return pieces;
}

/** Whether descriptor 0 can be read twice. */
export function inputIsFile(): boolean {
  return fs.fstatSync(0).isFile();
}

/** From its first octet, wherever the position is by now; only where {@link inputIsFile}. */
export async function* readInputFile(): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0;;) {
    const buffer = new Uint8Array(pieceBytes);
    const count = await readAt(buffer, at);
    if (count === 0) return;
    at += count;
    yield buffer.subarray(0, count);
  }
}

function readAt(buffer: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.read(0, buffer, 0, buffer.length, at, (error, count) => error === null ? resolve(count) : reject(error))
  );
}
