/**
 * One mail transaction with an LMTP server (RFC 2033), for one recipient, seen from the client: told of each reply, it
 * says what to do next. After the content comes one reply for each recipient that was accepted (§4.2): here one.
 *
 * Nothing but the server's own answer to the content is a success, and only a refusal that speaks of this mail is a
 * failure; all else is a deferral.
 * @module
 */
import { formatPath } from "../address/mailbox.ts";
import { parseEnvelopeAddress } from "../address/parse_path.ts";
import { assertNever } from "../result.ts";
import type { DeliveryReport, Verdict } from "../wire/delivery_protocol.ts";
import { formatReply, type Reply } from "./reply.ts";
import type { Breakage } from "./reply_queue.ts";

/** What is to be sent. Addresses are octet strings as in the queue. */
export interface LmtpTransaction {
  /** This host's name, for LHLO. */
  readonly hostName: string;
  readonly sender: string;
  /** The mailbox as the server knows it. */
  readonly recipient: string;
  /** With LF as line end: never more than travels. */
  readonly sizeBytes: number;
}

/** What the server can do. */
export interface LmtpPeer {
  /** RFC 2033 §5 demands it of every server, but one that does not say so is asked line by line. */
  readonly pipelining: boolean;
  readonly eightBitMime: boolean;
  readonly smtpUtf8: boolean;
  /** RFC 1870; 0 where it names no limit, undefined where it does not know SIZE. */
  readonly size: number | undefined;
}

/** What to do next. */
export type LmtpStep =
  /** Write `send` unless it is empty, then wait for a reply. */
  | { readonly kind: "reply"; readonly send: string }
  /** Send the message and call {@link LmtpSession.contentSent}, unless a reply or the end of the connection comes first. */
  | { readonly kind: "content" }
  /** A connection that was used before has had its time: close it and begin on a new one. */
  | { readonly kind: "stale" }
  /** Over. A reusable connection may begin another transaction; otherwise say `farewell` and close. */
  | {
    readonly kind: "done";
    readonly report: DeliveryReport;
    readonly farewell: string;
    readonly reusable: boolean;
  };

type Phase = "greeting" | "lhlo" | "rset" | "mail" | "rcpt" | "data" | "content" | "dot";

const quit = "QUIT\r\n";
/** As much of a reply as qmail-remote keeps. */
const longestReplyText = 5000;
const utf8Octets = /[\x80-\xff]/;

export class LmtpSession {
  readonly #transaction: LmtpTransaction;
  readonly #reused: boolean;
  readonly #reversePath: string | undefined;
  readonly #forwardPath: string | undefined;
  #peer: LmtpPeer;
  #phase: Phase = "greeting";
  /** Why the recipient was refused, while the reply to DATA is awaited still. */
  #refused: DeliveryReport | undefined;

  /** With a `peer`, the connection has been used before. */
  constructor(transaction: LmtpTransaction, peer?: LmtpPeer) {
    this.#transaction = transaction;
    this.#reused = peer !== undefined;
    this.#peer = peer ?? { pipelining: false, eightBitMime: false, smtpUtf8: false, size: undefined };
    const { sender } = transaction;
    // The sender of a double bounce, which is no address.
    this.#reversePath = sender === "" || sender === "#@[]" ? "" : pathOf(sender);
    this.#forwardPath = pathOf(transaction.recipient);
  }

  /** Whether its connection has been used before. */
  get isReused(): boolean {
    return this.#reused;
  }

  /** What the server can do; known once the session is done. */
  get peer(): LmtpPeer {
    return this.#peer;
  }

  begin(): LmtpStep {
    return this.#reused ? this.#open() : { kind: "reply", send: "" };
  }

  /** A reply came. */
  onReply(reply: Reply): LmtpStep {
    switch (this.#phase) {
      case "greeting":
        if (reply.code !== 220) return this.#deferred("Connected to LMTP server but greeting failed.", reply);
        return this.#say("lhlo", `LHLO ${this.#transaction.hostName}\r\n`);
      case "lhlo":
        // 5yz too: whatever listens there is not set up for mail yet.
        if (reply.code !== 250) return this.#deferred("Connected to LMTP server but my name was rejected.", reply);
        this.#peer = parseLmtpPeer(reply);
        return this.#open();
      case "rset":
        if (!isConsent(reply)) return { kind: "stale" };
        return this.#say("mail", this.#peer.pipelining ? "" : this.#mailCommand());
      case "mail":
        return this.#onMail(reply);
      case "rcpt":
        return this.#onRcpt(reply);
      case "data":
        return this.#onData(reply);
      case "content": {
        // Before the end it cannot be consent: the server has not seen what it would consent to.
        return this.#done(replyReport(refusal(reply), "LMTP server failed while I was sending the message.", reply));
      }
      case "dot":
        return isConsent(reply)
          ? this.#done(replyReport("K", "LMTP server accepted message.", reply), quit, true)
          : this.#done(replyReport(refusal(reply), "LMTP server failed after I sent the message.", reply), quit);
      default:
        return assertNever(this.#phase);
    }
  }

  /** The message, with its final dot, has been handed to the connection. */
  contentSent(): LmtpStep {
    return this.#say("dot", "");
  }

  /** No reply will come any more. */
  onBroken(breakage: Breakage): LmtpStep {
    const beforeContent = this.#phase !== "content" && this.#phase !== "dot";
    if (this.#reused && beforeContent) return { kind: "stale" };
    if (this.#refused !== undefined) return this.#done(this.#refused);
    const what = breakage === "died" ? "connection died." : "its reply was malformed.";
    const duplicate = this.#phase === "dot" ? " Possible duplicate!" : "";
    const status = breakage === "died" ? "4.4.2" : "4.5.0";
    return this.#done(report("Z", `Connected to LMTP server but ${what}${duplicate} (#${status})`));
  }

  #open(): LmtpStep {
    const { size, smtpUtf8, pipelining } = this.#peer;
    const { sizeBytes } = this.#transaction;
    if (size !== undefined && size > 0 && sizeBytes > size) {
      return this.#refuse(`LMTP server accepts ${size} bytes, the message has ${sizeBytes}. (#5.3.4)`);
    }
    if (this.#reversePath === undefined) {
      return this.#refuse("Sorry, the sender's address cannot be given in LMTP. (#5.1.7)");
    }
    if (this.#forwardPath === undefined) {
      return this.#refuse("Sorry, the recipient's address cannot be given in LMTP. (#5.1.3)");
    }
    if (!smtpUtf8 && utf8Octets.test(this.#reversePath + this.#forwardPath)) {
      return this.#refuse("LMTP server does not support internationalized addresses. (#5.6.7)");
    }
    const rset = this.#reused ? "RSET\r\n" : "";
    const first = this.#reused ? "rset" : "mail";
    if (!pipelining) return this.#say(first, this.#reused ? rset : this.#mailCommand());
    return this.#say(first, `${rset}${this.#mailCommand()}${this.#rcptCommand()}DATA\r\n`);
  }

  #onMail(reply: Reply): LmtpStep {
    if (isConsent(reply)) return this.#say("rcpt", this.#peer.pipelining ? "" : this.#rcptCommand());
    const rejected = replyReport(refusal(reply), "Connected to LMTP server but sender was rejected.", reply);
    // Some servers end a connection that has carried enough in this way.
    if (this.#reused && rejected.verdict === "Z") return { kind: "stale" };
    // Commands sent ahead are unanswered still, and DATA might be granted: a QUIT would be content then.
    return this.#done(rejected, this.#peer.pipelining ? "" : quit);
  }

  #onRcpt(reply: Reply): LmtpStep {
    if (isConsent(reply)) return this.#say("data", this.#peer.pipelining ? "" : "DATA\r\n");
    const refused = replyReport(refusal(reply), "LMTP server does not like recipient.", reply);
    if (!this.#peer.pipelining) return this.#done(refused, quit, stepsOn(reply));
    this.#refused = refused;
    return this.#say("data", "");
  }

  #onData(reply: Reply): LmtpStep {
    if (this.#refused !== undefined) {
      // RFC 2033 §4.2 wants 503 here. Content that is granted all the same is ended with nothing in it.
      return reply.code === 354
        ? this.#done(this.#refused, `.\r\n${quit}`)
        : this.#done(this.#refused, quit, stepsOn(reply));
    }
    if (reply.code !== 354) {
      return this.#done(replyReport(refusal(reply), "LMTP server failed on DATA command.", reply), quit);
    }
    this.#phase = "content";
    return { kind: "content" };
  }

  #mailCommand(): string {
    const { size, eightBitMime, smtpUtf8 } = this.#peer;
    const sizeText = size === undefined ? "" : ` SIZE=${this.#transaction.sizeBytes}`;
    // Said of all: it may hold such octets, and who would look would have to read it twice.
    const body = eightBitMime ? " BODY=8BITMIME" : "";
    const isUtf8 = utf8Octets.test(`${this.#reversePath}${this.#forwardPath}`);
    return `MAIL FROM:<${this.#reversePath}>${sizeText}${body}${smtpUtf8 && isUtf8 ? " SMTPUTF8" : ""}\r\n`;
  }

  #rcptCommand(): string {
    return `RCPT TO:<${this.#forwardPath}>\r\n`;
  }

  #say(phase: Phase, send: string): LmtpStep {
    this.#phase = phase;
    return { kind: "reply", send };
  }

  /** The server was not asked about it. */
  #refuse(text: string): LmtpStep {
    return this.#done(report("D", text), quit, true);
  }

  #deferred(text: string, reply: Reply): LmtpStep {
    return this.#done(replyReport("Z", text, reply), quit);
  }

  #done(report: DeliveryReport, farewell = "", reusable = false): LmtpStep {
    return { kind: "done", report, farewell, reusable };
  }
}

/** A report of one line; `text` without its LF. */
export function report(verdict: Verdict, text: string): DeliveryReport {
  return { verdict, text: `${text}\n` };
}

function replyReport(verdict: Verdict, text: string, reply: Reply): DeliveryReport {
  return report(verdict, `${text}\nLMTP server said: ${formatReply(reply).slice(0, longestReplyText)}`);
}

function isConsent(reply: Reply): boolean {
  return reply.code < 300;
}

/** D for 5yz, Z else; and for what says that the server knows no such command, or not now: that is not the mail's fault. */
function refusal(reply: Reply): Verdict {
  return reply.code >= 500 && ![500, 502, 503].includes(reply.code) ? "D" : "Z";
}

/** Whether a connection is of use after a refusal: not after a good-bye, nor after a code that has no meaning there. */
function stepsOn(reply: Reply): boolean {
  return reply.code >= 400 && reply.code !== 421;
}

function pathOf(address: string): string | undefined {
  const mailbox = parseEnvelopeAddress(address);
  return mailbox === undefined ? undefined : formatPath(mailbox);
}

/** Reads the reply to LHLO; its first line is the server's name. Anything unknown or malformed is as if absent. */
export function parseLmtpPeer(reply: Reply): LmtpPeer {
  const keywords = new Map(
    reply.lines.slice(1).map((line): [string, string] => {
      const [keyword = "", value = ""] = line.split(" ", 2);
      return [keyword.toUpperCase(), value];
    }),
  );
  const size = keywords.get("SIZE");
  return {
    pipelining: keywords.has("PIPELINING"),
    eightBitMime: keywords.has("8BITMIME"),
    smtpUtf8: keywords.has("SMTPUTF8"),
    size: size === undefined ? undefined : /^[0-9]{1,15}$/.test(size) ? Number(size) : 0,
  };
}
