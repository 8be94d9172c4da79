/**
 * What an SMTP server says, beside the texts of its policy: qmail's words with the status codes of RFC 3463.
 * @module
 */
import { exitText } from "../queue/exit_code.ts";
import { assertNever } from "../result.ts";
import type { BadReason, Verb } from "./command.ts";
import type { Fault } from "./content.ts";
import { offeredMechanisms } from "./server_auth.ts";
import { offers, type Settings } from "./server_settings.ts";
import type { Session } from "./server_state.ts";
import { xclientNames } from "./xclient.ts";

/** Replies that stand outside of any command. */
export const farewells = {
  timeout: "421 4.4.2 timeout\r\n",
  tooManyConnections: "421 4.3.2 too many connections\r\n",
  goingDown: "421 4.3.2 going down\r\n",
} as const;

/** The first words of the server. */
export function greet({ greeting, dialect }: Settings): string {
  return `220 ${greeting} ${dialect === "lmtp" ? "LMTP" : "ESMTP"}\r\n`;
}

/** The answer to EHLO and LHLO, without its last CRLF: what may be used in this state. */
export function extensions(session: Session, settings: Settings): string {
  const isSecured = session.secured !== "";
  const words = ["PIPELINING", "8BITMIME", `SIZE ${settings.databytes}`];
  if (offers(settings, "CHUNKING")) words.push("CHUNKING");
  if (offers(settings, "CHUNKING") && offers(settings, "BINARYMIME")) words.push("BINARYMIME");
  if (offers(settings, "SMTPUTF8")) words.push("SMTPUTF8");
  if (offers(settings, "DSN")) words.push("DSN");
  if (offers(settings, "REQUIRETLS") && isSecured) words.push("REQUIRETLS");
  if (settings.startTls === true && !isSecured) words.push("STARTTLS");
  const mechanisms = offeredMechanisms(session, settings);
  if (mechanisms.length > 0) words.push(`AUTH ${mechanisms.join(" ")}`);
  const { mostRecipients = 0, mostMails = 0 } = settings;
  const limits = [
    mostMails > 0 ? ` MAILMAX=${mostMails}` : "",
    mostRecipients > 0 ? ` RCPTMAX=${mostRecipients}` : "",
  ].join("");
  if (limits !== "") words.push(`LIMITS${limits}`);
  if (settings.xclient === true) words.push(`XCLIENT ${xclientNames.join(" ")}`);
  words.push("HELP", "ENHANCEDSTATUSCODES");
  return [settings.greeting, ...words].map((word, index) => `250${index < words.length ? "-" : " "}${word}`)
    .join("\r\n");
}

export function faultReply(fault: Fault): string {
  switch (fault) {
    case "hops":
      return "554 5.4.6 too many hops, this message is looping";
    case "size":
      return "552 5.3.4 sorry, that message size exceeds my databytes limit";
    case "bare CR":
    case "bare LF":
    case "NUL":
      return `550 5.5.2 ${fault} in message, see https://cr.yp.to/docs/smtplf.html`;
    case "binary":
      return "554 5.6.1 sorry, i can keep binary content only where CR and LF stand together";
    default:
      return assertNever(fault);
  }
}

/** What became of a message that stood before the queue; `text` as qmail-queue's reply has it. */
export interface QueueEnd {
  readonly code: number;
  readonly qp: number;
  readonly text?: string;
  readonly unixSeconds: number;
}

/** qmail-queue's answer. */
export function queueReply({ code, qp, text: said, unixSeconds }: QueueEnd): string {
  if (code === 0) return `250 2.0.0 ok ${unixSeconds} qp ${qp}`;
  // A program's own words: nothing in them may end the line.
  const text = said !== undefined && /^[DZ]/.test(said) ? said.replace(/[^\x20-\x7e]/g, "?") : exitText(code);
  const permanent = text.startsWith("D");
  const status = /\(#([245]\.[0-9]\.[0-9])\)$/.exec(text)?.[1] ?? (permanent ? "5.3.0" : "4.3.0");
  return `${permanent ? 554 : 451} ${status} ${text.slice(1)}`;
}

export function badReply(of: Verb, reason: BadReason): string {
  const isPath = (of === "MAIL" || of === "RCPT") && reason !== "bad parameter" && reason !== "duplicate parameter";
  if (!isPath) return "501 5.5.4 syntax error";
  if (reason === "utf8 without SMTPUTF8") return "553 5.6.7 sorry, no address with non-ASCII letters";
  return `501 ${of === "MAIL" ? "5.1.7" : "5.1.3"} syntax error`;
}
