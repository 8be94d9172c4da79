/**
 * What the small programs that run once and end have in common.
 * @module
 */
import { describeError, flushLog, log } from "../log/log.ts";

const pieceLength = 64 * 1024;
const encoder = new TextEncoder();

async function writeAll(text: string): Promise<void> {
  const octets = encoder.encode(text);
  for (let at = 0; at < octets.length;) at += await Deno.stdout.write(octets.subarray(at));
}

/** Prints texts in large pieces. A reader that has seen enough (`head`) ends it quietly. */
export async function print(texts: Iterable<string>): Promise<void> {
  let pending = "";
  try {
    for (const text of texts) {
      pending += text;
      if (pending.length < pieceLength) continue;
      await writeAll(pending);
      pending = "";
    }
    await writeAll(pending);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Runs a tool's work; what it throws is said on standard error, exit code 111 (qmail's words for it). */
export async function runTool(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    flushLog();
  } catch (error) {
    log(`${name}: fatal: ${describeError(error)}`);
    flushLog();
    Deno.exit(111);
  }
}
