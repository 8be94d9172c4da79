/**
 * maildirmake DIRECTORY: makes a Maildir. Exit codes: 0; 100 called wrongly; 111 it could not be made (or was there).
 * @module
 */
import { describeError, flushLog, log } from "../lib/log/log.ts";

function fail(code: number, text: string): never {
  log(`maildirmake: ${text}`);
  flushLog();
  Deno.exit(code);
}

if (import.meta.main) {
  const [dir, ...more] = Deno.args;
  if (dir === undefined || dir === "" || more.length > 0) fail(100, "usage: maildirmake name");
  // What is there already may be somebody's mailbox, or a place where another may change it: it is left alone.
  for (const path of [dir, `${dir}/tmp`, `${dir}/new`, `${dir}/cur`]) {
    try {
      Deno.mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      fail(111, `fatal: unable to mkdir ${path}: ${describeError(error)}`);
    }
  }
}
