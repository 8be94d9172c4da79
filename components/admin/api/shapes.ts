/**
 * What the sockets tell, in the API's shapes.
 * @module
 */
import type { z } from "@hono/zod-openapi";
import type { LifeSummary, TraceEvent } from "../../lib/trace/event.ts";
import type { ShownDestination, ShownMessage } from "../../lib/wire/control_protocol.ts";
import type { ListReply } from "../../lib/wire/qread_protocol.ts";
import type { AddressTrace, Looked, MessageTrace, Rates, Tail } from "../../lib/wire/trace_protocol.ts";
import { defectsOf, type Overview, unreadyOf } from "../overview.ts";
import { isDate, oneLineOf, textOf } from "../text.ts";
import type * as schemas from "./schemas.ts";

/** The end of what can be said: nothing from the wire makes this throw. */
const latestMs = 8_640_000_000_000_000;

function iso(ms: number): string {
  return new Date(isDate(ms) ? ms : latestMs).toISOString();
}

function isoOfSeconds(seconds: number | undefined): string | null {
  return seconds === undefined ? null : iso(seconds * 1000);
}

export function statusShape(overview: Overview): z.infer<typeof schemas.status> {
  const { host, takenAtMs, queue, send } = overview;
  return {
    host,
    takenAt: iso(takenAtMs),
    ready: unreadyOf(overview).length === 0,
    defects: defectsOf(overview),
    queue: queue.kind === "away" ? null : {
      accepted: queue.status.acceptedMessages,
      acceptedBytes: queue.status.acceptedBytes,
      refused: queue.status.refusedMessages,
      journal: queue.status.journalMessages,
    },
    send: send.kind === "away"
      ? null
      : { ...send.status, running: { ...send.status.running }, limits: { ...send.status.limits } },
  };
}

export function ratesShape({ sinceMs, minutes }: Rates): z.infer<typeof schemas.rates> {
  return { since: iso(sinceMs), minutes: minutes.map(({ startMs, ...rest }) => ({ start: iso(startMs), ...rest })) };
}

export function queueShape(reply: ListReply): z.infer<typeof schemas.queue> {
  const { rows, next, place, matching, total, indexed, whole, unsearched } = reply;
  return {
    messages: rows.map(({ id, sender, recipients, birthSeconds, sizeBytes, local, remote, nextSeconds, ...rest }) => ({
      message: id,
      sender: textOf(sender),
      recipients: recipients.map(textOf),
      arrived: iso(birthSeconds * 1000),
      sizeBytes,
      local: { ...local },
      remote: { ...remote },
      next: isoOfSeconds(nextSeconds),
      state: rest.state,
      journal: rest.journal,
      bouncing: rest.bouncing,
    })),
    next: next ?? null,
    ...{ place, matching, total, indexed, whole, unsearched },
  };
}

export function messageShape(shown: ShownMessage): z.infer<typeof schemas.message> {
  const { message, sender, birthSeconds, sizeBytes, journal, state, channels, failures } = shown;
  return {
    ...{ message, sizeBytes, journal, state, sender: textOf(sender), arrived: iso(birthSeconds * 1000) },
    channels: channels.map(({ channel, left, done, nextSeconds, held, heldSinceSeconds, recipients }) => ({
      ...{ channel, left, done, held, next: isoOfSeconds(nextSeconds), heldSince: isoOfSeconds(heldSinceSeconds) },
      recipients: recipients.map(({ address, done, attempts, lastSeconds, lastError }) => ({
        address: textOf(address),
        done,
        attempts: attempts ?? null,
        last: isoOfSeconds(lastSeconds),
        lastError: lastError === undefined ? null : oneLineOf(lastError),
      })),
    })),
    failures: failures.split("\n").map(textOf).join("\n"),
  };
}

export function eventShape({ atMs, nextMs, ...rest }: TraceEvent): z.infer<typeof schemas.trace>["events"][number] {
  return { at: iso(atMs), ...rest, ...(nextMs === undefined ? {} : { next: iso(nextMs) }) };
}

function lookedShape({ whole, oldestMs }: Looked): { whole: boolean; oldest: string | null } {
  return { whole, oldest: oldestMs === 0 ? null : iso(oldestMs) };
}

export function traceShape(trace: MessageTrace): z.infer<typeof schemas.trace> {
  const { message, life, lives, events, cut } = trace;
  return { message, life, lives, events: events.map(eventShape), cut, ...lookedShape(trace) };
}

function lifeShape(life: LifeSummary): z.infer<typeof schemas.addressTrace>["lives"][number] {
  const { message, sender, recipients, recipientCount, bytes, firstMs, lastMs, ended, delivered, deferred, failed } =
    life;
  return {
    ...{ message, life: life.life, recipientCount, ended, delivered, deferred, failed },
    sender: sender ?? null,
    recipients: [...recipients],
    bytes: bytes ?? null,
    first: iso(firstMs),
    last: iso(lastMs),
  };
}

export function addressTraceShape(trace: AddressTrace): z.infer<typeof schemas.addressTrace> {
  const { lives, refusals } = trace;
  return { lives: lives.map(lifeShape), refusals: refusals.map(eventShape), ...lookedShape(trace) };
}

export function tailShape(tail: Tail): z.infer<typeof schemas.tail> {
  const { lines, cursor } = tail;
  return {
    lines: lines.map(({ atMs, component, text }) => ({ at: iso(atMs), component, text })),
    cursor,
    ...lookedShape(tail),
  };
}

export function destinationShape(
  { name, lastError, pausedUntilMs, ...rest }: ShownDestination,
): z.infer<typeof schemas.destinations>["destinations"][number] {
  return {
    ...rest,
    name: textOf(name),
    lastError: oneLineOf(lastError),
    pausedUntil: pausedUntilMs === 0 ? null : iso(pausedUntilMs),
  };
}
