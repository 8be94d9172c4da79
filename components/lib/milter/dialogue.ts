/**
 * One message's conversation with one milter, from the negotiation to QUIT, as a generator: it yields what is to be written,
 * and gets the next packet where it says that it waits for one. It knows no socket and no clock; whoever runs it sees to the
 * time.
 * @module
 */
import type { Verdict } from "../filters/filter.ts";
import type { Result } from "../result.ts";
import { ScannerError } from "../scanners/failure.ts";
import { refusal } from "../scanners/refusal.ts";
import { bodyOf, type MilterMail } from "./changes.ts";
import {
  formatBody,
  formatConnect,
  formatField,
  formatHelo,
  formatMacros,
  formatMailFrom,
  formatRecipient,
  type SessionFacts,
} from "./commands.ts";
import { type Agreement, answers, formatNegotiation, hasLeadingSpace, parseNegotiation, wants } from "./negotiation.ts";
import { formatPacket, type Packet } from "./packet.ts";
import { command, type CommandName } from "./protocol.ts";
import { type Change, type MilterReply, parseReply } from "./reply.ts";

/** Octets to write, and whether a packet is waited for behind them. */
export interface Turn {
  readonly write: readonly Uint8Array[];
  readonly waits: boolean;
}

/** `changes` are for applyChanges(). */
export type MilterOutcome =
  | { readonly kind: "pass"; readonly changes: readonly Change[] }
  | Exclude<Verdict, { readonly kind: "pass" }>;

/** What a milter may say at the end: packets, changes of fields and of recipients, octets beyond those of the message. */
const [mostPackets, mostListed, mostMoreBytes] = [20_000, 1000, 4 * 1024 * 1024];

type Talk<T> = Generator<Turn, T, Packet | undefined>;
type Reply<Kind extends MilterReply["kind"]> = Extract<MilterReply, { readonly kind: Kind }>;
type Answer = Exclude<MilterReply, Reply<"progress">>;

/** Throws {@link ScannerError} where the milter does not keep to the protocol. */
export function converse(message: MilterMail, facts: SessionFacts): Talk<MilterOutcome> {
  return new Dialogue(message, facts).talk();
}

class Dialogue {
  readonly #message: MilterMail;
  readonly #facts: SessionFacts;
  #agreement: Agreement = { actions: 0, steps: 0, version: 0 };
  /** Written with what is next. */
  #pending: Uint8Array[] = [];
  #packets = 0;

  constructor(message: MilterMail, facts: SessionFacts) {
    this.#message = message;
    this.#facts = facts;
  }

  *talk(): Talk<MilterOutcome> {
    this.#pending.push(formatNegotiation());
    this.#agreement = must(parseNegotiation(yield* this.#packet()));
    const outcome = (yield* this.#tell()) ?? (yield* this.#end());
    this.#pending.push(formatPacket(command.QUIT));
    yield* this.#write();
    return outcome;
  }

  /** Everything before the end of the message; an outcome where the milter has one by then. */
  *#tell(): Talk<MilterOutcome | undefined> {
    const { sender, recipients, mail } = this.#message;
    const leadingSpace = hasLeadingSpace(this.#agreement);
    const early = (yield* this.#command("CONNECT", formatConnect(this.#facts))) ??
      (yield* this.#command("HELO", formatHelo(this.#facts))) ??
      (yield* this.#command("MAIL", formatMailFrom(sender), sender));
    if (early !== undefined) return early;
    for (const recipient of recipients) {
      // A recipient cannot be refused alone any more: what is said of one is said of the message.
      const outcome = yield* this.#command("RCPT", formatRecipient(recipient), recipient);
      if (outcome !== undefined) return outcome;
    }
    const data = yield* this.#command("DATA", formatPacket(command.DATA));
    if (data !== undefined) return data;
    for (const field of mail.fields) {
      const outcome = yield* this.#command("HEADER", formatField(field, leadingSpace));
      if (outcome !== undefined) return outcome;
    }
    return (yield* this.#command("EOH", formatPacket(command.EOH))) ?? (yield* this.#body());
  }

  *#body(): Talk<MilterOutcome | undefined> {
    if (!wants(this.#agreement, "BODY")) return undefined;
    for (const chunk of formatBody(bodyOf(this.#message.mail))) {
      this.#pending.push(chunk);
      if (!answers(this.#agreement, "BODY")) {
        yield* this.#write();
        continue;
      }
      const answer = yield* this.#answer();
      if (answer.kind === "skip") return undefined;
      const outcome = early(answer);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  }

  /** One command with its macros; an outcome where the answer ends the session. */
  *#command(name: CommandName, packet: Uint8Array, address?: string): Talk<MilterOutcome | undefined> {
    if (!wants(this.#agreement, name)) return undefined;
    const macros = formatMacros(name, this.#facts, address);
    if (macros !== undefined) this.#pending.push(macros);
    this.#pending.push(packet);
    if (!answers(this.#agreement, name)) return undefined;
    const answer = yield* this.#answer();
    if (answer.kind === "skip") throw new ScannerError(`the milter wants to skip what is behind ${name}`);
    return early(answer);
  }

  /** The end of the message: changes, and what the milter says of it. */
  *#end(): Talk<MilterOutcome> {
    const macros = formatMacros("BODYEOB", this.#facts);
    this.#pending.push(...(macros === undefined ? [] : [macros]), formatPacket(command.BODYEOB));
    const changes: Change[] = [];
    const most = this.#message.mail.rest.length + mostMoreBytes;
    let [bytes, listed] = [0, 0];
    for (;;) {
      const answer = yield* this.#answer();
      switch (answer.kind) {
        case "change":
          // What was not agreed on could be something this server cannot do.
          if ((answer.needs & this.#agreement.actions) === 0) throw new ScannerError(`a change nobody agreed on`);
          bytes += sizeOf(answer.change);
          if (answer.change.kind !== "body") listed++;
          if (bytes > most || listed > mostListed) throw new ScannerError("the milter wants too many changes");
          changes.push(answer.change);
          break;
        case "continue":
        case "accept":
          return { kind: "pass", changes };
        case "skip":
          throw new ScannerError("the milter wants to skip what is behind the end");
        default:
          return refused(answer);
      }
    }
  }

  /** The next answer; signs of life are waited past. */
  *#answer(): Talk<Answer> {
    for (;;) {
      const reply = must(parseReply(yield* this.#packet(), hasLeadingSpace(this.#agreement)));
      if (reply.kind !== "progress") return reply;
    }
  }

  *#packet(): Talk<Packet> {
    if (++this.#packets > mostPackets + this.#message.mail.fields.length) {
      throw new ScannerError("the milter goes on and on");
    }
    const packet = yield { write: this.#taken(), waits: true };
    if (packet === undefined) throw new ScannerError("the milter hung up");
    return packet;
  }

  *#write(): Talk<void> {
    yield { write: this.#taken(), waits: false };
  }

  #taken(): readonly Uint8Array[] {
    const taken = this.#pending;
    this.#pending = [];
    return taken;
  }
}

/** Before the end: undefined goes on; accepted is a message without a look at the rest of it. */
function early(answer: Exclude<Answer, Reply<"skip">>): MilterOutcome | undefined {
  switch (answer.kind) {
    case "continue":
      return undefined;
    case "accept":
      return { kind: "pass", changes: [] };
    case "change":
      throw new ScannerError("the milter changes a message before its end");
    default:
      return refused(answer);
  }
}

function refused(answer: Reply<"reject" | "temporary" | "discard" | "quarantine" | "reply code">): MilterOutcome {
  if (answer.kind === "reply code") {
    const [, status, text] = /^([245]\.[0-9]{1,3}\.[0-9]{1,3})[ \t]+(.*)$/s.exec(answer.text) ?? [];
    const isPermanent = answer.code >= 500;
    const fits = status?.startsWith(isPermanent ? "5" : "4") === true;
    return refusal(
      isPermanent ? "permanent" : "temporary",
      text ?? answer.text,
      fits ? status : isPermanent ? "5.7.1" : "4.7.1",
    );
  }
  switch (answer.kind) {
    case "discard":
      return { kind: "discard" };
    // There is no such place, and it was not offered: the milter has something against the message all the same.
    case "quarantine":
      return refusal("permanent", "message was to be put in quarantine", "5.7.1");
    case "reject":
      return refusal("permanent", "message refused by a filter", "5.7.1");
    default:
      return refusal("temporary", "a filter asks to try again later", "4.7.1");
  }
}

function sizeOf(change: Change): number {
  switch (change.kind) {
    case "body":
      return change.octets.length;
    case "delete field":
      return change.name.length;
    case "add field":
    case "insert field":
    case "change field":
      return change.field.name.length + change.field.value.length;
    default:
      return change.address.length;
  }
}

function must<T>(result: Result<T, string>): T {
  if (!result.ok) throw new ScannerError(`the milter gave ${result.error}`);
  return result.value;
}
