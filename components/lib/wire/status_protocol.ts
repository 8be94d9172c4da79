/**
 * What the supervisor, qmail-queue and qmail-send tell anybody who may connect to their status sockets
 * (`supervisor-status`, `queue-status`, `send-status`; for qmail-remote's `remote-status` see tcpto_protocol.ts):
 * `{op:"status", id}`, answered with the object below as fields of the reply. The supervisor's own socket (`supervisor`, for its user alone) takes `reload` and `stop` as well.
 * @module
 */

/** One component, as the supervisor sees it. */
export interface ComponentStatus {
  readonly name: string;
  readonly pid: number | undefined;
  readonly state: "starting" | "running" | "stopping" | "waiting" | "on demand";
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
