/**
 * qmail-send's log lines, to the letter: matchup, qmailanalog and their kin read them.
 * @module
 */
import type { Channel } from "../lib/queue/layout.ts";
import type { Verdict } from "../lib/wire/delivery_protocol.ts";

/** Octets of addresses and reports in a log line: LF is `/`, all others but printable ASCII without blank and `%` are `_`. */
export function safe(octets: string): string {
  let result = "";
  for (let at = 0; at < octets.length; at++) {
    const code = octets.charCodeAt(at);
    result += code === 10 ? "/" : code < 33 || code > 126 || code === 37 ? "_" : octets[at];
  }
  return result;
}

export function newLine(id: number): string {
  return `new msg ${id}`;
}

export function infoLine(id: number, sizeBytes: number, sender: string, qp: number, uid: number): string {
  return `info msg ${id}: bytes ${sizeBytes} from <${safe(sender)}> qp ${qp} uid ${uid}`;
}

export function startingLine(delivery: number, id: number, channel: Channel, recipient: string): string {
  return `starting delivery ${delivery}: msg ${id} to ${channel} ${safe(recipient)}`;
}

const words: Readonly<Record<Verdict, string>> = { K: "success", Z: "deferral", D: "failure" };

export function deliveryLine(delivery: number, verdict: Verdict, report: string): string {
  return `delivery ${delivery}: ${words[verdict]}: ${safe(report)}`;
}

export interface Running {
  readonly local: number;
  readonly remote: number;
}

export function statusLine(running: Running, limits: Running, exiting: boolean): string {
  return `status: local ${running.local}/${limits.local} remote ${running.remote}/${limits.remote}${
    exiting ? " exitasap" : ""
  }`;
}

/** A letter in a local or remote file could not be overwritten. */
export function unmarkedLine(channel: Channel, id: number, reason: string): string {
  return `warning: trouble marking ${channel}/${id}: ${reason}; message will be delivered twice!`;
}
