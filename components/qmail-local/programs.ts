/**
 * Runs programs of `.qmail` files through the script of program_script.ts: the message on standard input, what they say
 * kept up to a limit, an end to each of them.
 * @module
 */
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { fromOctets } from "../lib/octets.ts";
import { endOf, type ProgramEnd } from "../lib/process/program_end.ts";
import { concat } from "../lib/wire/frame.ts";
import { MessageUnreadable } from "./message_pieces.ts";
import { programWords } from "./program_script.ts";

/** Octets of a program's output that are kept; what is more is read and forgotten. */
export const mostOutput = 10_000;
/** So long a script that was told to end may take. */
const killMs = 2000;
/** So long a process that left the program's session may hold its output. */
const lingerMs = 1000;

export interface Program {
  /** For `/bin/sh -c`; an octet string. */
  readonly command: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly home: string;
  readonly seconds: number;
}

export interface ProgramResult {
  readonly end: ProgramEnd;
  /** An octet string. */
  readonly output: string;
}

export class Programs {
  readonly #script: string;
  readonly #running = new Set<Deno.ChildProcess>();

  /** `script`: path of `libexec/launch/program`. */
  constructor(script: string) {
    this.#script = script;
  }

  /** Throws {@link MessageUnreadable}, or what the system says to the start of a process. */
  async run({ command, environment, home, seconds }: Program, body: MessageBody): Promise<ProgramResult> {
    const child = new Deno.Command(this.#script, {
      args: programWords(Deno.pid, seconds, command, environment),
      cwd: home,
      clearEnv: true,
      // Its own group: who kills ours still leaves it the time to end what it started.
      detached: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#running.add(child);
    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      end(child);
    }, seconds * 1000);
    const ended = Promise.withResolvers<void>();
    const fed = feed(child, body, ended.promise);
    const output = readOutput(child.stdout);
    try {
      const status = await child.status;
      ended.resolve();
      await fed;
      return { end: endOf(status, timedOut), output: await output.text() };
    } finally {
      clearTimeout(limit);
      this.#running.delete(child);
    }
  }

  /** Ends those that run: nobody waits for them any more. */
  endAll(): void {
    for (const child of this.#running) end(child);
  }
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // It ended a moment ago.
    return;
  }
  const timer = setTimeout(() => {
    try {
      child.kill("SIGKILL");
    } catch {
      // As it should.
    }
  }, killMs);
  void child.status.then(() => clearTimeout(timer));
}

/** Writes the message to the program for as long as it reads; settles when nothing more is under way. */
async function feed(child: Deno.ChildProcess, body: MessageBody, ended: Promise<void>): Promise<void> {
  const writer = child.stdin.getWriter();
  let over = false;
  void ended.then(() => over = true);
  const pieces = body.pieces();
  try {
    while (!over) {
      // Waited for in any case: the next instruction may not ask for a piece while this one is on its way.
      const next = await pieces.next().catch((error) => {
        // Its input stays open: a program that sees the end would take the beginning for all.
        end(child);
        throw new MessageUnreadable(String(error));
      });
      if (next.done === true) break;
      const written = writer.write(next.value).then(() => true, () => false);
      // A program need not read its message.
      if (!await Promise.race([written, ended.then(() => false)])) break;
    }
    void writer.close().catch(() => {});
  } catch (error) {
    await child.status;
    void writer.abort().catch(() => {});
    throw error;
  }
}

interface Output {
  /** All there is, once the program has ended. */
  text(): Promise<string>;
}

function readOutput(stream: ReadableStream<Uint8Array>): Output {
  const reader = stream.getReader();
  const kept: Uint8Array[] = [];
  let bytes = 0;
  const read = async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const piece = value.subarray(0, mostOutput - bytes);
      // A copy of little: the whole buffer need not stay.
      if (piece.length > 0) kept.push(piece.slice());
      bytes += piece.length;
    }
  };
  const done = read().catch(() => {});
  return {
    text: async () => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([done, new Promise<void>((resolve) => timer = setTimeout(resolve, lingerMs))]);
      clearTimeout(timer);
      void reader.cancel().catch(() => {});
      return fromOctets(concat(kept, bytes));
    },
  };
}
