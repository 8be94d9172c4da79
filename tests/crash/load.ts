/**
 * The load: numbered messages whose shapes come from a seed, over many connections, and the book of what was answered.
 *
 * Every recipient is an address of its own, so that each delivery, bounce and log line tells whose it is:
 * `demo-NUMBER-K@localhost` (the mailbox demo), `r-…@sink.example`, `refused-…@sink.example`, and
 * `later2-…@sink.example` for one that is deferred twice.
 * @module
 */
import { createHash } from "node:crypto";
import type { Mail } from "../support/smtp_client.ts";
import { type Fate, type Result, sendMails } from "../support/mail_stream.ts";
import { Choices } from "./choices.ts";

/** Local mailboxes; bounces come to the first. */
export const mailboxes = ["demo", "postmaster"] as const;
export const sender = "demo-sender@localhost";
export const remoteDomain = "sink.example";

/** One message that the server may have. */
export interface Sent {
  readonly number: number;
  /** Those the server took. */
  readonly recipients: readonly string[];
  readonly bodyHash: string;
  readonly fate: Fate;
  /** The server's words: they name its number in the log. */
  readonly answer: string;
  /** When its sending began. */
  readonly sentMs: number;
}

/** Whether the sink refuses this recipient for good. */
export function isRefused(recipient: string): boolean {
  return recipient.startsWith("refused");
}

/** How often the sink defers this recipient. */
export function timesDeferred(recipient: string): number {
  return Number(/^later([0-9])-/.exec(recipient)?.[1] ?? 0);
}

/** Of a body's octet string with LF line ends. */
export function hashBody(body: string): string {
  return createHash("sha1").update(body, "latin1").digest("base64");
}

const manyRecipients = 150;
const mostDeferrals = 3;

/** Recipients of a message; `kind` is drawn by the hundred. */
function recipientsOf(choices: Choices, number: number): string[] {
  const local = (k: number) => `${choices.pick(mailboxes)}-${number}-${k}@localhost`;
  const remote = (k: number) => `r-${number}-${k}@${remoteDomain}`;
  const refused = (k: number) => `refused-${number}-${k}@${remoteDomain}`;
  const later = (k: number) => `later${choices.whole(1, mostDeferrals)}-${number}-${k}@${remoteDomain}`;
  const kind = choices.whole(1, 100);
  if (kind <= 1) return Array.from({ length: manyRecipients }, (_, k) => choices.pick([local, remote])(k));
  if (kind <= 12) {
    const length = choices.whole(2, 8);
    return Array.from({ length }, (_, k) => choices.pick([local, local, remote, remote, refused, later])(k));
  }
  if (kind <= 17) return [refused(0)];
  if (kind <= 22) return [later(0)];
  return [(kind <= 61 ? local : remote)(0)];
}

function sizeOf(choices: Choices, recipients: number): number {
  if (recipients === manyRecipients) return choices.spread(200, 2000);
  return choices.whole(1, 10) === 1 ? choices.spread(20_000, 300_000) : choices.spread(200, 20_000);
}

/** Lines of which some begin with dots, `sizeBytes` in all, the last one ended. */
function bodyOf(choices: Choices, number: number, sizeBytes: number): string {
  const lines = Array.from({ length: 8 }, (_, line) => {
    const dots = ".".repeat(choices.whole(0, 3));
    return `${dots}${number} ${line} `.padEnd(choices.whole(20, 900), String.fromCharCode(choices.whole(97, 122)));
  }).join("\n");
  return `${`${lines}\n`.repeat(Math.ceil(sizeBytes / lines.length)).slice(0, sizeBytes - 1).trimEnd()}\n`;
}

/** The message of this number: for one seed always the same. */
export function mailOf(seed: number, number: number): Mail {
  const choices = new Choices(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b));
  const to = recipientsOf(choices, number);
  const body = bodyOf(choices, number, sizeOf(choices, to.length));
  // A bounce of the null reverse-path would be a double bounce.
  const from = !to.some(isRefused) && choices.whole(1, 8) === 1 ? "" : sender;
  return { from, to, content: `X-Number: ${number}\nSubject: crash\n\n${body}` };
}

interface UnderWay {
  readonly number: number;
  readonly sentMs: number;
}

/** Sends between {@link start} and {@link stop}, and remembers what the server may have until {@link forget}. */
export class Load {
  readonly #seed: number;
  readonly #port: number;
  readonly #connections: number;
  readonly #underWay = new Map<Mail, UnderWay>();
  #sent: Sent[] = [];
  #last = 0;
  #running = false;
  #held = false;
  #ended: Promise<void> = Promise.resolve();
  #gate = Promise.withResolvers<void>();
  /** Messages the server did not want. */
  refused = 0;

  constructor(options: { readonly seed: number; readonly port: number; readonly connections: number }) {
    this.#seed = options.seed;
    this.#port = options.port;
    this.#connections = options.connections;
    this.#gate.resolve();
  }

  /** What the server may have. */
  get sent(): readonly Sent[] {
    return this.#sent;
  }

  start(): void {
    this.#running = true;
    this.#ended = sendMails({
      port: this.#port,
      connections: this.#connections,
      next: () => this.#next(),
      done: (mail, result) => this.#done(mail, result),
    });
  }

  /** Sends no more, and settles when the last message is answered. */
  async stop(): Promise<void> {
    this.abandon();
    await this.#ended;
  }

  /** Part of {@link stop} that does not wait: for a run that could not go on. */
  abandon(): void {
    this.#running = false;
    this.hold(false);
  }

  /** While held, no next message is sent: the queue is long enough. */
  hold(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    if (held) this.#gate = Promise.withResolvers();
    else this.#gate.resolve();
  }

  /** All that was sent is verified. */
  forget(): void {
    this.#sent = [];
    this.refused = 0;
  }

  async #next(): Promise<Mail | undefined> {
    await this.#gate.promise;
    if (!this.#running) return undefined;
    const number = ++this.#last;
    const mail = mailOf(this.#seed, number);
    this.#underWay.set(mail, { number, sentMs: Date.now() });
    return mail;
  }

  #done(mail: Mail, { fate, recipients, answer }: Result): void {
    const { number, sentMs } = this.#underWay.get(mail)!;
    this.#underWay.delete(mail);
    if (fate === "refused") this.refused++;
    if (recipients.length === 0 && fate !== "unknown") return;
    const content = mail.content as string;
    const bodyHash = hashBody(content.slice(content.indexOf("\n\n") + 2));
    this.#sent.push({ number, recipients, bodyHash, fate, answer, sentMs });
  }
}
