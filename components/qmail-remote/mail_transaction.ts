/**
 * One mail transaction (RFC 5321 §3.3, RFC 2033) on a connection that is past its beginning: told of each reply, it says
 * what to do next. Texts are qmail-remote's.
 *
 * Unlike qmail: with PIPELINING (RFC 2920) the envelope goes in one write; a server that fails before it has accepted
 * MAIL is left for the next address; any reply that is not the one hoped for is a refusal (qmail takes every code under
 * 400 as consent, even to DATA, and would then send the message as commands).
 *
 * Text goes by DATA, also where the server has CHUNKING: chunks sent along with the envelope would save a round trip, but
 * a server that refuses the envelope has to throw them away, and one that does not would read a message as commands. So
 * chunks (RFC 3030) are for what DATA cannot carry, and go only to a server that has accepted a recipient.
 * @module
 */
import { formatPath } from "../lib/address/mailbox.ts";
import { parseEnvelopeAddress } from "../lib/address/parse_path.ts";
import { assertNever } from "../lib/result.ts";
import type { Reply } from "../lib/smtp/reply.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import { isUtf8, mailCommand, rcptCommand } from "./commands.ts";
import type { Peer } from "./peer.ts";
import { brokenReport, fold, refusal, replyReport, report } from "./reports.ts";
import type { Breakage } from "./steps.ts";
import type { Transaction, TransactionSetting, TransactionStep } from "./transaction.ts";

type Phase = "rset" | "mail" | "rcpt" | "data" | "content" | "chunk" | "dot";

const quit = "QUIT\r\n";

export class MailTransaction {
  readonly #transaction: Transaction;
  readonly #setting: TransactionSetting;
  readonly #peer: Peer;
  /** Places of the recipients in the request. */
  readonly #places: readonly number[];
  #phase: Phase = "mail";
  readonly #reversePath: string | undefined;
  readonly #forwardPaths: readonly (string | undefined)[];
  /** What was refused to a recipient, or, by LMTP, said of the message for it. By index in the list of places. */
  readonly #own: (DeliveryReport | undefined)[];
  /** Indices of the recipients the server is asked about, and for how many of them it has answered. */
  #asked: readonly number[] = [];
  #answered = 0;
  #accepted: number[] = [];
  /** For how many of the accepted an answer to the content has come. */
  #concluded = 0;
  #lastRefusal = 0;

  constructor(transaction: Transaction, places: readonly number[], setting: TransactionSetting) {
    this.#transaction = transaction;
    this.#setting = setting;
    this.#peer = setting.peer;
    this.#places = places;
    this.#reversePath = reversePathOf(transaction.sender);
    this.#forwardPaths = places.map((place) => pathOf(transaction.recipients[place]!));
    this.#own = new Array<DeliveryReport | undefined>(places.length).fill(undefined);
  }

  /** Places of its recipients in the request. */
  get places(): readonly number[] {
    return this.#places;
  }

  begin(): TransactionStep {
    const unfit = this.#unfit();
    if (unfit !== undefined) return this.#end(unfit, quit, true, 0);
    this.#forwardPaths.forEach((path, index) => {
      if (path === undefined) {
        this.#own[index] = report("D", "Sorry, the recipient's address cannot be given in SMTP. (#5.1.3)");
      } else if (isUtf8(path) && !this.#peer.smtpUtf8) this.#own[index] = this.#noUtf8("addresses");
    });
    this.#asked = [...this.#own.keys()].filter((index) => this.#own[index] === undefined);
    if (this.#asked.length === 0) return this.#giveUp(quit, true);
    const isFresh = this.#setting.use === "fresh";
    const [first, rset] = isFresh ? ["mail", ""] as const : ["rset", "RSET\r\n"] as const;
    if (!this.#peer.pipelining) return this.#say(first, isFresh ? this.#mailCommand() : rset);
    const rcpts = this.#asked.map((index) => this.#rcptCommand(index)).join("");
    return this.#say(first, `${rset}${this.#mailCommand()}${rcpts}${this.#isBinary ? "" : "DATA\r\n"}`);
  }

  /** A reply came. */
  onReply(reply: Reply): TransactionStep {
    const { ip } = this.#transaction;
    switch (this.#phase) {
      case "rset":
        if (!isConsent(reply)) {
          return { kind: "failed", report: brokenReport(ip, "died"), farewell: "", code: reply.code };
        }
        return this.#peer.pipelining ? this.#await("mail") : this.#say("mail", this.#mailCommand());
      case "mail":
        return this.#onMail(reply);
      case "rcpt":
        return this.#onRcpt(reply);
      case "data":
        return this.#onData(reply);
      case "content":
        // A reply before the end: 552, say. It cannot mean consent to what the server has not seen.
        return this.#interrupted(reply);
      case "chunk":
        return isConsent(reply) ? this.#chunk(false) : this.#interrupted(reply);
      case "dot":
        return this.#onConclusion(reply);
      default:
        return assertNever(this.#phase);
    }
  }

  /** The message, with its final dot, has been handed to the network. */
  contentSent(): TransactionStep {
    return this.#await("dot");
  }

  /** A chunk has been handed to the network as a whole; `isLast`: with LAST, which ends the message. */
  chunkSent(isLast: boolean): TransactionStep {
    return this.#await(isLast ? "dot" : "chunk");
  }

  /** No reply will come any more. */
  onBroken(breakage: Breakage): TransactionStep {
    const broken = brokenReport(this.#transaction.ip, breakage, this.#phase === "dot");
    if (this.#phase !== "rset" && this.#phase !== "mail") return this.#end(broken, "", false, 0);
    return { kind: "failed", report: broken, farewell: "", code: 0 };
  }

  get #isBinary(): boolean {
    return this.#transaction.binary === true;
  }

  /** Why this server cannot be given the message at all. */
  #unfit(): DeliveryReport | undefined {
    const { ip, content, utf8Header } = this.#transaction;
    const { size, smtpUtf8, chunking, binaryMime } = this.#peer;
    if (size !== undefined && size > 0 && content.sizeBytes > size) {
      return report("D", `${ip} accepts ${size} bytes, the message has ${content.sizeBytes}. (#5.3.4)`);
    }
    if (this.#reversePath === undefined) {
      return report("D", "Sorry, the sender's address cannot be given in SMTP. (#5.1.7)");
    }
    if (isUtf8(this.#reversePath) && !smtpUtf8) return this.#noUtf8("addresses");
    if (utf8Header === true && !smtpUtf8) return this.#noUtf8("headers");
    if (this.#isBinary && !(chunking && binaryMime)) {
      return report("D", `Message is binary, and ${ip} only takes text. (#5.6.3)`);
    }
    return undefined;
  }

  #onMail(reply: Reply): TransactionStep {
    if (isConsent(reply)) {
      return this.#peer.pipelining ? this.#await("rcpt") : this.#say("rcpt", this.#rcptCommand(this.#asked[0]!));
    }
    const text = `Connected to ${this.#transaction.ip} but sender was rejected.`;
    const rejected = replyReport(refusal(reply), text, reply);
    // Commands sent ahead are unanswered still, and DATA might be granted: a QUIT would be content then.
    const farewell = this.#peer.pipelining ? "" : quit;
    if (this.#setting.use === "reused" || rejected.verdict === "Z") {
      return { kind: "failed", report: rejected, farewell, code: reply.code };
    }
    return this.#end(rejected, farewell, false, reply.code);
  }

  #onRcpt(reply: Reply): TransactionStep {
    const index = this.#asked[this.#answered++]!;
    if (isConsent(reply)) this.#accepted.push(index);
    else {
      const text = `${this.#transaction.ip} does not like recipient.`;
      this.#own[index] = replyReport(refusal(reply), text, reply);
      this.#lastRefusal = reply.code;
    }
    const hasMore = this.#answered < this.#asked.length;
    if (hasMore) {
      return this.#say("rcpt", this.#peer.pipelining ? "" : this.#rcptCommand(this.#asked[this.#answered]!));
    }
    if (this.#peer.pipelining && !this.#isBinary) return this.#await("data");
    if (this.#accepted.length === 0) return this.#giveUp(quit, stepsOn(reply));
    if (this.#isBinary) return this.#chunk(true);
    return this.#say("data", "DATA\r\n");
  }

  #onData(reply: Reply): TransactionStep {
    const granted = reply.code === 354;
    if (this.#accepted.length === 0) {
      // RFC 2920 §3.1: DATA granted all the same has to be ended with nothing in it.
      return granted ? this.#giveUp(`.\r\n${quit}`, false) : this.#giveUp(quit, stepsOn(reply));
    }
    if (granted) {
      this.#phase = "content";
      return { kind: "content", sevenBit: !this.#peer.eightBitMime };
    }
    const failed = replyReport(refusal(reply), `${this.#transaction.ip} failed on DATA command.`, reply);
    return this.#end(failed, quit, stepsOn(reply), reply.code);
  }

  #chunk(first: boolean): TransactionStep {
    this.#phase = "content";
    return { kind: "chunk", first };
  }

  #interrupted(reply: Reply): TransactionStep {
    const text = `${this.#transaction.ip} failed while I was sending the message.`;
    return this.#end(replyReport(refusal(reply), text, reply), "", false, reply.code);
  }

  /** SMTP: one reply for all. LMTP: one for each recipient that was accepted, in their order (RFC 2033 §4.2). */
  #onConclusion(reply: Reply): TransactionStep {
    const { ip } = this.#transaction;
    const whole = isConsent(reply)
      ? this.#acceptedReport(reply)
      : replyReport(refusal(reply), `${ip} failed after I sent the message.`, reply);
    const isOver = isConsent(reply) || stepsOn(reply);
    if (this.#setting.protocol === "smtp") return this.#end(whole, quit, isOver, reply.code);
    this.#own[this.#accepted[this.#concluded++]!] = whole;
    if (!isOver || this.#concluded === this.#accepted.length) {
      return this.#end(isOver ? whole : brokenReport(ip, "died", true), isOver ? quit : "", isOver, reply.code);
    }
    return this.#await("dot");
  }

  #mailCommand(): string {
    const { sender, recipients, content, options } = this.#transaction;
    return mailCommand(this.#reversePath!, {
      peer: this.#peer,
      content,
      options,
      body: this.#isBinary ? "BINARYMIME" : content.eightBit ? "8BITMIME" : undefined,
      wantsUtf8: options?.smtputf8 === true || [sender, ...recipients].some(isUtf8),
      requireTls: this.#setting.requireTls,
    });
  }

  #rcptCommand(index: number): string {
    return rcptCommand(
      this.#forwardPaths[index]!,
      this.#peer.dsn ? this.#transaction.options?.recipients.get(this.#places[index]!) : undefined,
    );
  }

  #noUtf8(what: "addresses" | "headers"): DeliveryReport {
    return report("D", `${this.#transaction.ip} does not support internationalized ${what}. (#5.6.7)`);
  }

  #acceptedReport(reply: Reply): DeliveryReport {
    const accepted = replyReport("K", `${this.#transaction.ip} accepted message.`, reply);
    return this.#peer.dsn && this.#transaction.options !== undefined ? { ...accepted, dsn: true } : accepted;
  }

  #giveUp(farewell: string, reusable: boolean): TransactionStep {
    return this.#end(report("D", `Giving up on ${this.#transaction.ip}.`), farewell, reusable, this.#lastRefusal);
  }

  #await(phase: Phase): TransactionStep {
    return this.#say(phase, "");
  }

  #say(phase: Phase, send: string): TransactionStep {
    this.#phase = phase;
    return { kind: "reply", send };
  }

  #end(whole: DeliveryReport, farewell: string, reusable: boolean, code: number): TransactionStep {
    const { length } = this.#accepted;
    // What LMTP has said of the message for a recipient is all there is to say, and nothing about the others.
    const concluded = new Set(this.#accepted.slice(0, this.#concluded));
    const isToldApart = length > 0 && concluded.size === length;
    const reports = this.#own.map((own, index) =>
      own !== undefined && (isToldApart || concluded.has(index)) ? own : fold(own, whole)
    );
    return { kind: "ended", reports, farewell, reusable, code };
  }
}

function isConsent(reply: Reply): boolean {
  return reply.code < 300;
}

/** Whether a connection is of use after a refusal: not after a good-bye, nor after a code that has no meaning there. */
function stepsOn(reply: Reply): boolean {
  return reply.code >= 400 && reply.code !== 421;
}

/** An address of the queue as SMTP writes it; `undefined` for one SMTP has no way to write. */
function pathOf(address: string): string | undefined {
  const mailbox = parseEnvelopeAddress(address);
  return mailbox === undefined ? undefined : formatPath(mailbox);
}

/** Unlike qmail: `#@[]`, the sender of a double bounce, is the null reverse-path here, for it is no SMTP address. */
function reversePathOf(sender: string): string | undefined {
  return sender === "" || sender === "#@[]" ? "" : pathOf(sender);
}
