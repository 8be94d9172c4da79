/**
 * What the policy says of one envelope. QMTP brings it behind the message, so all of it is asked about at once: the sender
 * first, then each recipient; whoever is refused gets the reply that an SMTP client would have got, as a QMTP answer.
 * @module
 */
import { type ForwardPath, type ReversePath } from "../lib/address/mailbox.ts";
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import { parseEnvelopeAddress } from "../lib/address/parse_path.ts";
import type { ClientFacts, Decision, MailFacts, Policy } from "../lib/policy/decision.ts";
import { type Answer, answerLike, badRecipient, badSender, fitsQueue } from "../lib/qmtp/answers.ts";
import type { Address, GivenEnvelope } from "../lib/qmtp/mail_reader.ts";

/** What becomes of one recipient, if the message is queued. */
export type Verdict =
  | { readonly kind: "take"; readonly address: string }
  | { readonly kind: "answer"; readonly answer: Answer; readonly to: string; readonly reason: string };

export interface Judgement {
  /** As the queue keeps it. */
  readonly sender: string;
  /** One for each recipient, in their order. */
  readonly verdicts: readonly Verdict[];
  /** The answers are held back so long. */
  readonly delayMs: number;
  /** The connection ends with the answers; "unanswered": without them. */
  readonly end: "no" | "answered" | "unanswered";
  /** The client's environment from now on. */
  readonly environment: ClientFacts["environment"];
}

export interface JudgementOptions {
  readonly policy: Policy;
  readonly facts: ClientFacts;
  /** What the policy said when the client came. */
  readonly connect: Decision;
  /** control/envnoathost. */
  readonly envnoathost: string;
  /** Recipients refused earlier in this connection. */
  readonly refused: number;
  /** Called now and then: lets other clients have their turn. */
  readonly pause: () => Promise<void>;
}

/** Recipients that are asked about at once, where the decision on one does not hang on those before it. */
const mostAtOnce = 100;

/** And without a pause: some milliseconds' work. */
const mostInARow = 1000;

/** Rules may hold each recipient's reply back; all together do so no longer than one reply of SMTP might be. */
const longestDelayMs = 240_000;

/** Asks about all of an envelope. */
export async function judge(envelope: GivenEnvelope, options: JudgementOptions): Promise<Judgement> {
  const course = new Course(envelope, options);
  const sender = reversePath(envelope.sender);
  if (sender === undefined) course.refuseAll(badSender, "sender");
  else await course.run(sender);
  return course.judgement();
}

class Course {
  readonly #recipients: readonly Address[];
  readonly #options: JudgementOptions;
  readonly #verdicts: Verdict[] = [];
  #facts: ClientFacts;
  #sender: string;
  #accepted = 0;
  #refused: number;
  #delayMs = 0;
  #end: Judgement["end"] = "no";

  constructor({ sender = "", recipients }: GivenEnvelope, options: JudgementOptions) {
    this.#recipients = recipients;
    this.#options = options;
    this.#facts = options.facts;
    this.#sender = sender;
    this.#refused = options.refused;
  }

  async run(sender: ReversePath): Promise<void> {
    const { policy, connect, pause } = this.#options;
    // A greeting would have been held back; here the client speaks first, and there is none.
    if (!this.#goesOn({ ...connect, delayMs: 0 })) return;
    const mail = await policy.mail(this.#facts, sender, []);
    if (!this.#goesOn(mail)) return;
    this.#sender = mail.address;
    const size = policy.inTurn?.(this.#facts) === true ? 1 : mostAtOnce;
    while (this.#verdicts.length < this.#recipients.length) {
      const at = this.#verdicts.length;
      const asked = this.#recipients.slice(at, at + size).map((recipient) => this.#ask(sender, recipient));
      for (const verdict of asked) this.#note(await verdict);
      if ((at + size) % mostInARow === 0) await pause();
    }
    if (policy.data === undefined || this.#accepted === 0) return;
    const data = await policy.data(this.#facts, this.#mailFacts(sender));
    this.#heed(data);
    if (data.kind === "refuse") this.#refuseTaken(answerLike(data.reply), data.reason);
  }

  judgement(): Judgement {
    return {
      sender: this.#sender,
      verdicts: this.#verdicts,
      delayMs: Math.min(this.#delayMs, longestDelayMs),
      end: this.#end,
      environment: this.#facts.environment,
    };
  }

  /** The same answer for each recipient that has none. */
  refuseAll(answer: Answer, reason: string): void {
    for (const to of this.#recipients.slice(this.#verdicts.length)) {
      this.#verdicts.push({ kind: "answer", answer, to: to ?? "", reason });
    }
  }

  #mailFacts(sender: ReversePath): MailFacts {
    return { sender, accepted: this.#accepted, refused: this.#refused };
  }

  async #ask(sender: ReversePath, given: Address): Promise<Decision | undefined> {
    const path = given === undefined ? undefined : forwardPath(given, this.#options.envnoathost);
    if (path === undefined) return undefined;
    return await this.#options.policy.rcpt(this.#facts, this.#mailFacts(sender), path);
  }

  /** What was decided on the next recipient; undefined: it cannot be one. */
  #note(decision: Decision | undefined): void {
    if (this.#verdicts.length >= this.#recipients.length) return;
    const to = this.#recipients[this.#verdicts.length] ?? "";
    if (decision === undefined || decision.kind === "accept" && !fitsQueue(decision.address)) {
      this.#refused++;
      this.#verdicts.push({ kind: "answer", answer: badRecipient, to, reason: "recipient" });
      return;
    }
    this.#heed(decision);
    if (decision.kind === "accept") {
      this.#accepted++;
      this.#verdicts.push({ kind: "take", address: decision.address });
      return;
    }
    this.#refused++;
    const answer = answerLike(decision.reply);
    this.#verdicts.push({ kind: "answer", answer, to, reason: decision.reason });
    // Whoever is cut off here is asked about no further.
    if (decision.drop === true) this.refuseAll(answer, decision.reason);
  }

  #refuseTaken(answer: Answer, reason: string): void {
    this.#verdicts.forEach((verdict, at) => {
      if (verdict.kind === "take") this.#verdicts[at] = { kind: "answer", answer, to: verdict.address, reason };
    });
  }

  /** Takes note of a decision on all recipients; false: they are refused. */
  #goesOn(decision: Decision): boolean {
    this.#heed(decision);
    if (decision.kind === "refuse") this.refuseAll(answerLike(decision.reply), decision.reason);
    return decision.kind === "accept";
  }

  #heed(decision: Decision): void {
    this.#delayMs += decision.delayMs ?? 0;
    if (decision.environment !== undefined) this.#facts = { ...this.#facts, environment: decision.environment };
    if (decision.kind === "refuse" && decision.drop === true) {
      this.#end = decision.reply === "" ? "unanswered" : "answered";
    }
  }
}

function reversePath(given: Address): ReversePath | undefined {
  if (given === "") return { kind: "null" };
  const mailbox = given === undefined ? undefined : parseEnvelopeAddress(given);
  return mailbox === undefined ? undefined : { kind: "mailbox", mailbox };
}

/** A recipient without a domain is one of control/envnoathost, but for the postmaster, whom every server has. */
function forwardPath(given: string, envnoathost: string): ForwardPath | undefined {
  if (lowerCaseAscii(given) === "postmaster") return { kind: "postmaster" };
  const mailbox = parseEnvelopeAddress(given.includes("@") || given === "" ? given : `${given}@${envnoathost}`);
  return mailbox === undefined ? undefined : { kind: "mailbox", mailbox };
}
