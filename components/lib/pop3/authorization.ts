/**
 * A POP3 session until somebody has logged in (RFC 1939 §4, RFC 2595, RFC 5034), as functions of its state: greeting,
 * USER and PASS, APOP, STLS, AUTH. The texts are qmail-popup's where it has any, behind the response codes of RFC 2449 and
 * RFC 3206.
 *
 * Unlike qmail: CAPA, STLS and AUTH are there; a login may be tried three times; the greeting has a challenge only where
 * APOP can be used.
 * @module
 */
import { assertNever } from "../result.ts";
import type { AuthFailure, AuthStep, Mechanism } from "../sasl/authenticator.ts";
import { apopResponse } from "../sasl/apop.ts";
import { decodeBase64, encodeBase64 } from "../smtp/base64.ts";
import { toOctets } from "../octets.ts";
import { capabilitiesReply } from "./capabilities.ts";
import type { Command } from "./command.ts";

/** What a session is given for its life. */
export interface AuthorizationSettings {
  /** This host's name, for the greeting. */
  readonly me: string;
  /** What auth can do for this client. Without PLAIN there is no PASS. */
  readonly mechanisms: readonly Mechanism[];
  /** There is a certificate, so STLS is on offer. */
  readonly startTls: boolean;
  /** Nobody may log in over a connection that is not encrypted. */
  readonly needsTls: boolean;
  /** The challenge, angle brackets included, where APOP may be used at all. */
  readonly apopChallenge: string | undefined;
}

/** `bound`: encrypted, with a channel binding. */
export type Secured = "" | "tls" | "bound";

export interface Authorization {
  readonly secured: Secured;
  /** What USER named. */
  readonly user: string | undefined;
  /** The exchange that is under way; `login` once it succeeded and the client has yet to take note. */
  readonly exchange: Exchange | undefined;
  readonly failedLogins: number;
  readonly errors: number;
}

export interface Exchange {
  /** Lines of base64 go to and fro (AUTH); else it is one of PASS or APOP. */
  readonly dialogue: boolean;
  readonly success?: LoggedIn;
}

/** What auth gave for a login: its name, and what the mailbox is opened with. */
export interface LoggedIn {
  readonly login: string;
  readonly ticket: string | undefined;
}

export type Next =
  | { readonly kind: "command" }
  /** The next line is one of the exchange. */
  | { readonly kind: "auth line" }
  /** Begin an exchange. */
  | { readonly kind: "auth"; readonly mechanism: Mechanism; readonly response: Uint8Array | undefined }
  | { readonly kind: "auth response"; readonly response: Uint8Array }
  /** The client has given its exchange up. */
  | { readonly kind: "cancel" }
  /** Find out whether octets stand behind STLS, and say so with {@link onStls}. */
  | { readonly kind: "stls" }
  | { readonly kind: "handshake" }
  | { readonly kind: "open"; readonly loggedIn: LoggedIn }
  | { readonly kind: "close"; readonly reason?: string };

export interface AuthorizationStep {
  readonly state: Authorization;
  readonly reply: string;
  readonly next: Next;
  /** Before the reply. */
  readonly delayMs?: number;
}

/** Errors a client is met with patience for, as in SMTP. */
const mostErrors = 20;
const mostFailedLogins = 3;
const nothing = new Uint8Array(0);
const command: Next = { kind: "command" };

export function beginAuthorization(secured: Secured): Authorization {
  return { secured, user: undefined, exchange: undefined, failedLogins: 0, errors: 0 };
}

/** The first line. qmail's with a challenge in it, the host's name alone where there is nothing to answer it for. */
export function greeting(settings: AuthorizationSettings, secured: Secured): string {
  const challenge = mayLogIn(settings, secured) ? settings.apopChallenge : undefined;
  return `+OK ${challenge ?? settings.me}\r\n`;
}

function mayLogIn({ needsTls }: AuthorizationSettings, secured: Secured): boolean {
  return !needsTls || secured !== "";
}

function offered(settings: AuthorizationSettings, secured: Secured): readonly Mechanism[] {
  if (!mayLogIn(settings, secured)) return [];
  return settings.mechanisms.filter((mechanism) =>
    mechanism !== "APOP" && (secured === "bound" || !mechanism.endsWith("-PLUS"))
  );
}

/** CAPA's answer; in the transaction state (`opened`) without what has had its time. */
export function capabilities(settings: AuthorizationSettings, secured: Secured, opened = false): string {
  const mechanisms = offered(settings, secured);
  return capabilitiesReply({
    user: mechanisms.includes("PLAIN"),
    mechanisms,
    stls: settings.startTls && secured === "" && !opened,
  });
}

export function onCommand(state: Authorization, given: Command, settings: AuthorizationSettings): AuthorizationStep {
  switch (given.verb) {
    case "QUIT":
      return { state, reply: "+OK \r\n", next: { kind: "close" } };
    case "NOOP":
      return say(state, "+OK ");
    case "CAPA":
      return { state, reply: capabilities(settings, state.secured), next: command };
    case "USER":
      return onUser(state, given.text, settings);
    case "PASS":
      return onPass(state, given.text, settings);
    case "APOP":
      return onApop(state, given.text, settings);
    case "AUTH":
      return onAuth(state, given.text, settings);
    case "STLS":
      if (given.text !== "") return fail(state, "syntax error");
      if (!settings.startTls) return fail(state, "unimplemented");
      return state.secured === "" ? { state, reply: "", next: { kind: "stls" } } : fail(state, "there is TLS already");
    case "STAT":
    case "LIST":
    case "RETR":
    case "DELE":
    case "RSET":
    case "TOP":
    case "UIDL":
    case "LAST":
    case "unknown":
      return fail(state, "authorization first");
    case "syntax error":
      return fail(state, "syntax error");
    default:
      return assertNever(given);
  }
}

/** A line that was longer than any command: what came of it may be half a password, so nothing goes on from there. */
export function onLongLine(state: Authorization): AuthorizationStep {
  return { state, reply: "-ERR line too long\r\n", next: { kind: "close", reason: "line-too-long" } };
}

function onUser(state: Authorization, user: string, settings: AuthorizationSettings): AuthorizationStep {
  const refusal = refuseLogin(state, settings, "PLAIN");
  if (refusal !== undefined) return refusal;
  if (user === "") return fail(state, "syntax error");
  // Whether there is such a user is nobody's to know.
  return say({ ...state, user }, "+OK ");
}

function onPass(state: Authorization, password: string, settings: AuthorizationSettings): AuthorizationStep {
  const refusal = refuseLogin(state, settings, "PLAIN");
  if (refusal !== undefined) return refusal;
  const { user } = state;
  if (user === undefined) return fail(state, "USER first");
  if (password === "") return fail(state, "syntax error");
  return ask({ ...state, user: undefined }, "PLAIN", toOctets(`\0${user}\0${password}`));
}

function onApop(state: Authorization, text: string, settings: AuthorizationSettings): AuthorizationStep {
  const { apopChallenge } = settings;
  if (apopChallenge === undefined) return fail(state, "unimplemented");
  const refusal = refuseLogin(state, settings, "APOP");
  if (refusal !== undefined) return refusal;
  const response = apopResponse(text, apopChallenge);
  return response === undefined ? fail(state, "syntax error") : ask(state, "APOP", response);
}

/** What a client is told that may not use `mechanism` yet, or at all. */
function refuseLogin(
  state: Authorization,
  settings: AuthorizationSettings,
  mechanism: Mechanism,
): AuthorizationStep | undefined {
  if (!mayLogIn(settings, state.secured)) return fail(state, "TLS first");
  return settings.mechanisms.includes(mechanism) ? undefined : fail(state, "unimplemented");
}

function ask(state: Authorization, mechanism: Mechanism, response: Uint8Array): AuthorizationStep {
  return { state: { ...state, exchange: { dialogue: false } }, reply: "", next: { kind: "auth", mechanism, response } };
}

function onAuth(state: Authorization, text: string, settings: AuthorizationSettings): AuthorizationStep {
  const [name = "", initial, ...others] = text.split(" ");
  if (name === "" || others.length > 0) return fail(state, "syntax error");
  if (settings.mechanisms.length === 0) return fail(state, "unimplemented");
  if (!mayLogIn(settings, state.secured)) return fail(state, "TLS first");
  const mechanism = offered(settings, state.secured).find((one) => one === name.toUpperCase());
  if (mechanism === undefined) return fail(state, "auth type unimplemented");
  const response = initial === undefined ? undefined : initial === "=" ? nothing : decodeBase64(initial);
  if (initial !== undefined && response === undefined) return failLogin(state, "malformed");
  const begun = { ...state, user: undefined, exchange: { dialogue: true } };
  return { state: begun, reply: "", next: { kind: "auth", mechanism, response } };
}

/** The client's next line within an exchange; undefined: it was too long. */
export function onAuthLine(state: Authorization, line: string | undefined): AuthorizationStep {
  const { exchange } = state;
  if (exchange === undefined) throw new Error("a line of an exchange outside of any");
  const over = { ...state, exchange: undefined };
  if (line === undefined) return onLongLine(over);
  if (line === "*") return { ...fail(over, "auth exchange cancelled"), next: { kind: "cancel" } };
  const response = decodeBase64(line);
  if (exchange.success === undefined && response !== undefined) {
    return { state, reply: "", next: { kind: "auth response", response } };
  }
  // The server has had its last word, to which there is only an empty answer (RFC 4422 §3.6).
  if (exchange.success !== undefined && response?.length === 0) return open(over, exchange.success);
  const failed = failLogin(over, "malformed");
  return failed.next.kind === "command" ? { ...failed, next: { kind: "cancel" } } : failed;
}

/** What the exchange came to. */
export function onAuthStep(state: Authorization, step: AuthStep): AuthorizationStep {
  const { exchange } = state;
  if (exchange === undefined) throw new Error("a step of an exchange outside of any");
  const over = { ...state, exchange: undefined };
  switch (step.kind) {
    case "challenge":
      // PASS and APOP have said all there is to say.
      return exchange.dialogue ? challenge(state, step.challenge) : failLogin(over, "unavailable");
    case "success": {
      const success = { login: step.login, ticket: step.ticket };
      if (step.final === undefined) return open(over, success);
      return challenge({ ...state, exchange: { ...exchange, success } }, step.final);
    }
    case "failure": {
      const failed = failLogin(over, step.reason);
      return step.delayMs === undefined ? failed : { ...failed, delayMs: step.delayMs };
    }
    default:
      return assertNever(step);
  }
}

function challenge(state: Authorization, octets: Uint8Array): AuthorizationStep {
  return { state, reply: `+ ${encodeBase64(octets)}\r\n`, next: { kind: "auth line" } };
}

function open(state: Authorization, loggedIn: LoggedIn): AuthorizationStep {
  return { state, reply: "", next: { kind: "open", loggedIn } };
}

/** Octets behind STLS were sent by somebody who could not see its answer: nothing of this connection can be trusted. */
export function onStls(state: Authorization, octetsBehind: boolean): AuthorizationStep {
  if (octetsBehind) {
    const reply = "-ERR there are octets behind STLS\r\n";
    return { state, reply, next: { kind: "close", reason: "octets-behind-stls" } };
  }
  return { state, reply: "+OK begin TLS\r\n", next: { kind: "handshake" } };
}

/** Nothing that was said in the clear counts any more (RFC 2595 §4). */
export function onSecured(state: Authorization, isBound: boolean): Authorization {
  const { failedLogins, errors } = state;
  return { ...beginAuthorization(isBound ? "bound" : "tls"), failedLogins, errors };
}

const failures: Readonly<Record<AuthFailure, string>> = {
  credentials: "[AUTH] authorization failed",
  malformed: "malformed auth input",
  throttled: "[SYS/TEMP] too many failed logins, try again later",
  unavailable: "[SYS/TEMP] unable to check that now",
};

/** `unavailable` is nobody's fault here. */
function failLogin(state: Authorization, reason: AuthFailure): AuthorizationStep {
  if (reason === "unavailable") return say(state, `-ERR ${failures[reason]}`);
  const next = { ...state, failedLogins: state.failedLogins + 1 };
  if (next.failedLogins < mostFailedLogins) return say(next, `-ERR ${failures[reason]}`);
  return {
    state: next,
    reply: `-ERR ${failures[reason]}\r\n`,
    next: { kind: "close", reason: "too-many-failed-logins" },
  };
}

function fail(state: Authorization, text: string): AuthorizationStep {
  const next = { ...state, errors: state.errors + 1 };
  if (next.errors < mostErrors) return say(next, `-ERR ${text}`);
  return { state: next, reply: `-ERR ${text}\r\n`, next: { kind: "close", reason: "too-many-errors" } };
}

function say(state: Authorization, line: string): AuthorizationStep {
  return { state, reply: `${line}\r\n`, next: command };
}
