/**
 * The state of an SMTP dialogue between two commands, what one step of it gives, and the ways to end a step. All of it is
 * the server's side; see server_session.ts.
 * @module
 */
import type { ForwardPath, ReversePath } from "../address/mailbox.ts";
import type { MailFacts } from "../policy/decision.ts";
import type { RecipientOptions } from "../queue/message_options.ts";
import type { Mechanism } from "../sasl/authenticator.ts";
import type { Parameter } from "./command.ts";
import type { Framing } from "./content.ts";
import type { SubmittedEnvelope } from "../queue/submission.ts";
import type { MailParameters } from "./parameters.ts";
import { type Settings, usualErrors } from "./server_settings.ts";
import type { XclientAttributes } from "./xclient.ts";

/** A list that shares its tail: a copy for every RCPT would make a million of them quadratic. */
export interface Recipients {
  readonly last: string;
  readonly options: RecipientOptions | undefined;
  readonly earlier: Recipients | undefined;
}

export interface Transaction {
  /** As the queue keeps it. */
  readonly sender: string;
  readonly path: ReversePath;
  readonly parameters: MailParameters;
  readonly recipients: Recipients | undefined;
  readonly count: number;
  /** Of the envelope as the queue keeps it. */
  readonly octets: number;
  /** Lines for the top of the message. */
  readonly header: readonly string[];
  /** Once there was a BDAT: `good`, or the reply to all that follow because one of them failed. */
  readonly chunks: "good" | { readonly failed: string } | undefined;
}

/** An AUTH exchange under way; `login` once it has succeeded, but for an empty response. */
export interface Exchange {
  readonly mechanism: Mechanism;
  readonly login: string | undefined;
}

/** The state between two commands. */
export interface Session {
  /** What the client said of itself; "" before HELO. */
  readonly helo: string;
  readonly esmtp: boolean;
  /** The channel is encrypted, and whether it has a binding (RFC 5929). */
  readonly secured: "" | "secured" | "bound";
  readonly login: string | undefined;
  readonly exchange: Exchange | undefined;
  readonly transaction: Transaction | undefined;
  /** Replies to the content under way: over LMTP one for each recipient. */
  readonly owed: number;
  readonly errors: number;
  readonly failedLogins: number;
  /** Transactions begun, and recipients refused, in the whole session. */
  readonly mails: number;
  readonly refused: number;
  /** Lines that the policy gave with the connection, and with HELO. */
  readonly header: { readonly connect: readonly string[]; readonly helo: readonly string[] };
  /** The greeting was a refusal: there is only QUIT (RFC 5321 §3.1). */
  readonly turnedAway: boolean;
}

const none: readonly string[] = [];

export const newSession: Session = {
  helo: "",
  esmtp: false,
  secured: "",
  login: undefined,
  exchange: undefined,
  transaction: undefined,
  owed: 1,
  errors: 0,
  failedLogins: 0,
  mails: 0,
  refused: 0,
  header: { connect: none, helo: none },
  turnedAway: false,
};

/** What the policy is asked. `connect` comes before everything else. */
export type Ask =
  | { readonly on: "connect" }
  | { readonly on: "helo"; readonly helo: string; readonly esmtp: boolean }
  | {
    readonly on: "mail";
    readonly path: ReversePath;
    readonly raw: readonly Parameter[];
    readonly parameters: MailParameters;
  }
  /** Somebody has proved who he is. */
  | { readonly on: "auth"; readonly mechanism: Mechanism; readonly login: string }
  | { readonly on: "rcpt"; readonly path: ForwardPath; readonly options: RecipientOptions | undefined }
  /** Before DATA, or the first BDAT, whose chunk is given. */
  | { readonly on: "data"; readonly chunk: Chunk | undefined };

export interface Chunk {
  readonly sizeBytes: number;
  readonly last: boolean;
}

/** A message that begins. */
export interface Opening {
  readonly envelope: SubmittedEnvelope;
  /** Lines for the top, below our own field. */
  readonly header: readonly string[];
  readonly framing: Framing;
}

/** What the shell has to do once the reply is written. */
export type Next =
  | { readonly kind: "command" }
  /** Get a decision, then `onDecision`. */
  | { readonly kind: "policy"; readonly ask: Ask }
  /** Read content up to its lone dot, then `onContentEnd`. */
  | { readonly kind: "content"; readonly message: Opening }
  /** Read so many octets of content, then `onChunkEnd`, or behind the last chunk `onContentEnd`. `message`: it begins. */
  | { readonly kind: "chunk"; readonly chunk: Chunk; readonly message: Opening | undefined }
  /** Throw away so many octets; only then comes this reply. */
  | { readonly kind: "discard"; readonly sizeBytes: number; readonly reply: string }
  /** See whether anything was sent behind it already, then `onStartTls`. */
  | { readonly kind: "starttls" }
  /** Carry out the handshake, then `onSecured`. */
  | { readonly kind: "handshake" }
  /** Begin an exchange with this response, then `onAuthStep`. */
  | { readonly kind: "auth"; readonly mechanism: Mechanism; readonly initial: Uint8Array | undefined }
  /** Read a line, up to `maxAuthLine`, then `onAuthLine`. */
  | { readonly kind: "auth line" }
  /** Go on with the exchange, then `onAuthStep`. */
  | { readonly kind: "auth response"; readonly response: Uint8Array }
  /** Another client speaks now; then as with a new connection. */
  | { readonly kind: "xclient"; readonly attributes: XclientAttributes }
  /** `reason` for the log; undefined after QUIT. */
  | { readonly kind: "close"; readonly reason: string | undefined };

/** Something for the log. */
export interface Refusal {
  readonly event:
    | "refused-connect"
    | "refused-helo"
    | "refused-auth"
    | "refused-mail"
    | "refused-rcpt"
    | "refused-data";
  readonly from?: string;
  readonly to?: string;
  readonly reason: string;
}

/** Something for the log as well. */
export type LoginEvent =
  | { readonly event: "login"; readonly mechanism: Mechanism; readonly user: string }
  | { readonly event: "login-failed"; readonly mechanism: string; readonly reason: string };

export interface Step {
  readonly session: Session;
  /** An octet string with its CRLFs; may be empty. */
  readonly reply: string;
  readonly next: Next;
  /** The reply, and all that follows, waits so long; what was said before does not. */
  readonly delayMs?: number;
  readonly refusal?: Refusal;
  readonly login?: LoginEvent;
}

const onward: Next = { kind: "command" };

/** A reply (without its last CRLF), and the next command. */
export function say(session: Session, reply: string): Step {
  return { session, reply: `${reply}\r\n`, next: onward };
}

/** A reply to something the client did wrong, or, not `counted`, only could not get. */
export function fail(session: Session, reply: string, settings: Settings, counted = true): Step {
  if (!counted) return say(session, reply);
  const next = { ...session, errors: session.errors + 1 };
  const { mostErrors = usualErrors, mostErrorsAfterLogin = mostErrors } = settings;
  if (next.errors < (session.login === undefined ? mostErrors : mostErrorsAfterLogin)) return say(next, reply);
  return cutOff(next, `${reply}\r\n421 4.7.0 too many errors\r\n`, "too-many-errors");
}

export function cutOff(session: Session, reply: string, reason: string): Step {
  return { session, reply, next: { kind: "close", reason } };
}

/** What the policy is told of the transaction. */
export function mailFacts({ transaction, refused }: Session): MailFacts {
  return { sender: transaction?.path ?? { kind: "null" }, accepted: transaction?.count ?? 0, refused };
}

/**
 * A line from elsewhere as a line of a reply (RFC 5321 §4.5.3.1.5) or of a header: it may hold what a stranger wrote (a TXT
 * record, say), which must not end the line.
 */
export function oneLine(text: string, longest: number): string {
  // deno-lint-ignore no-control-regex -- control octets are the point
  return text.slice(0, longest).replace(/[\x00-\x1f\x7f]/g, "?");
}
