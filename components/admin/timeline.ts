/**
 * A life's events as sentences: what happened, why, and what comes next.
 * @module
 */
import type { TraceEvent, TraceKind } from "../lib/trace/event.ts";
import { clockOf, isDate } from "./text.ts";

export interface Told {
  readonly title: string;
  readonly mood: "good" | "bad" | "warn" | "idle";
  /** Names and values of what else is known. */
  readonly facts: readonly (readonly [name: string, value: string])[];
}

const moods: Readonly<Record<TraceKind, Told["mood"]>> = {
  connection: "idle",
  refused: "bad",
  filter: "idle",
  accepted: "good",
  new: "idle",
  info: "idle",
  starting: "idle",
  tls: "idle",
  delivered: "good",
  deferral: "warn",
  failure: "bad",
  bounce: "bad",
  report: "idle",
  end: "idle",
  command: "idle",
  trouble: "warn",
  other: "idle",
};

function address(text: string): string {
  return text === "" ? "<>" : text;
}

function titleOf(event: TraceEvent): string {
  const { kind, component, delivery, recipient, sender, ip, channel } = event;
  const to = recipient === undefined ? "" : ` to ${address(recipient)}`;
  const which = delivery === undefined ? "" : ` (delivery ${delivery})`;
  const from = ip === undefined ? "" : ` from ${ip}`;
  switch (kind) {
    case "connection":
      return `Connection${from}`;
    case "refused":
      return `Refused by ${component}${to}`;
    case "filter":
      return `Looked at by ${component}`;
    case "accepted":
      return `Accepted by ${component}${from}`;
    case "new":
      return "In the queue";
    case "info":
      return sender === undefined ? "Read by qmail-send" : `From ${address(sender)}`;
    case "starting":
      return `${channel === "local" ? "Local" : channel === "remote" ? "Remote" : "A"} delivery${to} begins${which}`;
    case "tls":
      return event.tls?.startsWith("none") === true ? `Not encrypted on its way${to}` : `Encrypted on its way${to}`;
    case "delivered":
      return `Delivered${to}${which}`;
    case "deferral":
      return `Put off${to}${which}`;
    case "failure":
      return `Failed for good${to}${which}`;
    case "bounce":
      return "A bounce is sent";
    case "report":
      return "A report is sent";
    case "end":
      return "Done with, and out of the queue";
    case "command":
      return "An operator's command";
    case "trouble":
      return `Trouble in ${component}`;
    case "other":
      return event.nextMs === undefined ? component : "Waits for its next attempt";
  }
}

/** One event. */
export function tellEvent(event: TraceEvent): Told {
  const { reply, tls, rule, nextMs, helo, login, bytes, sender, kind, tie } = event;
  const facts: (readonly [string, string])[] = [];
  const add = (name: string, value: string | number | undefined) => {
    if (value !== undefined && value !== "") facts.push([name, String(value)]);
  };
  if (kind !== "info" && sender !== undefined) facts.push(["sender", address(sender)]);
  add("SMTP reply", reply);
  add("TLS", tls);
  add("rule", rule);
  add("EHLO", helo);
  add("login", login);
  add("bytes", bytes);
  if (nextMs !== undefined && isDate(nextMs)) facts.push(["next attempt", clockOf(nextMs)]);
  if (tie === "likely") facts.push(["belongs here", "probably: told by client, sender and time"]);
  return { title: titleOf(event), mood: moods[kind], facts };
}
