/**
 * Decides the deeds of a process that has no flags (deno's permission broker; the lines: lib/permissions/decide.ts). Deno
 * waits for each answer, and ends the process when the connection does: nothing is allowed while nobody decides.
 * @module
 */
import { type Check, formatAnswer, parseCheck } from "../lib/permissions/decide.ts";

export interface Broker {
  /** Takes no process any more; those that are connected are still answered. */
  stop(): void;
}

export interface BrokerOptions {
  readonly decide: (check: Check) => boolean;
  /** Told what was no check; that connection ends, and so its process. */
  readonly onGarbage: (reason: string) => void;
}

/** Paths have at most 4096 octets, six characters each where JSON escapes them. */
const longestLine = 32_768;
/** One process, and another that takes its place. */
const mostConnections = 4;

/** Listens on `path`, taking the place of a socket that a dead supervisor left there. */
export function serveBroker(path: string, options: BrokerOptions): Broker {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const listener = Deno.listen({ transport: "unix", path });
  // The folder around it decides who may connect.
  Deno.chmodSync(path, 0o666);
  void acceptAll(listener, options);
  return { stop: () => listener.close() };
}

async function acceptAll(listener: Deno.Listener, options: BrokerOptions): Promise<void> {
  let connections = 0;
  for (;;) {
    try {
      const connection = await listener.accept();
      if (connections >= mostConnections) {
        connection.close();
        continue;
      }
      connections++;
      void answerAll(connection, options).finally(() => connections--);
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      // Out of descriptors, say.
      options.onGarbage(String(error));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function answerAll(connection: Deno.Conn, { decide, onGarbage }: BrokerOptions): Promise<void> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let held = "";
  try {
    for await (const octets of connection.readable) {
      const lines = (held + decoder.decode(octets, { stream: true })).split("\n");
      held = lines.pop()!;
      if (held.length > longestLine) return onGarbage("a line without an end");
      let answers = "";
      for (const line of lines) {
        const check = parseCheck(line);
        if (!check.ok) return onGarbage(check.error);
        answers += formatAnswer(check.value.id, decide(check.value));
      }
      const all = encoder.encode(answers);
      for (let at = 0; at < all.length;) at += await connection.write(all.subarray(at));
    }
  } catch {
    // The process is gone.
  } finally {
    try {
      connection.close();
    } catch {
      // The end of its stream has closed it.
    }
  }
}
