/**
 * Takes one QMQP client's message: all of its recipients or none, and one answer for all.
 * @module
 */
import { logEvent } from "../lib/log/log.ts";
import { answerTo, badAddress, type TextEnd } from "../lib/qmtp/answers.ts";
import { ArrivingMessage } from "../lib/qmtp/arriving_message.ts";
import type { Answered, Desk } from "../lib/qmtp/connection.ts";
import type { GivenEnvelope } from "../lib/qmtp/mail_reader.ts";
import { formatNetstring } from "../lib/qmtp/netstring.ts";
import { topOf } from "../lib/qmtp/trace.ts";
import { exitCode } from "../lib/queue/exit_code.ts";
import type { IntoQueue } from "../lib/smtp/incoming_message.ts";

export interface QmqpDeskOptions {
  readonly ip: string;
  readonly me: string;
  /** Begins a message. */
  readonly begin: () => IntoQueue;
  /** The Unix time in ms. */
  readonly now: () => number;
}

export class QmqpDesk implements Desk {
  readonly #options: QmqpDeskOptions;

  constructor(options: QmqpDeskOptions) {
    this.#options = options;
  }

  begin(): ArrivingMessage {
    const { ip, me, begin, now } = this.#options;
    return new ArrivingMessage(begin(), topOf({ protocol: "QMQP", ip, me }, now()), 0);
  }

  async answer(message: ArrivingMessage, { sender, recipients }: GivenEnvelope): Promise<Answered> {
    const known = recipients.filter((recipient) => recipient !== undefined);
    if (sender === undefined || known.length < recipients.length) {
      message.abort();
      logEvent("refused-message", { ip: this.#options.ip, bytes: message.bytes, reason: "address" });
      return { octets: formatNetstring(badAddress), ends: true };
    }
    const end = await message.end({ sender, recipients: known }, this.#options.now);
    this.#note(message, sender, known.length, end);
    return { octets: formatNetstring(answerTo(end)), ends: true };
  }

  #note({ bytes }: ArrivingMessage, sender: string, rcpts: number, end: TextEnd): void {
    const fields = { ip: this.#options.ip, from: `<${sender}>`, rcpts, bytes };
    if (end.kind === "fault") logEvent("refused-message", { ...fields, reason: end.fault });
    else if (end.code === exitCode.queued) logEvent("accepted", { ...fields, qp: end.qp });
    else logEvent("failed", { ...fields, code: end.code });
  }
}
