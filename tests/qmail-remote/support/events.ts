/**
 * A session played from a list of events, without a network: `CODE text|text` is a reply of as many lines, `secured`,
 * `unproved`, `insecure`, `surplus`, `derived`, `sent`, `chunk`, `last chunk`, `died` and `malformed` are what else may happen.
 * @module
 */
import type { TlsFacts } from "../../../components/lib/tls/client_policy.ts";
import type { Outcome } from "../../../components/qmail-remote/outcome.ts";
import type { Session, Step } from "../../../components/qmail-remote/session.ts";

export const facts: TlsFacts = { protocol: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", proved: true };
export const unproved: TlsFacts = { ...facts, proved: false, flaw: "certificate-not-trusted" };

export interface Played {
  /** What the client said, farewell included, and its other steps in brackets. */
  readonly said: readonly string[];
  /** Undefined: it goes on. */
  readonly outcome: Outcome | undefined;
}

export function playEvents(session: Session, events: readonly string[]): Played {
  const said: string[] = [];
  let step: Step = session.begin();
  const note = () => said.push(...linesOf(step));
  note();
  for (const event of events) {
    step = take(session, event);
    note();
  }
  return { said, outcome: step.kind === "next" || step.kind === "plain" || step.kind === "done" ? step : undefined };
}

function linesOf(step: Step): string[] {
  switch (step.kind) {
    case "reply":
      return step.send.split("\r\n").slice(0, -1);
    case "next":
    case "plain":
    case "done":
      return step.farewell.split("\r\n").slice(0, -1);
    case "content":
      return [step.sevenBit ? "[content, 7 bit]" : "[content]"];
    default:
      return [`[${step.kind}]`];
  }
}

function take(session: Session, event: string): Step {
  switch (event) {
    case "secured":
      return session.onSecured(facts);
    case "unproved":
      return session.onSecured(unproved);
    case "insecure":
      return session.onInsecure("certificate-expired", "the certificate has expired");
    case "surplus":
      return session.onSurplus();
    case "sent":
      return session.contentSent();
    case "chunk":
      return session.chunkSent(false);
    case "last chunk":
      return session.chunkSent(true);
    case "died":
    case "malformed":
      return session.onBroken(event);
    default:
      return session.onReply({ code: Number(event.slice(0, 3)), lines: event.slice(4).split("|") });
  }
}
