/**
 * The door for what the three status sockets answer (lib/wire/status_protocol.ts): each reply becomes a whole status or
 * a ProtocolError.
 * @module
 */
import * as field from "../lib/wire/fields.ts";
import type { Frame, RawHead } from "../lib/wire/frame.ts";
import { ProtocolError } from "../lib/wire/server.ts";
import type { ComponentStatus, QueueStatus, SendStatus, SupervisorStatus } from "../lib/wire/status_protocol.ts";

const states = ["starting", "running", "stopping", "waiting", "on demand"] as const;

/** A flag of the grant lists every path; a component with a hundred of them is far off. */
const longestFlag = 65_536;

function object(value: unknown, name: string): RawHead {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProtocolError(`expected an object in the field "${name}"`);
  }
  return value as RawHead;
}

function list(head: RawHead, name: string): readonly unknown[] {
  const value = head[name];
  if (!Array.isArray(value)) throw new ProtocolError(`expected a list in the field "${name}"`);
  return value;
}

/** Seconds come from a clock and need not be whole. */
function seconds(head: RawHead, name: string): number {
  const value = head[name];
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
    throw new ProtocolError(`expected seconds in the field "${name}"`);
  }
  return Math.floor(value);
}

function optionalNumber(head: RawHead, name: string): number | undefined {
  return head[name] === undefined || head[name] === null ? undefined : field.wholeNumber(head, name);
}

function parsePorts(value: unknown): Readonly<Record<string, number>> {
  const ports = object(value, "ports");
  // fromEntries defines own properties, so that no key reaches a prototype.
  return Object.fromEntries(Object.keys(ports).map((name) => [name, field.wholeNumber(ports, name)]));
}

function parseComponent(value: unknown): ComponentStatus {
  const head = object(value, "components");
  return {
    name: field.text(head, "name", 100),
    pid: optionalNumber(head, "pid"),
    state: field.oneOf(head, "state", states),
    restarts: field.wholeNumber(head, "restarts"),
    uptimeSeconds: seconds(head, "uptimeSeconds"),
    rssBytes: field.wholeNumber(head, "rssBytes"),
    ports: parsePorts(head["ports"]),
    uid: optionalNumber(head, "uid"),
    grant: list(head, "grant").map((flag) => field.text({ flag }, "flag", longestFlag)),
  };
}

/** Throws ProtocolError. */
export function parseSupervisorStatus({ head }: Frame): SupervisorStatus {
  return {
    pid: field.wholeNumber(head, "pid"),
    startedSeconds: seconds(head, "startedSeconds"),
    ready: field.flag(head, "ready"),
    components: list(head, "components").map(parseComponent),
  };
}

/** Throws ProtocolError. */
export function parseQueueStatus({ head }: Frame): QueueStatus {
  return {
    acceptedMessages: field.wholeNumber(head, "acceptedMessages"),
    acceptedBytes: field.wholeNumber(head, "acceptedBytes"),
    refusedMessages: field.wholeNumber(head, "refusedMessages"),
    journalMessages: field.wholeNumber(head, "journalMessages"),
    journalSegments: field.wholeNumber(head, "journalSegments"),
  };
}

function parseChannels(head: RawHead, name: string): { readonly local: number; readonly remote: number } {
  const channels = object(head[name], name);
  return { local: field.wholeNumber(channels, "local"), remote: field.wholeNumber(channels, "remote") };
}

/** Throws ProtocolError. */
export function parseSendStatus({ head }: Frame): SendStatus {
  return {
    messages: field.wholeNumber(head, "messages"),
    notPreprocessed: field.wholeNumber(head, "notPreprocessed"),
    waitingForRetry: field.wholeNumber(head, "waitingForRetry"),
    running: parseChannels(head, "running"),
    limits: parseChannels(head, "limits"),
    delivered: field.wholeNumber(head, "delivered"),
    deferred: field.wholeNumber(head, "deferred"),
    failed: field.wholeNumber(head, "failed"),
    bounced: field.wholeNumber(head, "bounced"),
    ended: field.wholeNumber(head, "ended"),
  };
}
