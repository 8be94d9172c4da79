/**
 * One line of the log, in any of the forms it is kept in: `TIME COMPONENT: text` and JSON, as the supervisor writes them,
 * and `TIME HOST COMPONENT[PID]: text`, as journalctl prints (`-o short-iso-precise`).
 * @module
 */
import type { LogLine } from "./event.ts";

/** The fields of an event as its component wrote them. */
export type EventFields = ReadonlyMap<string, string | number | boolean>;

/** A line, and of a JSON log its fields besides time and component. */
export interface ReadLine extends LogLine {
  readonly fields?: EventFields;
}

const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/;
const headForm = /^(\S+) (.*)$/s;
const componentForm = /^([A-Za-z0-9][A-Za-z0-9_.-]*): (.*)$/s;
const journalForm = /^\S+ ([A-Za-z0-9][A-Za-z0-9_.-]*)\[\d+\]: (.*)$/s;
/** Words the supervisor's own lines may begin with, which are no component's name. */
const notComponents: readonly string[] = ["alert", "warning", "status"];

/** Reads one line, its text made printable; undefined: it is none of ours (what a crash left of one, say). */
export function parseLogLine(line: string): ReadLine | undefined {
  if (line.startsWith("{")) return parseJsonLine(line);
  const head = headForm.exec(line);
  if (head === null) return undefined;
  const [, time = "", raw = ""] = head;
  const rest = printable(raw);
  const atMs = timeOf(time);
  if (atMs === undefined) return undefined;
  // Unlike the others, the supervisor does not say who speaks.
  const own = { atMs, component: "supervisor", text: rest };
  const said = componentForm.exec(rest) ?? journalForm.exec(rest);
  if (said === null) return own;
  const [, component = "", text = ""] = said;
  if (notComponents.includes(component)) return own;
  // A unit has the component's name, with or without ours in front.
  return { atMs, component: component.replace(/^dqmail-/, ""), text };
}

function timeOf(time: string): number | undefined {
  if (!timeForm.test(time)) return undefined;
  const atMs = Date.parse(time.replace(",", "."));
  return Number.isSafeInteger(atMs) && atMs >= 0 ? atMs : undefined;
}

function parseJsonLine(line: string): ReadLine | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
  const fields = new Map<string, string | number | boolean>();
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") fields.set(name, value);
  }
  const atMs = timeOf(String(fields.get("time") ?? ""));
  if (atMs === undefined) return undefined;
  const component = String(fields.get("component") ?? "supervisor");
  fields.delete("time");
  fields.delete("component");
  return { atMs, component, text: wordsOf(fields), fields };
}

/** A JSON event in words: printable ASCII, as a text log would have it. */
function wordsOf(fields: EventFields): string {
  const event = String(fields.get("event") ?? "log");
  if (fields.size === 2 && fields.has("text")) {
    const text = printable(String(fields.get("text")));
    return event === "log" ? text : `${printable(event)}: ${text}`;
  }
  const words = [...fields].filter(([name]) => name !== "event").map(([name, value]) => `${name}=${value}`);
  return printable([event, ...words].join(" "));
}

/** `text` with everything but printable ASCII as `_`, a line end as `/`. */
export function printable(text: string): string {
  return text.replace(/\n/g, "/").replace(/[^ -~]/g, "_");
}

/** The `key=value` words behind the first one. */
export function wordFields(text: string): EventFields {
  const fields = new Map<string, string>();
  for (const word of text.split(" ")) {
    const at = word.indexOf("=");
    if (at > 0 && !fields.has(word.slice(0, at))) fields.set(word.slice(0, at), word.slice(at + 1));
  }
  return fields;
}
