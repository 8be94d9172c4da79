/**
 * A log for tests, written down as a text.
 * @module
 */
import type { LogText } from "../../../components/lib/trace/search.ts";

/** The octets of `text` as a log. */
export function textLog(text: string): LogText {
  return { size: text.length, read: (from, to) => text.slice(from, Math.min(to, text.length)) };
}

/** Lines as the supervisor writes them: each `component: text` gets the next second's time. */
export function stamped(lines: readonly string[], beginMs = Date.UTC(2026, 10, 23)): string {
  return lines.map((line, at) => `${new Date(beginMs + at * 1000).toISOString()} ${line}\n`).join("");
}

/** Carries out all steps of a search. */
export function outcome<T>(search: Generator<void, T, undefined>): T {
  for (;;) {
    const step = search.next();
    if (step.done === true) return step.value;
  }
}
