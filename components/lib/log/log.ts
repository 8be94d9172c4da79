/**
 * Log lines on standard error, one event a line. The supervisor puts time and component in front; under systemd the
 * journal does. Octets from outside are made harmless before they get here or by {@link visible}.
 * @module
 */
const encoder = new TextEncoder();
let pending = "";
let scheduled = false;
let stamped = false;

/** From now on every line begins with the time (UTC, milliseconds): for the process whose lines go to a terminal or a file. */
export function stampLog(): void {
  stamped = true;
}

/** Writes one line. Lines of one turn leave in one write. */
export function log(line: string): void {
  pending += stamped ? `${new Date().toISOString()} ${line}\n` : `${line}\n`;
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(flushLog);
}

/** Writes what is pending now: before the process ends. */
export function flushLog(): void {
  scheduled = false;
  const octets = encoder.encode(pending);
  pending = "";
  try {
    for (let at = 0; at < octets.length;) at += Deno.stderr.writeSync(octets.subarray(at));
  } catch {
    // Nobody reads the log any more; mail goes on without it.
  }
}

/** One event in stable words with `key=value` pairs; values are made harmless. */
export function logEvent(event: string, pairs: Readonly<Record<string, string | number>> = {}): void {
  const words = Object.entries(pairs).map(([key, value]) =>
    `${key}=${typeof value === "number" ? value : visible(value)}`
  );
  log([event, ...words].join(" "));
}

const longestVisible = 512;

/** `text` with every blank, control and non-ASCII character and `%` as `_`, cut at 512 characters: fit for one word of a log. */
export function visible(text: string): string {
  let result = "";
  const end = Math.min(text.length, longestVisible);
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at);
    result += code < 33 || code > 126 || code === 37 ? "_" : text[at];
  }
  return text.length > longestVisible ? `${result}...` : result;
}

/** An error as one line for the operator. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.name}: ${error.message}`.replaceAll("\n", " ");
}
