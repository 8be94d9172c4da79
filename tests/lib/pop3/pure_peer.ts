/**
 * A POP3 server made of the two pure machines alone, with mailboxes and passwords in memory.
 * @module
 */
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import {
  type AuthorizationSettings,
  type AuthorizationStep,
  beginAuthorization,
  capabilities,
  greeting,
  onAuthLine,
  onAuthStep,
  onCommand,
  onLongLine,
  onSecured,
  onStls,
} from "../../../components/lib/pop3/authorization.ts";
import { longestCommand, parseCommand } from "../../../components/lib/pop3/command.ts";
import { ContentEncoder } from "../../../components/lib/pop3/content.ts";
import { listing } from "../../../components/lib/pop3/listing.ts";
import { type MailboxView, onCommand as onTransaction } from "../../../components/lib/pop3/transaction.ts";
import { assertNever } from "../../../components/lib/result.ts";
import { apopDigest } from "../../../components/lib/sasl/apop.ts";
import type { AuthStep, Mechanism } from "../../../components/lib/sasl/authenticator.ts";
import { LineReader } from "../../../components/lib/smtp/line_reader.ts";
import type { Peer, Transcript } from "../../support/transcript.ts";

export interface PureMessage {
  readonly uid: string;
  readonly content: string;
}

const passwords = new Map([["joe", "secret"], ["amy", " two  blanks "], ["mrose", "tanstaaf"]]);

/** RFC 1939's. */
const challenge = "<1896.697170952@dbc.mtview.ca.us>";

function answer(mechanism: Mechanism, response: Uint8Array | undefined): AuthStep {
  if (response === undefined) return { kind: "challenge", challenge: new Uint8Array(0) };
  const parts = fromOctets(response).split("\0");
  const login = mechanism === "APOP" ? parts[0]! : parts[1] ?? "";
  const right = passwords.get(login);
  const isRight = right !== undefined &&
    (mechanism === "APOP" ? apopDigest(right, parts[1]!) === parts[2] : parts[2] === right);
  return isRight ? { kind: "success", login, ticket: "t" } : { kind: "failure", reason: "credentials", delayMs: 500 };
}

/** Messages in memory, with the marks of one session. */
export class MemoryMailbox implements MailboxView {
  readonly deleted = new Set<number>();
  constructor(readonly messages: readonly PureMessage[]) {}
  get count(): number {
    return this.messages.length;
  }
  get remainingBytes(): number {
    return this.messages.reduce((sum, { content }, at) => this.deleted.has(at + 1) ? sum : sum + content.length, 0);
  }
  get lastDeleted(): number {
    return Math.max(0, ...this.deleted);
  }
  sizeBytes(message: number): number {
    return this.messages[message - 1]!.content.length;
  }
  uid(message: number): string {
    return this.messages[message - 1]!.uid;
  }
  isDeleted(message: number): boolean {
    return this.deleted.has(message);
  }
}

export class PurePop3Peer implements Peer {
  readonly #lines = new LineReader();
  readonly #settings: AuthorizationSettings;
  readonly mailbox: MemoryMailbox;
  #state = beginAuthorization("");
  #mechanism: Mechanism = "PLAIN";
  #readsAuthLine = false;
  #opened = false;
  #closed = false;
  #said = "";

  constructor(settings: AuthorizationSettings, messages: readonly PureMessage[]) {
    this.#settings = settings;
    this.mailbox = new MemoryMailbox(messages);
    this.#said = greeting(settings, "");
  }

  static of({ settings }: Transcript, messages: readonly PureMessage[]): PurePop3Peer {
    const isSet = (name: string) => settings.get(name) === "1";
    return new PurePop3Peer({
      me: "mx.example.com",
      mechanisms: ["SCRAM-SHA-256", "PLAIN", "LOGIN", ...(isSet("pop3apop") ? ["APOP" as const] : [])],
      startTls: isSet("starttls"),
      needsTls: isSet("needstls"),
      apopChallenge: isSet("pop3apop") ? challenge : undefined,
    }, messages);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** All that was said and not taken by {@link line} yet. */
  get said(): string {
    return this.#said;
  }

  send(octets: string): Promise<void> {
    this.#lines.push(toOctets(octets));
    while (!this.#closed && this.#takeLine());
    return Promise.resolve();
  }

  line(): Promise<string | undefined> {
    const end = this.#said.indexOf("\r\n");
    if (end < 0) return Promise.resolve(this.#closed ? undefined : "(nothing)");
    const line = this.#said.slice(0, end);
    this.#said = this.#said.slice(end + 2);
    return Promise.resolve(line);
  }

  finish(): Promise<readonly string[]> {
    return Promise.resolve(this.#said.split("\r\n").slice(0, -1));
  }

  queued(): readonly never[] {
    return [];
  }

  #takeLine(): boolean {
    const line = this.#lines.takeLine(this.#readsAuthLine ? 12288 : longestCommand);
    if (line === undefined) return false;
    const text = line.kind === "line" ? line.text : undefined;
    if (this.#readsAuthLine) {
      this.#readsAuthLine = false;
      this.#perform(onAuthLine(this.#state, text));
    } else if (text === undefined) this.#perform(onLongLine(this.#state));
    else if (this.#opened) this.#transact(text);
    else this.#perform(onCommand(this.#state, parseCommand(text), this.#settings));
    return true;
  }

  #perform({ state, reply, next }: AuthorizationStep): void {
    this.#state = state;
    this.#said += reply;
    switch (next.kind) {
      case "command":
      case "cancel":
        return;
      case "auth line":
        this.#readsAuthLine = true;
        return;
      case "auth":
        this.#mechanism = next.mechanism;
        return this.#perform(onAuthStep(this.#state, answer(next.mechanism, next.response)));
      case "auth response":
        return this.#perform(onAuthStep(this.#state, answer(this.#mechanism, next.response)));
      case "stls":
        return this.#perform(onStls(this.#state, !this.#lines.isEmpty));
      case "handshake":
        this.#state = onSecured(this.#state, true);
        return;
      case "open":
        this.#opened = true;
        this.#said += "+OK \r\n";
        return;
      case "close":
        this.#closed = true;
        return;
      default:
        assertNever(next);
    }
  }

  #transact(text: string): void {
    const command = parseCommand(text);
    if (command.verb === "CAPA") {
      this.#said += capabilities(this.#settings, this.#state.secured, true);
      return;
    }
    const step = onTransaction(command, this.mailbox);
    switch (step.kind) {
      case "reply":
        this.#said += step.reply;
        return;
      case "delete":
        this.mailbox.deleted.add(step.message);
        this.#said += step.reply;
        return;
      case "reset":
        this.mailbox.deleted.clear();
        this.#said += step.reply;
        return;
      case "list":
        for (const piece of listing(step.of, this.mailbox)) this.#said += fromOctets(piece);
        return;
      case "retrieve": {
        const encoder = new ContentEncoder(step.bodyLines);
        const content = toOctets(this.mailbox.messages[step.message - 1]!.content);
        this.#said += [encoder.begin(), encoder.push(content), encoder.end()].map(fromOctets).join("");
        return;
      }
      case "update":
        this.#said += "+OK \r\n";
        this.#closed = true;
        return;
      default:
        assertNever(step);
    }
  }
}
