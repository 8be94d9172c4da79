/**
 * What the supervisor, qmail-queue and qmail-send tell anybody who may connect to their status sockets
 * (`supervisor-status`, `queue-status`, `send-status`; for qmail-remote's `remote-status` see tcpto_protocol.ts):
 * `{op:"status", id}`, answered with the object below as fields of the reply. The supervisor's own socket (`supervisor`, for its user alone) takes `reload` and `stop` as well.
 * @module
 */
import * as field from "./fields.ts";
import type { Frame, RawHead } from "./frame.ts";
import { ProtocolError } from "./server.ts";

const states = ["starting", "running", "stopping", "waiting", "on demand", "asleep"] as const;

/** One component, as the supervisor sees it. */
export interface ComponentStatus {
  readonly name: string;
  readonly pid: number | undefined;
  readonly state: (typeof states)[number];
  readonly restarts: number;
  readonly uptimeSeconds: number;
  /** As the component last reported it; 0 before that. */
  readonly rssBytes: number;
  readonly ports: Readonly<Record<string, number>>;
  readonly uid: number | undefined;
  /** Its `--allow-*` flags. */
  readonly grant: readonly string[];
}

export interface SupervisorStatus {
  readonly pid: number;
  readonly startedSeconds: number;
  readonly ready: boolean;
  readonly components: readonly ComponentStatus[];
}

export interface QueueStatus {
  readonly acceptedMessages: number;
  readonly acceptedBytes: number;
  readonly refusedMessages: number;
  /** Messages that stand in the journal, and its segments. */
  readonly journalMessages: number;
  readonly journalSegments: number;
}

export interface SendStatus {
  /** Messages it knows of: being delivered, waiting for a retry, not yet read. */
  readonly messages: number;
  readonly notPreprocessed: number;
  readonly waitingForRetry: number;
  readonly running: { readonly local: number; readonly remote: number };
  readonly limits: { readonly local: number; readonly remote: number };
  readonly delivered: number;
  readonly deferred: number;
  readonly failed: number;
  readonly bounced: number;
  /** Messages finished. */
  readonly ended: number;
}

/** A flag of the grant lists every path; a component with a hundred of them is far off. */
const longestFlag = 65_536;

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

function parsePorts(ports: RawHead): Readonly<Record<string, number>> {
  // fromEntries defines own properties, so that no key reaches a prototype.
  return Object.fromEntries(Object.keys(ports).map((name) => [name, field.wholeNumber(ports, name)]));
}

function parseComponent(head: RawHead): ComponentStatus {
  return {
    name: field.text(head, "name", 100),
    pid: optionalNumber(head, "pid"),
    state: field.oneOf(head, "state", states),
    restarts: field.wholeNumber(head, "restarts"),
    uptimeSeconds: seconds(head, "uptimeSeconds"),
    rssBytes: field.wholeNumber(head, "rssBytes"),
    ports: parsePorts(field.object(head, "ports")),
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
    components: field.objects(head, "components").map(parseComponent),
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
  const channels = field.object(head, name);
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
