/**
 * Takes one QMTP client's mail: each message goes on into the queue as it comes; its envelope is judged before it is
 * committed, and those who are refused are left out. Where nobody is left there is no message.
 * @module
 */
import { logEvent } from "../lib/log/log.ts";
import { decoyQueue } from "../lib/qmtp/decoy_queue.ts";
import type { ClientFacts, Decision, Policy } from "../lib/policy/decision.ts";
import { answerTo, type TextEnd } from "../lib/qmtp/answers.ts";
import { ArrivingMessage } from "../lib/qmtp/arriving_message.ts";
import type { Answered, Desk } from "../lib/qmtp/connection.ts";
import type { GivenEnvelope } from "../lib/qmtp/mail_reader.ts";
import { formatNetstring } from "../lib/qmtp/netstring.ts";
import { topOf } from "../lib/qmtp/trace.ts";
import { exitCode } from "../lib/queue/exit_code.ts";
import type { IntoQueue } from "../lib/smtp/incoming_message.ts";
import { judge, type Judgement } from "./judgement.ts";

/** What a client's desk is given. */
export interface DeskOptions {
  readonly policy: Policy;
  readonly facts: ClientFacts;
  readonly me: string;
  readonly envnoathost: string;
  readonly databytes: number;
  /** Of an encrypted channel, as "TLSv1.3 TLS_AES_128_GCM_SHA256". */
  readonly tls?: string | undefined;
  /** Begins a message. */
  readonly begin: (client: ClientFacts) => IntoQueue;
  /** The Unix time in ms. */
  readonly now: () => number;
  /** Holds the answers back, or for 0 ms lets others have their turn. */
  readonly wait: (ms: number) => Promise<void>;
}

export class QmtpDesk implements Desk {
  readonly #options: DeskOptions;
  readonly #connect: Decision | Promise<Decision>;
  /** The same, once it is known. */
  #known: Decision | undefined;
  #facts: ClientFacts;
  #refused = 0;

  /** Asks the policy about the client at once, as at a greeting. */
  constructor(options: DeskOptions) {
    this.#options = options;
    this.#facts = options.facts;
    this.#connect = options.policy.connect(options.facts);
    if (this.#connect instanceof Promise) void this.#connect.then((decision) => this.#known = decision);
    else this.#known = this.#connect;
  }

  begin(): ArrivingMessage {
    const { me, tls, databytes, begin, now } = this.#options;
    const known = this.#known;
    const header = known?.kind === "accept" ? known.header : undefined;
    const top = topOf({ protocol: "QMTP", ip: this.#facts.ip, me, tls, header }, now());
    // Nobody can get it: it is read, and that is all.
    const queue = known?.kind === "refuse" ? decoyQueue : begin(this.#facts);
    return new ArrivingMessage(queue, top, databytes);
  }

  async answer(message: ArrivingMessage, envelope: GivenEnvelope): Promise<Answered> {
    const { policy, envnoathost } = this.#options;
    const connect = await this.#connect;
    const judgement = await judge(envelope, {
      ...{ policy, facts: this.#facts, connect, envnoathost },
      refused: this.#refused,
      pause: () => this.#options.wait(0),
    });
    this.#facts = { ...this.#facts, environment: judgement.environment };
    this.#noteRefused(judgement);
    if (judgement.delayMs > 0) await this.#options.wait(judgement.delayMs);
    const end = await this.#end(message, judgement);
    if (judgement.end === "unanswered") return { octets: "", ends: true };
    const accepted = end === undefined ? undefined : formatNetstring(answerTo(end));
    const octets = judgement.verdicts
      .map((verdict) => verdict.kind === "take" ? accepted! : formatNetstring(verdict.answer)).join("");
    return { octets, ends: judgement.end === "answered" };
  }

  /** Queues it for those who are not refused; undefined: there is nobody. */
  async #end(message: ArrivingMessage, { sender, verdicts, end }: Judgement): Promise<TextEnd | undefined> {
    const recipients = verdicts.flatMap((verdict) => verdict.kind === "take" ? [verdict.address] : []);
    if (recipients.length === 0 || end === "unanswered") {
      message.abort();
      return undefined;
    }
    const became = await message.end({ sender, recipients }, this.#options.now);
    const { ip } = this.#facts;
    const fields = { ip, from: `<${sender}>`, rcpts: recipients.length, bytes: message.bytes };
    if (became.kind === "fault") logEvent("refused-message", { ...fields, reason: became.fault });
    else if (became.code === exitCode.queued) logEvent("accepted", { ...fields, qp: became.qp });
    else logEvent("failed", { ...fields, code: became.code });
    return became;
  }

  #noteRefused({ sender, verdicts }: Judgement): void {
    const refused = verdicts.flatMap((verdict) => verdict.kind === "answer" ? [verdict] : []);
    this.#refused += refused.length;
    const fields = { ip: this.#facts.ip, from: `<${sender}>` };
    for (const { to, reason } of refused.slice(0, mostLogged)) {
      logEvent("refused-rcpt", { ...fields, to: `<${to}>`, reason });
    }
    if (refused.length > mostLogged) {
      logEvent("refused-rcpts", { ...fields, more: refused.length - mostLogged });
    }
  }
}

/** Refused recipients of one message that get a line each: a client may name a hundred thousand in a few packets. */
const mostLogged = 100;
