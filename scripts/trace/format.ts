/**
 * A trace for people.
 * @module
 */
import type { LifeSummary, TraceEvent } from "../../components/lib/trace/event.ts";
import type { AddressTrace, MessageTrace } from "../../components/lib/wire/trace_protocol.ts";
import { formatTable } from "../table.ts";

/** Day and time to the millisecond, UTC. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", "");
}

/** One line of the log, `~` in front of what is only likely to belong to the message. */
export function formatEvent({ atMs, component, text, tie }: TraceEvent): string {
  return `${formatTime(atMs)}  ${tie === "likely" ? "~" : " "} ${component.padEnd(12)} ${text}`;
}

function state({ ended, delivered, deferred, failed }: LifeSummary): string {
  const counts = [[delivered, "delivered"], [deferred, "deferred"], [failed, "failed"]] as const;
  const told = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return [...told, ended ? "ended" : "in the queue"].join(", ");
}

function notWhole({ whole, oldestMs }: { readonly whole: boolean; readonly oldestMs: number }): string[] {
  return whole ? [] : ["", `The log was looked through back to ${formatTime(oldestMs)} only.`];
}

/** A message's life, a line for each event. */
export function formatMessage(trace: MessageTrace): string {
  const { message, life, lives, events, cut } = trace;
  const older = lives - life;
  const which = life === 1 ? "" : `, life ${life} of its number`;
  const more = older > 0 ? [`${older} earlier with this number: --life ${life + 1}`] : [];
  const likely = events.some(({ tie }) => tie === "likely")
    ? ["", "~ by the client's address, the sender and the time: another message's, perhaps"]
    : [];
  return [
    `Message ${message}${which}`,
    ...events.map(formatEvent),
    ...(cut ? ["", `There are more events than these ${events.length}; some in the middle are left out.`] : []),
    ...likely,
    ...more.flatMap((line) => ["", line]),
    ...notWhole(trace),
  ].join("\n");
}

/** The messages of an address, and what was refused, the newest first. */
export function formatAddress(trace: AddressTrace): string {
  const { lives, refusals } = trace;
  const rows = lives.map((one) => [
    formatTime(one.firstMs),
    one.life === 1 ? String(one.message) : `${one.message} --life ${one.life}`,
    one.sender === undefined ? "?" : one.sender === "" ? "<>" : one.sender,
    `${one.recipients.join(" ")}${
      one.recipientCount > one.recipients.length ? ` and ${one.recipientCount - one.recipients.length} more` : ""
    }`,
    state(one),
  ]);
  const table = rows.length === 0 ? [] : [formatTable([["time (UTC)", "message", "from", "to", "state"], ...rows])];
  const refused = refusals.length === 0 ? [] : ["Refused:", ...refusals.map(formatEvent)];
  return [...table, ...(table.length > 0 && refused.length > 0 ? [""] : []), ...refused, ...notWhole(trace)].join("\n");
}
