/**
 * qmail-send's log: lines to the letter as qmail writes them, for matchup, qmailanalog and their kin; the same events as
 * objects where the log is JSON. `msg` is the message's number, `delivery` counts deliveries since the start.
 * @module
 */
import { asWord, logBoth, type LogFields } from "../lib/log/log.ts";
import type { Channel } from "../lib/queue/layout.ts";
import type { NextHop, Verdict } from "../lib/wire/delivery_protocol.ts";
import { assertNever } from "../lib/result.ts";

/** Deliveries of each channel under way, or at most. */
export interface Counts {
  readonly local: number;
  readonly remote: number;
}

/** Addresses and reports are octet strings. */
export type MailEvent =
  | { readonly event: "new"; readonly msg: number }
  | {
    readonly event: "info";
    readonly msg: number;
    readonly bytes: number;
    readonly from: string;
    readonly qp: number;
    readonly uid: number;
  }
  | {
    readonly event: "starting";
    readonly delivery: number;
    readonly msg: number;
    readonly channel: Channel;
    readonly to: string;
  }
  | {
    readonly event: "delivery";
    readonly delivery: number;
    readonly msg: number;
    readonly channel: Channel;
    readonly to: string;
    readonly verdict: Verdict;
    readonly report: string;
    /** Where it went. */
    readonly next?: NextHop | undefined;
  }
  /** What protected a remote delivery, or would have had to: once for all recipients of one, by the first one's number. */
  | { readonly event: "tls"; readonly delivery: number; readonly msg: number; readonly tls: string }
  /** Who is left on this channel waits until then (UTC, as in the log). */
  | { readonly event: "later"; readonly msg: number; readonly channel: Channel; readonly at: string }
  | { readonly event: "status"; readonly running: Counts; readonly limits: Counts; readonly exiting: boolean }
  | { readonly event: "bounce"; readonly msg: number; readonly qp: number }
  | { readonly event: "report"; readonly msg: number; readonly qp: number; readonly kind: "success" | "delay" }
  /** Thrown away: "double bounce" where control/doublebounceto says so. */
  | { readonly event: "triple bounce" | "double bounce"; readonly msg: number }
  | { readonly event: "end"; readonly msg: number };

/** Logs one event. */
export function logMail(event: MailEvent): void {
  logBoth(() => formatLine(event), () => fieldsOf(event));
}

/** Octets of addresses and reports in a log line: LF is `/`, all others but printable ASCII without blank and `%` are `_`. */
export function safe(octets: string): string {
  return asWord(octets.replaceAll("\n", "/"));
}

/** Recipients of one delivery mostly have one report. */
let lastReport = { text: "", safe: "" };

function safeReport(text: string): string {
  if (text !== lastReport.text) lastReport = { text, safe: safe(text) };
  return lastReport.safe;
}

const results: Readonly<Record<Verdict, string>> = { K: "success", Z: "deferral", D: "failure" };

/** The line qmail writes. */
export function formatLine(event: MailEvent): string {
  switch (event.event) {
    case "new":
      return `new msg ${event.msg}`;
    case "info":
      return `info msg ${event.msg}: bytes ${event.bytes} from <${safe(event.from)}> qp ${event.qp} uid ${event.uid}`;
    case "starting":
      return `starting delivery ${event.delivery}: msg ${event.msg} to ${event.channel} ${safe(event.to)}`;
    case "delivery":
      return `delivery ${event.delivery}: ${results[event.verdict]}: ${safeReport(event.report)}`;
    case "status": {
      const { running, limits, exiting } = event;
      return `status: local ${running.local}/${limits.local} remote ${running.remote}/${limits.remote}${
        exiting ? " exitasap" : ""
      }`;
    }
    case "bounce":
      return `bounce msg ${event.msg} qp ${event.qp}`;
    // These three lines are our own: what reads qmail's log passes over those it does not know.
    case "tls":
      return `tls delivery ${event.delivery}: ${event.tls.replace(/[^ -~]/g, "_")}`;
    case "later":
      return `later msg ${event.msg}: ${event.channel} at ${event.at}`;
    case "report":
      return `report msg ${event.msg} qp ${event.qp}: ${event.kind}`;
    case "double bounce":
    case "triple bounce":
      return `${event.event}: discarding bounce/${event.msg}`;
    case "end":
      return `end msg ${event.msg}`;
    default:
      return assertNever(event);
  }
}

function fieldsOf(event: MailEvent): LogFields {
  if (event.event === "delivery") {
    const { verdict, next, ...rest } = event;
    return { ...rest, result: results[verdict], ...next };
  }
  if (event.event !== "status") return { ...event };
  const { running, limits, exiting } = event;
  return {
    event: "status",
    local: running.local,
    locallimit: limits.local,
    remote: running.remote,
    remotelimit: limits.remote,
    exiting,
  };
}

/** A letter in a local or remote file could not be overwritten. */
export function unmarkedLine(channel: Channel, id: number, reason: string): string {
  return `warning: trouble marking ${channel}/${id}: ${reason}; message will be delivered twice!`;
}
