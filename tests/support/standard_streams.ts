/**
 * The standard streams of a component that is run in this process, and those of children it would start: no process is
 * made, what is written to them arrives at the other end of a {@link memoryPair}.
 * @module
 */
import type { Streams } from "../../components/lib/wire/pipe.ts";
import { memoryPair } from "./memory_conn.ts";

/** Puts `inside` in the place of this process's standard input and output, until its scope ends; signals are left alone. */
export function standardStreams(inside: Streams): Disposable {
  const { addSignalListener } = Deno;
  const { read } = Deno.stdin;
  const { write, writeSync } = Deno.stdout;
  Deno.stdin.read = (buffer) => inside.read(buffer);
  Deno.stdout.write = (octets) => inside.write(octets);
  Deno.stdout.writeSync = (octets) => {
    // They are the caller's again before they have arrived.
    void inside.write(octets.slice());
    return octets.length;
  };
  Deno.addSignalListener = () => {};
  return {
    [Symbol.dispose]: () => {
      Object.assign(Deno, { addSignalListener });
      Object.assign(Deno.stdin, { read });
      Object.assign(Deno.stdout, { write, writeSync });
    },
  };
}

export interface FakeChildren {
  /** Plays the program: gets the child's ends of its standard streams. */
  readonly onStart: (inside: Streams) => void;
  /** Sees what is written to it, and may count it. */
  readonly onOutside?: (outside: Deno.Conn) => void;
}

/** Puts others in the place of all programs that are started, until its scope ends. */
export function fakeChildren({ onStart, onOutside = () => {} }: FakeChildren): Disposable {
  const { Command } = Deno;
  const { writeSync } = Deno.stdout;
  class FakeCommand {
    spawn() {
      const [outside, inside] = memoryPair();
      onOutside(outside);
      onStart(inside);
      const ended = Promise.withResolvers<{ success: true; code: 0; signal: null }>();
      return {
        pid: 4711,
        status: ended.promise,
        stdin: new WritableStream<Uint8Array>({
          write: async (octets) => void await outside.write(octets),
          close: () => {
            void outside.closeWrite();
            ended.resolve({ success: true, code: 0, signal: null });
          },
        }),
        stdout: new ReadableStream({
          type: "bytes",
          pull: async (controller) => {
            const { view } = controller.byobRequest!;
            const buffer = new Uint8Array(view!.buffer, view!.byteOffset, view!.byteLength);
            const count = await outside.read(buffer);
            if (count === null) controller.close();
            controller.byobRequest?.respond(count ?? 0);
          },
        }),
      };
    }
  }
  // What the supervisor would be told of them.
  Deno.stdout.writeSync = (octets) => octets.length;
  Object.assign(Deno, { Command: FakeCommand });
  return {
    [Symbol.dispose]: () => {
      Object.assign(Deno, { Command });
      Object.assign(Deno.stdout, { writeSync });
    },
  };
}
