/**
 * A client's commands in their order, and the policy's decisions on them. While one RCPT waits for its decision those that
 * came behind it are asked about as well; they are answered in their turn.
 * @module
 */
import type { Decision, Policy } from "../lib/policy/decision.ts";
import { assertNever } from "../lib/result.ts";
import type { Command } from "../lib/smtp/command.ts";
import type { LineReader } from "../lib/smtp/line_reader.ts";
import { type Here, withoutOwnLiteral } from "../lib/smtp/own_literal.ts";
import {
  type Ask,
  mailFacts,
  onCommand,
  onLongLine,
  parseLine,
  type Session,
  type Settings,
  type Step,
} from "../lib/smtp/server_session.ts";
import type { ClientIdentity } from "./client_identity.ts";

export type Asked = Decision | Promise<Decision>;

/** A step, and for a RCPT that had to wait the decision, which is being asked for already. */
export interface Taken {
  readonly step: Step;
  readonly asked: Asked | undefined;
}

interface Ahead {
  readonly command: Command | "long line";
  readonly asked?: Asked;
}

/** RCPTs that are asked about at once. */
const maxAhead = 100;

const accepted: Decision = { kind: "accept", address: "" };

export class CommandQueue {
  readonly #lines: LineReader;
  readonly #client: ClientIdentity;
  readonly #policy: Policy;
  readonly #settings: Settings;
  readonly #here: Here | undefined;
  #ahead: Ahead[] = [];

  constructor(lines: LineReader, client: ClientIdentity, policy: Policy, settings: Settings, here?: Here) {
    this.#lines = lines;
    this.#client = client;
    this.#policy = policy;
    this.#settings = settings;
    this.#here = here;
  }

  /** Whether nothing has come behind the command that was taken last. */
  get isEmpty(): boolean {
    return this.#ahead.length === 0 && this.#lines.isEmpty;
  }

  /** The step of the next command; undefined where there is none. */
  take(session: Session): Taken | undefined {
    const next = this.#ahead.shift() ?? this.#read(session);
    return next === undefined ? undefined : { step: this.#stepOf(session, next), asked: next.asked };
  }

  ask(session: Session, ask: Ask): Asked {
    const facts = this.#client.facts(session);
    switch (ask.on) {
      case "connect":
        return this.#policy.connect(facts);
      case "helo":
        return this.#policy.helo({ ...facts, helo: ask.helo });
      case "auth":
        return this.#policy.auth?.({ ...facts, login: ask.login }, ask.mechanism) ?? accepted;
      case "mail":
        return this.#policy.mail(facts, ask.path, ask.raw);
      case "rcpt":
        return this.#policy.rcpt(facts, mailFacts(session), ask.path);
      case "data":
        return this.#policy.data?.(facts, mailFacts(session)) ?? accepted;
      default:
        return assertNever(ask);
    }
  }

  /** Asks about the RCPTs that came in the same packet as one that waits. */
  lookAhead(session: Session): void {
    if (this.#policy.inTurn?.(this.#client.facts(session)) === true) return;
    while (this.#ahead.length < maxAhead && (this.#ahead.length === 0 || this.#ahead.at(-1)?.asked !== undefined)) {
      const next = this.#read(session);
      if (next === undefined) return;
      const step = this.#stepOf(session, next);
      const isRcpt = step.next.kind === "policy" && step.next.ask.on === "rcpt";
      this.#ahead.push(isRcpt ? { ...next, asked: this.ask(session, step.next.ask) } : next);
    }
  }

  clear(): void {
    this.#ahead = [];
  }

  #read(session: Session): Ahead | undefined {
    const line = this.#lines.takeLine();
    if (line === undefined) return undefined;
    if (line.kind !== "line") return { command: "long line" };
    const command = parseLine(session, line.text, this.#settings);
    return { command: this.#here === undefined ? command : withoutOwnLiteral(command, this.#here) };
  }

  #stepOf(session: Session, { command }: Ahead): Step {
    return command === "long line" ? onLongLine(session, this.#settings) : onCommand(session, command, this.#settings);
  }
}
