/**
 * What the log tells of a message, line by line: the types between those who read the log and those who show it.
 * @module
 */

/**
 * What a line is about. Of the way in: `connection` (TLS, a login, the end of a session), `refused` (a recipient or a
 * message, by a server or a filter), `filter` (what a filter found or did), `accepted` (a server said 250). Of the queue:
 * `new`, `info`, `starting`, `tls` (what protected a delivery), `delivered`, `deferral`, `failure`, `bounce`, `report`,
 * `end`. Besides: `command` (an operator's word), `trouble` (a warning or an alert), `other`.
 */
export const traceKinds = [
  ...["connection", "refused", "filter", "accepted", "new", "info", "starting", "tls"] as const,
  ...["delivered", "deferral", "failure", "bounce", "report", "end", "command", "trouble", "other"] as const,
] as const;
export type TraceKind = (typeof traceKinds)[number];

/** How an event was found to belong to the message: by a number that only it had, or by client, sender and time. */
export const traceTies = ["number", "likely"] as const;
export type TraceTie = (typeof traceTies)[number];

/** One line of the log, and what is known from it. All texts are printable ASCII, as the log wrote them. */
export interface TraceEvent {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly component: string;
  readonly kind: TraceKind;
  /** The line without time and component; of a JSON log the event and its fields as words. Cut at {@link longestText}. */
  readonly text: string;
  readonly tie: TraceTie;
  /** The message's number in the queue. */
  readonly message?: number;
  /** Ties a server's line to qmail-send's. */
  readonly qp?: number;
  readonly delivery?: number;
  readonly channel?: "local" | "remote";
  /** Without angle brackets; of the null reverse-path "". */
  readonly sender?: string;
  readonly recipient?: string;
  readonly bytes?: number;
  /** Code of an SMTP reply, where the text holds one: what a server told us, or we a client. */
  readonly reply?: number;
  /** Of a deferral: when qmail-send tries again; ms since 1970. */
  readonly nextMs?: number;
  /** What protected a connection. */
  readonly tls?: string;
  readonly ip?: string;
  readonly helo?: string;
  readonly login?: string;
  /** What refused it (control/policy's word), or of an accepted message the rule that let its client send anywhere. */
  readonly rule?: string;
}

export const longestText = 2000;

/** One life of a message's number: from its arrival to its end. */
export interface LifeSummary {
  readonly message: number;
  /** 1: the newest that had this number. */
  readonly life: number;
  readonly qp?: number;
  readonly sender?: string;
  /** The first {@link mostSummaryRecipients}, and how many there were in the log. */
  readonly recipients: readonly string[];
  readonly recipientCount: number;
  readonly bytes?: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly ended: boolean;
  readonly delivered: number;
  readonly deferred: number;
  readonly failed: number;
}

export const mostSummaryRecipients = 3;

/** One line of the log as it stands there, its time and component read. */
export interface LogLine {
  readonly atMs: number;
  readonly component: string;
  readonly text: string;
}

export const rateNames = ["accepted", "delivered", "deferred", "failed", "bounced", "refused"] as const;
export type RateName = (typeof rateNames)[number];

/** What happened in one minute. */
export interface RateMinute extends Readonly<Record<RateName, number>> {
  /** Milliseconds since 1970, a whole minute. */
  readonly startMs: number;
}
