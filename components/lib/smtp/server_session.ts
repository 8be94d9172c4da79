/**
 * One SMTP dialogue, the server's side, as a function: (state, command) → next state, reply, and what to do next. Knows no
 * socket, clock or queue; all texts for the client are here. RFC 5321 for the dialogue, qmail's words with the status codes
 * of RFC 3463. qmail-smtpd speaks it with the network, `sendmail -bs` with whoever started it.
 *
 * Unlike qmail: a second MAIL in a transaction is refused (RFC 5321 §4.1.4), ESMTP parameters are looked at, and a client
 * that errs too often is cut off.
 * @module
 */
import { formatMailbox, type ForwardPath, type ReversePath } from "../address/mailbox.ts";
import type { Envelope } from "../queue/envelope.ts";
import { exitText } from "../queue/exit_code.ts";
import { assertNever } from "../result.ts";
import { type BadReason, type Command, isHttpVerb, type Parameter, type Verb } from "./command.ts";
import type { Fault } from "./content.ts";

/** What the dialogue takes from the control files. */
export interface Settings {
  /** An octet string; begins with the host's name. */
  readonly greeting: string;
  /** 0 means no limit. */
  readonly databytes: number;
}

/** A list that shares its tail: a copy for every RCPT would make a million of them quadratic. */
interface Recipients {
  readonly last: string;
  readonly earlier: Recipients | undefined;
}

interface Transaction {
  readonly sender: string;
  readonly recipients: Recipients | undefined;
  /** Of the envelope as the queue keeps it. */
  readonly octets: number;
}

/** The state between two commands. */
export interface Session {
  /** What the client said of itself; "" before HELO. */
  readonly helo: string;
  readonly esmtp: boolean;
  readonly transaction: Transaction | undefined;
  readonly errors: number;
}

export const newSession: Session = { helo: "", esmtp: false, transaction: undefined, errors: 0 };

/** Why a recipient is refused. `unsure`: whoever knows the mailboxes cannot tell at the moment. */
export type RcptRefusal = "rcpthosts" | "no-mailbox" | "unsure";

/** What becomes of one RCPT; `recipient` is the address as the queue keeps it. */
export type Verdict =
  | { readonly kind: "accept"; readonly recipient: string }
  | { readonly kind: "refuse"; readonly recipient: string; readonly reason: RcptRefusal };

/** What the shell has to do once the reply is written. */
export type Next =
  | { readonly kind: "command" }
  /** Get a verdict on this recipient, then {@link onVerdict}. */
  | { readonly kind: "policy"; readonly path: ForwardPath }
  /** Read content, then {@link onContentEnd}. */
  | { readonly kind: "content"; readonly envelope: Envelope }
  /** `reason` for the log; undefined after QUIT. */
  | { readonly kind: "close"; readonly reason: string | undefined };

/** Something for the log. */
export interface Refusal {
  readonly event: "refused-mail" | "refused-rcpt";
  readonly from: string;
  readonly to?: string;
  readonly reason: string;
}

export interface Step {
  readonly session: Session;
  /** An octet string with its CRLFs; may be empty. */
  readonly reply: string;
  readonly next: Next;
  readonly refusal?: Refusal;
}

/** How content ended. */
export type ContentEnd =
  | { readonly kind: "fault"; readonly fault: Fault }
  | { readonly kind: "queue"; readonly code: number; readonly qp: number; readonly unixSeconds: number };

/** Errors after which the client is cut off: Postfix's limit, high enough for mistyped lists, low for harvesting. */
const maxErrors = 20;

/** Of all recipients in one transaction. RFC 5321 asks for room for 100; this has room for some hundred thousand. */
const maxEnvelopeOctets = 4 * 1024 * 1024;

const onward: Next = { kind: "command" };

/** Replies that stand outside of any command. */
export const farewells = {
  timeout: "421 4.4.2 timeout\r\n",
  tooManyConnections: "421 4.3.2 too many connections\r\n",
  goingDown: "421 4.3.2 going down\r\n",
} as const;

/** The first words of the server. */
export function greet(settings: Settings): string {
  return `220 ${settings.greeting} ESMTP\r\n`;
}

/** Carries out one command. */
export function onCommand(session: Session, command: Command, settings: Settings): Step {
  switch (command.verb) {
    case "HELO":
      return say(
        { ...session, helo: command.domain, esmtp: false, transaction: undefined },
        `250 ${settings.greeting}`,
      );
    case "EHLO":
      return say(
        { ...session, helo: command.domain, esmtp: true, transaction: undefined },
        `250-${settings.greeting}\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE ${settings.databytes}\r\n250 ENHANCEDSTATUSCODES`,
      );
    case "MAIL":
      return onMail(session, command.reversePath, command.parameters, settings);
    case "RCPT":
      if (session.transaction === undefined) return fail(session, "503 5.5.1 MAIL first");
      if (command.parameters.length > 0) return fail(session, "555 5.5.4 unknown parameter");
      return { session, reply: "", next: { kind: "policy", path: command.forwardPath } };
    case "DATA":
      return onData(session);
    case "RSET":
      return say({ ...session, transaction: undefined }, "250 2.0.0 flushed");
    case "NOOP":
      return say(session, "250 2.0.0 ok");
    case "VRFY":
      return say(session, "252 2.1.5 send some mail, i'll try my best");
    case "HELP":
      return say(session, "214 2.0.0 dqmail speaks SMTP as in RFC 5321");
    case "QUIT":
      return { session, reply: `221 2.0.0 ${settings.greeting}\r\n`, next: { kind: "close", reason: undefined } };
    case "UNKNOWN":
      if (isHttpVerb(command.name)) return cutOff(session, "421 4.7.0 this is no web server\r\n", "http");
      return fail(session, "502 5.5.1 unimplemented");
    case "BAD":
      return fail(session, badReply(command.of, command.reason));
    default:
      return assertNever(command);
  }
}

/** A command line over the limit; what it said is not looked at. */
export function onLongLine(session: Session): Step {
  return fail(session, "500 5.5.2 line too long");
}

/** Goes on after {@link Next} `policy`. */
export function onVerdict(session: Session, verdict: Verdict): Step {
  const { transaction } = session;
  const { recipient } = verdict;
  if (transaction === undefined) throw new Error("a verdict outside of a transaction");
  const refusal = (reason: string): Refusal => ({
    event: "refused-rcpt",
    from: transaction.sender,
    to: recipient,
    reason,
  });
  if (verdict.kind === "refuse") {
    const step = fail(session, rcptReplies[verdict.reason], verdict.reason !== "unsure");
    return { ...step, refusal: refusal(verdict.reason) };
  }
  const octets = transaction.octets + recipient.length + 2;
  if (octets > maxEnvelopeOctets) {
    // No error of the client's: it sends what was taken, and the others after it (RFC 5321 §4.5.3.1.10).
    return { ...say(session, "452 4.5.3 too many recipients"), refusal: refusal("too-many-recipients") };
  }
  const recipients = { last: recipient, earlier: transaction.recipients };
  return say({ ...session, transaction: { ...transaction, recipients, octets } }, "250 2.1.5 ok");
}

/** Goes on after {@link Next} `content`. */
export function onContentEnd(session: Session, end: ContentEnd): Step {
  if (end.kind === "fault") return say(session, faultReply(end.fault));
  if (end.code === 0) return say(session, `250 2.0.0 ok ${end.unixSeconds} qp ${end.qp}`);
  const text = exitText(end.code);
  const permanent = text.startsWith("D");
  const status = /\(#([245]\.[0-9]\.[0-9])\)$/.exec(text)?.[1] ?? (permanent ? "5.3.0" : "4.3.0");
  return say(session, `${permanent ? 554 : 451} ${status} ${text.slice(1)}`);
}

function onMail(session: Session, path: ReversePath, parameters: readonly Parameter[], settings: Settings): Step {
  if (session.transaction !== undefined) return fail(session, "503 5.5.1 MAIL already given");
  const sender = path.kind === "null" ? "" : formatMailbox(path.mailbox);
  for (const { keyword, value = "" } of parameters) {
    switch (keyword) {
      case "SIZE":
        if (!/^[0-9]{1,20}$/.test(value)) return fail(session, "501 5.5.4 syntax error");
        if (settings.databytes > 0 && Number(value) > settings.databytes) {
          return {
            ...fail(session, faultReply("size")),
            refusal: { event: "refused-mail", from: sender, reason: "size" },
          };
        }
        break;
      case "BODY":
        if (!/^(?:7BIT|8BITMIME)$/i.test(value)) return fail(session, "501 5.5.4 syntax error");
        break;
      default:
        return fail(session, "555 5.5.4 unknown parameter");
    }
  }
  return say({ ...session, transaction: { sender, recipients: undefined, octets: sender.length + 2 } }, "250 2.1.0 ok");
}

function onData(session: Session): Step {
  const { transaction } = session;
  if (transaction === undefined) return fail(session, "503 5.5.1 MAIL first");
  if (transaction.recipients === undefined) return fail(session, "503 5.5.1 RCPT first");
  const recipients: string[] = [];
  for (let at: Recipients | undefined = transaction.recipients; at !== undefined; at = at.earlier) {
    recipients.push(at.last);
  }
  const envelope = { sender: transaction.sender, recipients: recipients.reverse() };
  return {
    session: { ...session, transaction: undefined },
    reply: "354 go ahead\r\n",
    next: { kind: "content", envelope },
  };
}

const rcptReplies: Readonly<Record<RcptRefusal, string>> = {
  "rcpthosts": "553 5.7.1 sorry, that domain isn't in my list of allowed rcpthosts",
  "no-mailbox": "550 5.1.1 sorry, no mailbox here by that name",
  "unsure": "451 4.3.0 sorry, i can't look for that mailbox now",
};

function faultReply(fault: Fault): string {
  switch (fault) {
    case "hops":
      return "554 5.4.6 too many hops, this message is looping";
    case "size":
      return "552 5.3.4 sorry, that message size exceeds my databytes limit";
    case "bare CR":
    case "bare LF":
    case "NUL":
      return `550 5.5.2 ${fault} in message, see https://cr.yp.to/docs/smtplf.html`;
    default:
      return assertNever(fault);
  }
}

function badReply(of: Verb, reason: BadReason): string {
  const isPath = (of === "MAIL" || of === "RCPT") && reason !== "bad parameter" && reason !== "duplicate parameter";
  if (!isPath) return "501 5.5.4 syntax error";
  if (reason === "utf8 without SMTPUTF8") return "553 5.6.7 sorry, no address with non-ASCII letters";
  return `501 ${of === "MAIL" ? "5.1.7" : "5.1.3"} syntax error`;
}

function say(session: Session, reply: string): Step {
  return { session, reply: `${reply}\r\n`, next: onward };
}

/** A reply to something the client did wrong, or, not `counted`, only could not get. */
function fail(session: Session, reply: string, counted = true): Step {
  if (!counted) return say(session, reply);
  const next = { ...session, errors: session.errors + 1 };
  if (next.errors < maxErrors) return say(next, reply);
  return cutOff(next, `${reply}\r\n421 4.7.0 too many errors\r\n`, "too-many-errors");
}

function cutOff(session: Session, reply: string, reason: string): Step {
  return { session, reply, next: { kind: "close", reason } };
}
