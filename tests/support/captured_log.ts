/**
 * Takes the log's lines instead of standard error, until its scope ends: `using log = captureLog();`.
 * @module
 */
import { flushLog } from "../../components/lib/log/log.ts";

export interface CapturedLog extends Disposable {
  /** The lines so far. */
  lines(): string[];
}

export function captureLog(): CapturedLog {
  flushLog();
  const { write, writeSync } = Deno.stderr;
  let text = "";
  Deno.stderr.writeSync = (octets) => {
    text += new TextDecoder().decode(octets);
    return octets.length;
  };
  Deno.stderr.write = (octets) => Promise.resolve(Deno.stderr.writeSync(octets));
  return {
    lines: () => {
      flushLog();
      return text.split("\n").slice(0, -1);
    },
    [Symbol.dispose]: () => {
      flushLog();
      Deno.stderr.write = write;
      Deno.stderr.writeSync = writeSync;
    },
  };
}
