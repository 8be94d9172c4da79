/**
 * How far a long piece of work has come, on standard error: one line that is written again where that is a terminal, the
 * beginning alone where it is not.
 * @module
 */

/** Hears that `done` of `total` are done. */
export type Progress = (done: number, total: number) => void;

const pauseMs = 200;

/** Says what begins, and from then on how far it is. */
export function showProgress(what: string): Progress {
  const terminal = Deno.stderr.isTerminal();
  const write = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text));
  write(terminal ? what : `${what}\n`);
  if (!terminal) return () => {};
  let lastAt = 0;
  return (done, total) => {
    const now = performance.now();
    if (done < total && now - lastAt < pauseMs) return;
    lastAt = now;
    write(`\r\x1b[K${formatProgress(what, done, total)}${done === total ? "\n" : ""}`);
  };
}

/** `what`, with both numbers and the share. */
export function formatProgress(what: string, done: number, total: number): string {
  const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
  return `${what}: ${done} of ${total} (${percent} %)`;
}
