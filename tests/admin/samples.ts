/**
 * Status replies as the three sockets give them, for tests to vary.
 * @module
 */
import type { Overview } from "../../components/admin/overview.ts";
import type {
  ComponentStatus,
  QueueStatus,
  SendStatus,
  SupervisorStatus,
} from "../../components/lib/wire/status_protocol.ts";

export const smtpd: ComponentStatus = {
  name: "qmail-smtpd",
  pid: 4001,
  state: "running",
  restarts: 2,
  uptimeSeconds: 93_784,
  rssBytes: 61_865_984,
  ports: { smtp: 2525 },
  uid: 7791,
  grant: [
    "--allow-read=/home/q/control/me,/home/q/run/qmail-queue/s",
    "--allow-write=/home/q/run/qmail-queue/s",
    "--allow-net=127.0.0.1:2525,unix:/home/q/run/qmail-queue/s",
  ],
};

export const local: ComponentStatus = {
  name: "qmail-local",
  pid: undefined,
  state: "on demand",
  restarts: 0,
  uptimeSeconds: 0,
  rssBytes: 0,
  ports: {},
  uid: undefined,
  grant: [],
};

export const supervisor: SupervisorStatus = { pid: 4000, startedSeconds: 12, ready: true, components: [smtpd, local] };

export const queue: QueueStatus = {
  acceptedMessages: 1234,
  acceptedBytes: 5_000_000,
  refusedMessages: 3,
  journalMessages: 2,
  journalSegments: 1,
};

export const send: SendStatus = {
  messages: 40,
  notPreprocessed: 5,
  waitingForRetry: 30,
  running: { local: 1, remote: 4 },
  limits: { local: 10, remote: 20 },
  delivered: 1200,
  deferred: 80,
  failed: 6,
  bounced: 4,
  ended: 1190,
};

export const overview: Overview = {
  host: "mx.example.org",
  homeDir: "/home/q",
  takenAtMs: Date.UTC(2030, 0, 2, 3, 4, 5),
  supervisor: { kind: "answered", status: supervisor },
  queue: { kind: "answered", status: queue },
  send: { kind: "answered", status: send },
};

export const away = { kind: "away", why: "cannot be reached" } as const;

/** The overview with these components. */
export function withComponents(...components: ComponentStatus[]): Overview {
  return { ...overview, supervisor: { kind: "answered", status: { ...supervisor, components } } };
}
