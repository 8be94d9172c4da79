/**
 * What one line of the log says, as an event. Lines of qmail-send's are read to the letter, those of the others by their
 * first word and their `key=value` pairs; the same from a JSON log.
 * @module
 */
import { longestText, type TraceEvent, type TraceKind } from "./event.ts";
import { type EventFields, printable, type ReadLine, wordFields } from "./lines.ts";

/** Who talks to clients. */
const servers: readonly string[] = ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd", "qmail-popup"];
const filters: readonly string[] = ["verify", "sign", "arcseal", "rspamd", "clamd", "milter", "custom", "hooks"];

/** What is known from a line besides what every event has. */
type Known = { -readonly [K in keyof Omit<TraceEvent, "atMs" | "component" | "text" | "tie">]?: TraceEvent[K] };

/** Reads a line's event. */
export function eventOf({ atMs, component, text, fields }: ReadLine): TraceEvent {
  const base = process(component);
  const known = base === "qmail-send"
    ? fields === undefined ? ofSend(text) : ofSendFields(fields)
    : ofOthers(base, text, fields ?? wordFields(text));
  const kind = known.kind ?? (/^(warning|alert): /.test(text) ? "trouble" : "other");
  return { tie: "number", ...known, atMs, component: component.slice(0, 100), kind, text: text.slice(0, longestText) };
}

/** The second process of a component is called NAME-2. */
function process(component: string): string {
  return component.replace(/-[0-9]+$/, "");
}

const results: Readonly<Record<string, TraceKind>> = { success: "delivered", deferral: "deferral", failure: "failure" };

/** Each of qmail-send's lines about a message. Texts are octets made printable, so no form can be met in the middle of one. */
const sendForms: readonly (readonly [RegExp, (found: readonly string[]) => Known])[] = [
  [/^delivery (\d+): (success|deferral|failure): (.*)$/, ([, delivery, result, report]) => ({
    kind: results[result!]!,
    delivery: Number(delivery),
    ...replyIn(report!),
  })],
  [/^starting delivery (\d+): msg (\d+) to (local|remote) (\S*)$/, ([, delivery, message, channel, recipient]) => ({
    kind: "starting",
    delivery: Number(delivery),
    message: Number(message),
    channel: channel === "local" ? "local" : "remote",
    recipient: recipient!,
  })],
  [/^new msg (\d+)$/, ([, message]) => ({ kind: "new", message: Number(message) })],
  [/^info msg (\d+): bytes (\d+) from <(.*)> qp (\d+) uid \d+$/, ([, message, bytes, sender, qp]) => ({
    kind: "info",
    message: Number(message),
    bytes: Number(bytes),
    sender: sender!,
    qp: Number(qp),
  })],
  [/^end msg (\d+)$/, ([, message]) => ({ kind: "end", message: Number(message) })],
  [/^tls delivery (\d+): (.*)$/, ([, delivery, tls]) => ({ kind: "tls", delivery: Number(delivery), tls: tls! })],
  [/^later msg (\d+): (local|remote) at (\S+)$/, ([, message, channel, at]) => ({
    kind: "other",
    message: Number(message),
    channel: channel === "local" ? "local" : "remote",
    ...nextIn(at!),
  })],
  [/^(bounce|report) msg (\d+) qp (\d+)/, ([, kind, message, qp]) => ({
    kind: kind === "bounce" ? "bounce" : "report",
    message: Number(message),
    qp: Number(qp),
  })],
  [
    /^(?:double|triple) bounce: discarding bounce\/(\d+)$/,
    ([, message]) => ({ kind: "bounce", message: Number(message) }),
  ],
  [/^command .*\bmessage=(\d+)(?: |$)/, ([, message]) => ({ kind: "command", message: Number(message) })],
  [/^(?:warning|alert): .*?(?:\bmsg |\b(?:local|remote|info|todo|mess|bounce)\/)(\d+)\b/, ([, message]) => ({
    kind: "trouble",
    message: Number(message),
  })],
];

function ofSend(text: string): Known {
  for (const [form, read] of sendForms) {
    const found = form.exec(text);
    if (found !== null) return read(found);
  }
  return {};
}

function ofSendFields(fields: EventFields): Known {
  const event = fields.get("event");
  const known: Known = {
    ...number(fields, "msg", "message"),
    ...number(fields, "message", "message"),
    ...number(fields, "delivery", "delivery"),
    ...number(fields, "qp", "qp"),
    ...number(fields, "bytes", "bytes"),
    ...text(fields, "from", "sender"),
    ...text(fields, "to", "recipient"),
    ...text(fields, "tls", "tls"),
  };
  const channel = fields.get("channel");
  if (channel === "local" || channel === "remote") known.channel = channel;
  switch (event) {
    case "new":
    case "info":
    case "starting":
    case "tls":
    case "bounce":
    case "report":
    case "end":
    case "command":
      return { ...known, kind: event };
    case "double bounce":
    case "triple bounce":
      return { ...known, kind: "bounce" };
    case "later":
      return { ...known, ...nextIn(String(fields.get("at"))) };
    case "delivery":
      return {
        ...known,
        kind: results[String(fields.get("result"))] ?? "other",
        ...replyIn(String(fields.get("report") ?? "").replaceAll(" ", "_").replaceAll("\n", "/")),
      };
    case "warning":
    case "alert":
    case "log":
      return ofSend(event === "log" ? String(fields.get("text")) : `${event}: ${fields.get("text")}`);
    default:
      return known;
  }
}

/** The code of the reply that a report quotes, in qmail-remote's words. */
function replyIn(report: string): Known {
  const code = /(?:^|\/)Remote_host_said:_([2-5][0-9]{2})/.exec(report)?.[1];
  return code === undefined ? {} : { reply: Number(code) };
}

function nextIn(time: string): Known {
  const nextMs = Date.parse(time);
  return Number.isSafeInteger(nextMs) && nextMs >= 0 ? { nextMs } : {};
}

function ofOthers(component: string, line: string, fields: EventFields): Known {
  const event = String(fields.get("event") ?? line.slice(0, (line + " ").indexOf(" ")));
  const known: Known = {
    ...number(fields, "qp", "qp"),
    ...number(fields, "bytes", "bytes"),
    ...text(fields, "ip", "ip"),
    ...text(fields, "from", "sender"),
    ...text(fields, "sender", "sender"),
    ...text(fields, "to", "recipient"),
    ...text(fields, "helo", "helo"),
    ...text(fields, "login", "login"),
  };
  if (filters.includes(component)) return { ...known, kind: event === "refused" ? "refused" : "filter" };
  if (!servers.includes(component)) return number(fields, "message", "message");
  switch (event) {
    case "accepted":
      return { ...known, kind: "accepted", ...text(fields, "by", "rule") };
    case "failed":
      return { ...known, kind: "refused" };
    case "tls": {
      const [protocol, cipher] = [fields.get("protocol"), fields.get("cipher")];
      return { ...known, kind: "connection", tls: printable(`${protocol} ${cipher}`) };
    }
    case "login":
      return { ...known, kind: "connection", ...text(fields, "user", "login") };
    case "login-failed":
    case "tls-failed":
    case "closed":
      return { ...known, kind: "connection", ...text(fields, "reason", "rule") };
    default:
      return event.startsWith("refused-") ? { ...known, kind: "refused", ...text(fields, "reason", "rule") } : known;
  }
}

function number<K extends "message" | "delivery" | "qp" | "bytes">(fields: EventFields, name: string, as: K): Known {
  const value = fields.get(name);
  if (value === undefined || !/^[0-9]{1,15}$/.test(String(value))) return {};
  return { [as]: Number(value) };
}

/** A text made printable, an address without its angle brackets. */
function text(fields: EventFields, name: string, as: keyof Known): Known {
  const value = fields.get(name);
  if (value === undefined) return {};
  const [, bare] = /^<(.*)>$/s.exec(String(value)) ?? [];
  return { [as]: printable(bare ?? String(value)).slice(0, longestText) };
}
