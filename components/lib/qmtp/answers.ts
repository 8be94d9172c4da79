/**
 * What QMTP and QMQP servers answer (qmail's interface): a netstring, in it K (accepted), Z (try again) or D (never), then
 * text for a person. Octet strings.
 * @module
 */
import { exitCode, exitText } from "../queue/exit_code.ts";
import type { QueueReply } from "../wire/queue_protocol.ts";
import { longestAddress } from "./mail_reader.ts";

/** One answer without its netstring. */
export type Answer = `${"K" | "Z" | "D"}${string}`;

export const badSender: Answer = "Dunacceptable sender (#5.1.7)";
export const badRecipient: Answer = "Dsorry, I can't handle that recipient (#5.1.3)";
export const badAddress: Answer = "Dsorry, I can't accept addresses like that (#5.1.3)";

/** What is wrong with a message that was read to its end. */
export type TextFault = "size" | "hops";

const faults: Readonly<Record<TextFault, Answer>> = {
  size: "Dsorry, that message size exceeds my databytes limit (#5.3.4)",
  hops: "Dtoo many hops, this message is looping (#5.4.6)",
};

/** What became of a message that could be read. */
export type TextEnd =
  | { readonly kind: "fault"; readonly fault: TextFault }
  | ({ readonly kind: "queue"; readonly unixSeconds: number } & QueueReply);

/** The answer to those whom the message is for. */
export function answerTo(end: TextEnd): Answer {
  if (end.kind === "fault") return faults[end.fault];
  const { code, qp, unixSeconds } = end;
  return code === exitCode.queued ? `Kok ${unixSeconds} qp ${qp}` : exitText(code) as Answer;
}

/**
 * An SMTP reply without line ends as an answer: its class becomes the letter, its status goes to the end, as in qmail's.
 *
 * @example
 * ```ts
 * import { answerLike } from "./answers.ts";
 * answerLike("550 5.1.1 sorry, no mailbox here by that name"); // "Dsorry, no mailbox here by that name (#5.1.1)"
 * ```
 */
export function answerLike(reply: string): Answer {
  const letter = reply.startsWith("5") ? "D" : "Z";
  const [, status, text] = /^[0-9]{3}(?:[ -]([245]\.[0-9]{1,3}\.[0-9]{1,3})\b)?[ -]?(.*)$/s.exec(reply) ?? [];
  const words = (text ?? reply).replace(/[\r\n]+/g, " ");
  return status === undefined ? `${letter}${words}` : `${letter}${words} (#${status})`;
}

/** Whether a queue can keep an address, which may have grown since it came. */
export function fitsQueue(address: string): boolean {
  return address.length < longestAddress && !address.includes("\0");
}
