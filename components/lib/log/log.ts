/**
 * Log lines on standard error, one event a line. The supervisor puts time and component in front; under systemd the
 * journal does. Octets from outside are made harmless before they get here or by {@link visible}.
 * @module
 */
import { setImmediate, setTimeout } from "node:timers";

const encoder = new TextEncoder();
/** After a write comes a rest: what happens meanwhile shares the next, and wakes who reads the log once. */
export const logRestMs = 20;
/** More than that is not written while everybody waits: who reads the log may be slower than mail is. */
const muchOctets = 4096;
/** What may wait for a slow reader; beyond it the process waits as well. */
const mostPending = 4 * 1024 * 1024;
let pending = "";
let scheduled = false;
let writtenAtMs = -Infinity;
/** Whether a large piece is being written, by another thread. */
let writing = false;
let stamped = false;
let json = false;
let alsoTo: ((lines: Uint8Array) => void) | undefined;

/** Values of one event's fields, by name. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** From now on every line begins with the time (UTC, milliseconds): for the process whose lines go to a terminal or a file. */
export function stampLog(): void {
  stamped = true;
}

/** From now on every line is a JSON object: `event` and its fields; `time` and `component` where lines are stamped. */
export function logJson(): void {
  json = true;
}

/** From now on `take` gets all that is written as well, lines that are whole: it keeps them, changes nothing, and never waits. */
export function copyLog(take: ((lines: Uint8Array) => void) | undefined): void {
  alsoTo = take;
}

/** Writes one line. Lines of the same few milliseconds leave in one write. */
export function log(line: string): void {
  write(json ? formatJson(asFields(line)) : line);
}

/** qmail's words of warning are events of their own. */
function asFields(line: string): LogFields {
  const [, event = "log", text = line] = /^(warning|alert): (.*)$/s.exec(line) ?? [];
  return { event, text };
}

/** Writes one event: `line()` tells of it in words, `fields()` as JSON. */
export function logBoth(line: () => string, fields: () => LogFields): void {
  write(json ? formatJson(fields()) : line());
}

/**
 * Writes what a component said at one time, lines with their ends, as its own, whatever they are: no component can speak in
 * another's name.
 */
export function relayLines(component: string, text: string): void {
  const time = new Date().toISOString();
  if (!json) {
    const front = stamped ? `${time} ${component}: ` : `${component}: `;
    return writeLines(`${front}${text.slice(0, -1).replace(/\n/g, `\n${front}`)}\n`);
  }
  const own = { time, component };
  // First for the reader, and once more so that nothing in the line can replace them.
  for (const line of text.slice(0, -1).split("\n")) write(escaped({ ...own, ...parseFields(line), ...own }));
}

function parseFields(line: string): LogFields {
  try {
    const fields: unknown = JSON.parse(line);
    if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) return fields as LogFields;
  } catch {
    // The runtime's own words, say, when a process ends by an error nobody foresaw.
  }
  return asFields(line);
}

function formatJson(fields: LogFields): string {
  return escaped(stamped ? { time: new Date().toISOString(), ...fields } : fields);
}

/** JSON in printable ASCII: a terminal may take other characters for its own. */
function escaped(fields: LogFields): string {
  return JSON.stringify(fields).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function write(line: string): void {
  writeLines(stamped && !json ? `${new Date().toISOString()} ${line}\n` : `${line}\n`);
}

function writeLines(lines: string): void {
  pending += lines;
  if (scheduled) return;
  scheduled = true;
  const restMs = writtenAtMs + logRestMs - performance.now();
  if (restMs > 0) setTimeout(writePending, restMs);
  // Not a microtask: work that waits for promises again and again would pay for a write each time.
  else setImmediate(writePending);
}

function writePending(): void {
  scheduled = false;
  writtenAtMs = performance.now();
  if (writing) {
    if (pending.length >= mostPending) flushLog();
  } else if (pending.length >= muchOctets) void writeMuch();
  else flushLog();
}

/** Lines that come meanwhile go with the next piece. */
async function writeMuch(): Promise<void> {
  writing = true;
  const octets = encoder.encode(pending);
  pending = "";
  alsoTo?.(octets);
  try {
    for (let at = 0; at < octets.length;) at += await Deno.stderr.write(octets.subarray(at));
  } catch {
    // Nobody reads the log any more; mail goes on without it.
  }
  writing = false;
  if (pending !== "") writePending();
}

/** Writes what is pending now, after what is being written: before the process ends. */
export function flushLog(): void {
  scheduled = false;
  const octets = encoder.encode(pending);
  pending = "";
  alsoTo?.(octets);
  try {
    // An empty piece, too, is written after the one that another thread is writing.
    if (octets.length === 0 && writing) Deno.stderr.writeSync(octets);
    for (let at = 0; at < octets.length;) at += Deno.stderr.writeSync(octets.subarray(at));
  } catch {
    // Nobody reads the log any more; mail goes on without it.
  }
}

/** One event in stable words with `key=value` pairs; values are made harmless. */
export function logEvent(event: string, pairs: Readonly<Record<string, string | number>> = {}): void {
  if (json) return write(formatJson({ event, ...pairs }));
  const words = Object.entries(pairs).map(([key, value]) =>
    `${key}=${typeof value === "number" ? value : visible(value)}`
  );
  write([event, ...words].join(" "));
}

const longestVisible = 512;

/** `text` with every blank, control and non-ASCII character and `%` as `_`, cut at 512 characters: fit for one word of a log. */
export function visible(text: string): string {
  const result = asWord(text.slice(0, longestVisible));
  return text.length > longestVisible ? `${result}...` : result;
}

const harmful = /[^!-$&-~]/g;

/** {@link visible}, however long. */
export function asWord(text: string): string {
  // Not a character at a time: of such a string every character is an object, which whoever writes it has to visit.
  return text.replace(harmful, "_");
}

/** An error as one line for the operator. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.name}: ${error.message}`.replaceAll("\n", " ");
}
