/**
 * AUTH in an SMTP dialogue (RFC 4954), as functions of the state: when it may be used, its lines of base64, and what the
 * exchange's steps say. The exchange itself is somebody else's (lib/sasl).
 * @module
 */
import type { AuthStep, Mechanism } from "../sasl/authenticator.ts";
import { assertNever } from "../result.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { Settings } from "./server_settings.ts";
import { type Ask, cutOff, fail, type Session, type Step } from "./server_state.ts";

/** Exchanges that may fail; then the client is cut off, for it is guessing, or knows no better. */
const mostFailedLogins = 3;

const nothing = new Uint8Array(0);

/** What EHLO offers in this state. */
export function offeredMechanisms(session: Session, settings: Settings): readonly Mechanism[] {
  const { mechanisms = [], authNeedsTls = true } = settings;
  if (session.login !== undefined || authNeedsTls && session.secured === "") return [];
  return session.secured === "bound" ? mechanisms : mechanisms.filter((mechanism) => !mechanism.endsWith("-PLUS"));
}

/** Begins an exchange, if this is a time for one. */
export function onAuth(session: Session, name: string, initial: string | undefined, settings: Settings): Step {
  const { mechanisms = [], authNeedsTls = true } = settings;
  if (mechanisms.length === 0) return fail(session, "502 5.5.1 unimplemented", settings);
  if (session.login !== undefined) return fail(session, "503 5.5.1 you're already authenticated", settings);
  if (session.transaction !== undefined) return fail(session, "503 5.5.1 no auth during mail transaction", settings);
  if (authNeedsTls && session.secured === "") {
    return fail(session, "538 5.7.11 auth not available without TLS", settings);
  }
  const mechanism = offeredMechanisms(session, settings).find((offered) => offered === name);
  if (mechanism === undefined) return fail(session, "504 5.5.4 auth type unimplemented", settings);
  const response = initial === undefined ? undefined : initial === "=" ? nothing : decodeBase64(initial);
  if (initial !== undefined && response === undefined) return malformed(session, mechanism, settings);
  return {
    session: { ...session, exchange: { mechanism, login: undefined } },
    reply: "",
    next: { kind: "auth", mechanism, initial: response },
  };
}

/** The client's next line within an exchange; undefined: it was too long. */
export function onAuthLine(session: Session, line: string | undefined, settings: Settings): Step {
  const { exchange, ...others } = session;
  if (exchange === undefined) throw new Error("a line of an exchange outside of any");
  const over: Session = { ...others, exchange: undefined };
  if (line === undefined) return failed(over, exchange, "500 5.5.6 auth line too long", "malformed", settings);
  if (line === "*") return failed(over, exchange, "501 5.7.0 auth exchange cancelled", "cancelled", settings);
  const response = decodeBase64(line);
  if (response === undefined) return malformed(over, exchange.mechanism, settings);
  if (exchange.login === undefined) return { session, reply: "", next: { kind: "auth response", response } };
  // The server has had its last word, to which there is only an empty answer (RFC 4422 §3.6).
  if (response.length > 0) return malformed(over, exchange.mechanism, settings);
  return welcome(over, exchange.mechanism, exchange.login);
}

/** What the exchange came to. */
export function onAuthStep(session: Session, step: AuthStep, settings: Settings): Step {
  const { exchange, ...others } = session;
  if (exchange === undefined) throw new Error("a step of an exchange outside of any");
  const over: Session = { ...others, exchange: undefined };
  switch (step.kind) {
    case "challenge":
      return ask(session, step.challenge);
    case "success":
      if (step.final === undefined) return welcome(over, exchange.mechanism, step.login);
      return ask({ ...session, exchange: { ...exchange, login: step.login } }, step.final);
    case "failure": {
      const reply = failed(over, exchange, failures[step.reason], step.reason, settings);
      return step.delayMs === undefined ? reply : { ...reply, delayMs: step.delayMs };
    }
    default:
      return assertNever(step);
  }
}

const failures = {
  credentials: "535 5.7.8 authentication failed",
  malformed: "501 5.5.2 malformed auth input",
  throttled: "454 4.7.0 too many failed logins, try again later",
  unavailable: "454 4.7.0 sorry, i can't check that now",
} as const;

function ask(session: Session, challenge: Uint8Array): Step {
  return { session, reply: `334 ${encodeBase64(challenge)}\r\n`, next: { kind: "auth line" } };
}

function welcome(session: Session, mechanism: Mechanism, login: string): Step {
  return { session, reply: "", next: { kind: "policy", ask: { on: "auth", mechanism, login } } };
}

/** A login as the policy is asked about it. */
type Proved = Ask & { readonly on: "auth" };

/** The policy has nothing against this login. */
export function acceptLogin(session: Session, { mechanism, login }: Proved): Step {
  return {
    session: { ...session, login },
    reply: "235 2.7.0 ok, go ahead\r\n",
    next: { kind: "command" },
    login: { event: "login", mechanism, user: login },
  };
}

/** It has: to the client the exchange has failed. */
export function refuseLogin(session: Session, proved: Proved, reply: string, reason: string, settings: Settings): Step {
  return failed(session, proved, reply, reason, settings);
}

function malformed(session: Session, mechanism: Mechanism, settings: Settings): Step {
  return failed(session, { mechanism }, failures.malformed, "malformed", settings);
}

/** `unavailable` is nobody's fault here. */
function failed(
  session: Session,
  { mechanism }: { readonly mechanism: Mechanism },
  reply: string,
  reason: string,
  settings: Settings,
): Step {
  const login = { event: "login-failed", mechanism, reason } as const;
  if (reason === "unavailable") return { ...fail(session, reply, settings, false), login };
  const next = { ...session, failedLogins: session.failedLogins + 1 };
  if (next.failedLogins < mostFailedLogins) return { ...fail(next, reply, settings), login };
  return { ...cutOff(next, `${reply}\r\n421 4.7.0 too many failed logins\r\n`, "too-many-failed-logins"), login };
}
