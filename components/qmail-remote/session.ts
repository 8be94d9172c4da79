/**
 * One mail transaction with one server (RFC 5321 §3.3), seen from the client: told of each reply, it says what to do
 * next. Texts are qmail-remote's.
 *
 * Unlike qmail: EHLO first, and with PIPELINING (RFC 2920) the envelope in one write; a server that fails before it has
 * accepted MAIL is left for the next address; any reply that is not the one hoped for is a refusal (qmail takes every
 * code under 400 as consent, even to DATA, and would then send the message as commands).
 * @module
 */
import { formatPath } from "../lib/address/mailbox.ts";
import { parseEnvelopeAddress } from "../lib/address/parse_path.ts";
import { formatNotify, type MessageOptions, type RecipientOptions } from "../lib/queue/message_options.ts";
import { assertNever } from "../lib/result.ts";
import type { Reply } from "../lib/smtp/reply.ts";
import { formatXtext } from "../lib/smtp/xtext.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import type { ContentFacts } from "./content.ts";
import { parsePeer, type Peer, plainPeer } from "./peer.ts";
import { fold, refusal, replyReport, report } from "./reports.ts";

/** What is to be sent, and to whom it is said. Addresses are octet strings as in the queue. */
export interface Transaction {
  /** The server's address, for the texts. */
  readonly ip: string;
  readonly helo: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly content: ContentFacts;
  /** What the message's client asked for; recipients by their places. */
  readonly options?: MessageOptions | undefined;
  /** Whether the header is one that only a server with SMTPUTF8 may get. */
  readonly utf8Header?: boolean;
}

/** What to do next. */
export type Step =
  /** Write `send` unless it is empty, then wait for a reply. */
  | { readonly kind: "reply"; readonly send: string }
  /** Send the message and call {@link Session.contentSent}, unless a reply or the end of the connection comes first. */
  | { readonly kind: "content" }
  /** Nothing of this was the message's fault: say `farewell`, close, try the next address; `report` if there is none. */
  | { readonly kind: "next"; readonly report: DeliveryReport; readonly farewell: string }
  /** Over. A reusable connection may begin another transaction; otherwise say `farewell` and close. */
  | {
    readonly kind: "done";
    readonly reports: readonly DeliveryReport[];
    readonly farewell: string;
    readonly reusable: boolean;
  };

/** How a connection can fail: closed or timed out; or a reply that was none. */
export type Breakage = "died" | "malformed";

type Phase = "greeting" | "ehlo" | "helo" | "rset" | "mail" | "rcpt" | "data" | "content" | "dot";

const quit = "QUIT\r\n";

export class Session {
  readonly #transaction: Transaction;
  /** Whether an earlier transaction used the connection: then its failure may be due to its age. */
  readonly #reused: boolean;
  #peer: Peer;
  #phase: Phase = "greeting";
  readonly #reversePath: string | undefined;
  readonly #forwardPaths: readonly (string | undefined)[];
  /** What was refused to a recipient, by place. */
  readonly #refused: (DeliveryReport | undefined)[];
  /** Places of the recipients the server is asked about, and for how many of them it has answered. */
  #asked: readonly number[] = [];
  #answered = 0;
  #accepted = 0;

  /** With a `peer`, the connection has been used before. */
  constructor(transaction: Transaction, peer?: Peer) {
    this.#transaction = transaction;
    this.#reused = peer !== undefined;
    this.#peer = peer ?? plainPeer;
    this.#reversePath = reversePathOf(transaction.sender);
    this.#forwardPaths = transaction.recipients.map(pathOf);
    this.#refused = new Array<DeliveryReport | undefined>(transaction.recipients.length).fill(undefined);
  }

  /** What the server can do; known once the session is done. */
  get peer(): Peer {
    return this.#peer;
  }

  begin(): Step {
    return this.#reused ? this.#openTransaction() : { kind: "reply", send: "" };
  }

  /** A reply came. */
  onReply(reply: Reply): Step {
    const { ip } = this.#transaction;
    switch (this.#phase) {
      case "greeting":
        if (reply.code !== 220) return this.#next(replyReport("Z", `Connected to ${ip} but greeting failed.`, reply));
        return this.#say("ehlo", `EHLO ${this.#transaction.helo}\r\n`);
      case "ehlo":
        if (reply.code >= 500) return this.#say("helo", `HELO ${this.#transaction.helo}\r\n`);
        if (reply.code !== 250) return this.#nameRejected(reply);
        this.#peer = parsePeer(reply);
        return this.#openTransaction();
      case "helo":
        return reply.code === 250 ? this.#openTransaction() : this.#nameRejected(reply);
      case "rset":
        if (!isConsent(reply)) {
          const died = report("Z", `Connected to ${ip} but connection died. (#4.4.2)`);
          return { kind: "next", report: died, farewell: "" };
        }
        return this.#peer.pipelining ? this.#await("mail") : this.#say("mail", this.#mailCommand());
      case "mail":
        return this.#onMail(reply);
      case "rcpt":
        return this.#onRcpt(reply);
      case "data":
        return this.#onData(reply);
      case "content": {
        // A reply before the end: 552, say. It cannot mean consent to what the server has not seen.
        const refused = replyReport(refusal(reply), `${ip} failed while I was sending the message.`, reply);
        return this.#done(refused, "", false);
      }
      case "dot":
        if (isConsent(reply)) return this.#done(this.#acceptedReport(reply), quit, true);
        return this.#done(
          replyReport(refusal(reply), `${ip} failed after I sent the message.`, reply),
          quit,
          stepsOn(reply),
        );
      default:
        return assertNever(this.#phase);
    }
  }

  /** The message, with its final dot, has been handed to the network. */
  contentSent(): Step {
    return this.#await("dot");
  }

  /** No reply will come any more. */
  onBroken(breakage: Breakage): Step {
    const { ip } = this.#transaction;
    const what = breakage === "died" ? "connection died." : "its reply was malformed.";
    const duplicate = this.#phase === "dot" ? " Possible duplicate!" : "";
    const broken = report(
      "Z",
      `Connected to ${ip} but ${what}${duplicate} (#${breakage === "died" ? "4.4.2" : "4.5.0"})`,
    );
    const mailAccepted = ["rcpt", "data", "content", "dot"].includes(this.#phase);
    return mailAccepted ? this.#done(broken, "", false) : { kind: "next", report: broken, farewell: "" };
  }

  #openTransaction(): Step {
    const { ip, content } = this.#transaction;
    const peer = this.#peer;
    if (peer.size !== undefined && peer.size > 0 && content.sizeBytes > peer.size) {
      const text = `${ip} accepts ${peer.size} bytes, the message has ${content.sizeBytes}. (#5.3.4)`;
      return this.#done(report("D", text), quit, true);
    }
    if (this.#reversePath === undefined) {
      return this.#done(report("D", "Sorry, the sender's address cannot be given in SMTP. (#5.1.7)"), quit, true);
    }
    if (isUtf8(this.#reversePath) && !peer.smtpUtf8) return this.#done(this.#noUtf8("addresses"), quit, true);
    if (this.#transaction.utf8Header === true && !peer.smtpUtf8) return this.#done(this.#noUtf8("headers"), quit, true);
    this.#forwardPaths.forEach((path, place) => {
      if (path === undefined) {
        this.#refused[place] = report("D", "Sorry, the recipient's address cannot be given in SMTP. (#5.1.3)");
      } else if (isUtf8(path) && !peer.smtpUtf8) this.#refused[place] = this.#noUtf8("addresses");
    });
    this.#asked = [...this.#refused.keys()].filter((place) => this.#refused[place] === undefined);
    if (this.#asked.length === 0) return this.#giveUp(quit, true);
    const rset = this.#reused ? "RSET\r\n" : "";
    if (!peer.pipelining) return this.#reused ? this.#say("rset", rset) : this.#say("mail", this.#mailCommand());
    const rcpts = this.#asked.map((place) => this.#rcptCommand(place)).join("");
    return this.#say(this.#reused ? "rset" : "mail", `${rset}${this.#mailCommand()}${rcpts}DATA\r\n`);
  }

  #onMail(reply: Reply): Step {
    if (isConsent(reply)) {
      return this.#peer.pipelining ? this.#await("rcpt") : this.#say("rcpt", this.#rcptCommand(this.#asked[0]!));
    }
    const text = `Connected to ${this.#transaction.ip} but sender was rejected.`;
    const rejected = replyReport(refusal(reply), text, reply);
    // Commands sent ahead are unanswered still, and DATA might be granted: a QUIT would be content then.
    const farewell = this.#peer.pipelining ? "" : quit;
    if (this.#reused || rejected.verdict === "Z") return { kind: "next", report: rejected, farewell };
    return this.#done(rejected, farewell, false);
  }

  #onRcpt(reply: Reply): Step {
    const place = this.#asked[this.#answered++]!;
    if (isConsent(reply)) this.#accepted++;
    else {
      const text = `${this.#transaction.ip} does not like recipient.`;
      this.#refused[place] = replyReport(refusal(reply), text, reply);
    }
    const more = this.#answered < this.#asked.length;
    if (this.#peer.pipelining) return this.#await(more ? "rcpt" : "data");
    if (more) return this.#say("rcpt", this.#rcptCommand(this.#asked[this.#answered]!));
    return this.#accepted === 0 ? this.#giveUp(quit, stepsOn(reply)) : this.#say("data", "DATA\r\n");
  }

  #onData(reply: Reply): Step {
    const granted = reply.code === 354;
    if (this.#accepted === 0) {
      // RFC 2920 §3.1: DATA granted all the same has to be ended with nothing in it.
      return granted ? this.#giveUp(`.\r\n${quit}`, false) : this.#giveUp(quit, stepsOn(reply));
    }
    if (granted) {
      this.#phase = "content";
      return { kind: "content" };
    }
    const failed = replyReport(refusal(reply), `${this.#transaction.ip} failed on DATA command.`, reply);
    return this.#done(failed, quit, stepsOn(reply));
  }

  #mailCommand(): string {
    const { sender, recipients, content, options } = this.#transaction;
    const peer = this.#peer;
    const size = peer.size === undefined ? "" : ` SIZE=${content.wireBytes}`;
    const body = peer.eightBitMime && content.eightBit ? " BODY=8BITMIME" : "";
    const wantsUtf8 = options?.smtputf8 === true || [sender, ...recipients].some(isUtf8);
    const utf8 = peer.smtpUtf8 && wantsUtf8 ? " SMTPUTF8" : "";
    const dsn = peer.dsn && options !== undefined ? mailParameters(options) : "";
    return `MAIL FROM:<${this.#reversePath}>${size}${body}${utf8}${dsn}\r\n`;
  }

  #rcptCommand(place: number): string {
    const asked = this.#peer.dsn ? this.#transaction.options?.recipients.get(place) : undefined;
    return `RCPT TO:<${this.#forwardPaths[place]}>${asked === undefined ? "" : rcptParameters(asked)}\r\n`;
  }

  #noUtf8(what: "addresses" | "headers"): DeliveryReport {
    return report("D", `${this.#transaction.ip} does not support internationalized ${what}. (#5.6.7)`);
  }

  #acceptedReport(reply: Reply): DeliveryReport {
    const accepted = replyReport("K", `${this.#transaction.ip} accepted message.`, reply);
    return this.#peer.dsn && this.#transaction.options !== undefined ? { ...accepted, dsn: true } : accepted;
  }

  #nameRejected(reply: Reply): Step {
    return this.#next(replyReport("Z", `Connected to ${this.#transaction.ip} but my name was rejected.`, reply));
  }

  #giveUp(farewell: string, reusable: boolean): Step {
    return this.#done(report("D", `Giving up on ${this.#transaction.ip}.`), farewell, reusable);
  }

  #await(phase: Phase): Step {
    return this.#say(phase, "");
  }

  #say(phase: Phase, send: string): Step {
    this.#phase = phase;
    return { kind: "reply", send };
  }

  #next(why: DeliveryReport): Step {
    return { kind: "next", report: why, farewell: quit };
  }

  #done(whole: DeliveryReport, farewell: string, reusable: boolean): Step {
    return { kind: "done", reports: this.#refused.map((own) => fold(own, whole)), farewell, reusable };
  }
}

/** RFC 3461 §4.3, §4.4: what was asked for, and no more. */
function mailParameters({ ret, envid }: MessageOptions): string {
  return `${ret === undefined ? "" : ` RET=${ret}`}${envid === undefined ? "" : ` ENVID=${formatXtext(envid)}`}`;
}

/** RFC 3461 §4.1, §4.2. */
function rcptParameters({ notify, orcpt }: RecipientOptions): string {
  const notified = notify === undefined ? "" : ` NOTIFY=${formatNotify(notify)}`;
  return `${notified}${orcpt === undefined ? "" : ` ORCPT=${formatXtext(orcpt)}`}`;
}

function isConsent(reply: Reply): boolean {
  return reply.code < 300;
}

/** Whether a connection is of use after a refusal: not after a good-bye, nor after a code that has no meaning there. */
function stepsOn(reply: Reply): boolean {
  return reply.code >= 400 && reply.code !== 421;
}

function isUtf8(address: string): boolean {
  for (let at = 0; at < address.length; at++) if (address.charCodeAt(at) > 127) return true;
  return false;
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
