/**
 * The message on descriptor 0 for those that read it more than once: a file is read again, what else it is (a pipe) comes
 * once and is kept in memory.
 * @module
 */
import { toOctets } from "../../lib/octets.ts";
import type { Caller } from "./caller.ts";
import { type Exit, runFed, runWithInput } from "./child.ts";
import { inputIsFile, readAllInput, readInput, readInputFile } from "./input.ts";

export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface Message {
  /** From its first octet, each time. */
  read(): Pieces;
  /** Runs a program with the message on its input, behind the lines of `front`; answers how it ended. */
  feed(caller: Caller, words: readonly string[], front?: string): Promise<Exit>;
}

export async function openMessage(): Promise<Message> {
  if (inputIsFile()) {
    // The first has the file itself; it leaves the position behind what it read, and Deno cannot set it back.
    let untouched = true;
    return {
      read: readInputFile,
      feed: (caller, words, front = "") => {
        if (!untouched || front !== "") return runFed(caller, words, behind(front, readInputFile()));
        untouched = false;
        return runWithInput(caller, words);
      },
    };
  }
  const pieces = await readAllInput();
  return { read: () => pieces, feed: (caller, words, front = "") => runFed(caller, words, behind(front, pieces)) };
}

/** Lines and then the message. */
export async function* behind(
  front: string,
  message: Pieces = readInput(),
): AsyncGenerator<Uint8Array, void, undefined> {
  if (front !== "") yield toOctets(front);
  yield* message;
}
