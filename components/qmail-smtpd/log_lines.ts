/**
 * The log's words for what happens to a client and its mail. What came from the client is made harmless by the log itself.
 * @module
 */
import { logEvent, type LogFields } from "../lib/log/log.ts";
import type { ClientFacts } from "../lib/policy/decision.ts";
import type { IncomingMessage } from "../lib/smtp/incoming_message.ts";
import type { ContentEnd, Step } from "../lib/smtp/server_session.ts";
import type { Secured } from "./service.ts";

/** A step's refusal or login, if it has one. */
export function logStep(ip: string, { refusal, login }: Step): void {
  if (refusal !== undefined) {
    const { event, from, to, reason } = refusal;
    logEvent(event, { ip, ...address("from", from), ...address("to", to), reason });
  }
  if (login !== undefined) {
    const { event, mechanism } = login;
    logEvent(event, { ip, ...(event === "login" ? { user: login.user } : { reason: login.reason }), mechanism });
  }
}

export function logSecured(ip: string, { protocol, cipher, servername, clientSubject }: Secured): void {
  const name = servername === undefined ? {} : { servername };
  const client = clientSubject === undefined ? {} : { client: clientSubject };
  logEvent("tls", { ip, protocol, cipher, ...name, ...client });
}

export function logTlsFailure(ip: string, error: unknown): undefined {
  logEvent("tls-failed", { ip, reason: error instanceof Error ? error.message : String(error) });
}

/** What became of a message. */
export function logMessage(
  event: string,
  { envelope, bytes }: IncomingMessage,
  { ip, login, relaying }: ClientFacts,
  more: LogFields = {},
): void {
  const rcpts = envelope.recipients.length;
  const user = login === undefined ? {} : { login };
  // Why it may send anywhere; a login says so by itself.
  const by = login === undefined && relaying ? { by: "relay" } : {};
  logEvent(event, { ip, from: `<${envelope.sender}>`, rcpts, bytes, ...more, ...user, ...by });
}

export function logEnd(message: IncomingMessage, facts: ClientFacts, end: ContentEnd): void {
  if (end.kind === "fault") logMessage("refused-message", message, facts, { reason: end.fault.replace(" ", "-") });
  else if (end.code === 0) logMessage("accepted", message, facts, { qp: end.qp });
  else logMessage("failed", message, facts, { code: end.code });
}

function address(name: "from" | "to", value: string | undefined): LogFields {
  return value === undefined ? {} : { [name]: `<${value}>` };
}
