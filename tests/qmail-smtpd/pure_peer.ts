/**
 * The pure parts of qmail-smtpd put together without a socket or another process: what a transcript is played against
 * first.
 * @module
 */
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { parseCommand } from "../../components/lib/smtp/command.ts";
import type { Envelope } from "../../components/lib/queue/envelope.ts";
import { Content } from "../../components/lib/smtp/content.ts";
import { LineReader } from "../../components/lib/smtp/line_reader.ts";
import {
  greet,
  newSession,
  onCommand,
  onContentEnd,
  onLongLine,
  onVerdict,
  type Settings,
  type Step,
} from "../../components/lib/smtp/server_session.ts";
import { compileRules, judge, mayRelay, type Rules, verdictOf } from "../../components/qmail-smtpd/policy.ts";
import type { Controls } from "../../config/schema.ts";
import type { Peer } from "../support/transcript.ts";
import { qp } from "./fake_queue.ts";
import { mailboxKind } from "./world.ts";

/** `code` is what the queue would answer. */
export class PurePeer implements Peer {
  readonly #settings: Settings;
  readonly #rules: Rules;
  readonly #relaying: boolean;
  readonly #code: number;
  readonly #reader = new LineReader();
  readonly #messages: { sender: string; recipients: readonly string[]; content: string }[] = [];
  #session = newSession;
  #incoming: { content: Content; envelope: Envelope; text: string } | undefined;
  #text: string;
  #closed = false;

  constructor(controls: Controls, code = 0) {
    this.#settings = { greeting: controls.smtpgreeting, databytes: controls.databytes };
    this.#rules = compileRules(controls);
    this.#relaying = mayRelay("127.0.0.1", this.#rules);
    this.#code = code;
    this.#text = greet(this.#settings);
  }

  send(octets: string): Promise<void> {
    this.#reader.push(toOctets(octets));
    while (!this.#closed && (this.#incoming === undefined ? this.#takeCommand() : this.#takeContent()));
    return Promise.resolve();
  }

  line(): Promise<string | undefined> {
    const end = this.#text.indexOf("\r\n");
    if (end < 0 && !this.#closed) throw new Error("expected a line, but the session has nothing to say");
    const line = end < 0 ? undefined : this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 2);
    return Promise.resolve(line);
  }

  finish(): Promise<readonly string[]> {
    return Promise.resolve(this.#text.split("\r\n").slice(0, -1));
  }

  queued(): { sender: string; recipients: readonly string[]; content: string }[] {
    return this.#messages;
  }

  #takeCommand(): boolean {
    const line = this.#reader.takeLine();
    if (line === undefined) return false;
    this.#perform(
      line.kind === "line"
        ? onCommand(this.#session, parseCommand(line.text), this.#settings)
        : onLongLine(this.#session),
    );
    return true;
  }

  #takeContent(): boolean {
    const chunk = this.#reader.rest();
    if (chunk.length === 0) return false;
    const incoming = this.#incoming!;
    const { output, done, rest } = incoming.content.push(chunk);
    incoming.text += fromOctets(output);
    if (!done) return true;
    this.#reader.push(rest);
    this.#incoming = undefined;
    const { fault } = incoming.content;
    if (fault === undefined && this.#code === 0) this.#messages.push({ ...incoming.envelope, content: incoming.text });
    this.#perform(onContentEnd(
      this.#session,
      fault === undefined ? { kind: "queue", code: this.#code, qp, unixSeconds: 1795333684 } : { kind: "fault", fault },
    ));
    return true;
  }

  #perform(step: Step): void {
    this.#session = step.session;
    this.#text += step.reply;
    switch (step.next.kind) {
      case "policy": {
        const judgement = judge(step.next.path, this.#relaying, this.#rules);
        const { recipient } = judgement;
        this.#perform(
          onVerdict(this.#session, judgement.kind === "ask" ? verdictOf(recipient, mailboxKind(recipient)) : judgement),
        );
        break;
      }
      case "content":
        this.#incoming = { content: new Content(this.#settings.databytes), envelope: step.next.envelope, text: "" };
        break;
      case "close":
        this.#closed = true;
        break;
      case "command":
        break;
    }
  }
}
