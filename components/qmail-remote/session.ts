/**
 * A conversation with one server, seen from the client, as a value: told of what happens, it says what to do next. It
 * has a beginning ({@link Opening}), unless the connection was used before, and one or more mail transactions
 * ({@link MailTransaction}): more than one where the server takes fewer recipients at once (RFC 9422).
 * @module
 */
import { assertNever } from "../lib/result.ts";
import type { Reply } from "../lib/smtp/reply.ts";
import type { TlsFacts, TlsFlaw, TlsPolicy } from "../lib/tls/client_policy.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import { groupRecipients } from "./group_recipients.ts";
import type { Login } from "./login.ts";
import { MailTransaction } from "./mail_transaction.ts";
import { Opening, type OpeningStep } from "./opening.ts";
import type { Outcome, Seen } from "./outcome.ts";
import { type Peer, plainPeer } from "./peer.ts";
import { brokenReport, report } from "./reports.ts";
import type { ActionStep, Breakage } from "./steps.ts";
import type { Transaction, TransactionSetting, TransactionStep } from "./transaction.ts";

export interface SessionOptions {
  readonly transaction: Transaction;
  readonly policy: TlsPolicy;
  readonly protocol: "smtp" | "lmtp";
  readonly login?: Login | undefined;
  /** Only with a login: printable ASCII without ",", never used before. */
  readonly nonce: string;
  /** Only of a connection that was used before: what its server can do, what protects it, and what it has carried. */
  readonly peer?: Peer | undefined;
  readonly tls?: TlsFacts | undefined;
  readonly transactions?: number | undefined;
}

export type Step = ActionStep | Outcome;

const quit = "QUIT\r\n";

export class Session {
  readonly #options: SessionOptions;
  readonly #requireTls: boolean;
  readonly #opening: Opening;
  #peer: Peer;
  #tls: TlsFacts | undefined;
  /** Undefined: not begun yet. */
  #mail: MailTransaction | undefined;
  /** Recipients by their places, a list for each transaction, and which of these is under way. */
  #groups: readonly (readonly number[])[] = [];
  #group = 0;
  readonly #reports: DeliveryReport[];

  constructor(options: SessionOptions) {
    const { transaction: { ip, helo, options: wishes, recipients }, policy, peer, tls } = options;
    this.#options = options;
    this.#requireTls = policy.requireTls || wishes?.requireTls === true;
    this.#opening = new Opening({ ...options, ip, helo, requireTls: this.#requireTls });
    this.#peer = peer ?? plainPeer;
    this.#tls = tls;
    this.#reports = new Array<DeliveryReport>(recipients.length);
  }

  begin(): Step {
    const { peer, transaction } = this.#options;
    if (peer === undefined) return this.#onOpening(this.#opening.begin());
    if (this.#isFit(peer)) return this.#beginMail();
    return { kind: "next", report: brokenReport(transaction.ip, "died"), farewell: quit, seen: this.#seen(0) };
  }

  /** A reply came. */
  onReply(reply: Reply): Step {
    return this.#mail === undefined
      ? this.#onOpening(this.#opening.onReply(reply))
      : this.#onMail(this.#mail, this.#mail.onReply(reply));
  }

  /** TLS protects the connection from now on. */
  onSecured(facts: TlsFacts): Step {
    return this.#onOpening(this.#opening.onSecured(facts));
  }

  /** The handshake failed; `text` is one line about it. */
  onInsecure(flaw: TlsFlaw, text: string): Step {
    return this.#onOpening(this.#opening.onInsecure(flaw, text));
  }

  /** The server had said more than it should have when the handshake was to begin. */
  onSurplus(): Step {
    return this.#onOpening(this.#opening.onSurplus());
  }

  /** The salted password is computed. */
  onDerived(salted: Uint8Array): Step {
    return this.#onOpening(this.#opening.onDerived(salted));
  }

  /** The message, with its final dot, has been handed to the network. */
  contentSent(): Step {
    return this.#onMail(this.#mail!, this.#mail!.contentSent());
  }

  /** A chunk has been handed to the network as a whole; `isLast`: with LAST, which ends the message. */
  chunkSent(isLast: boolean): Step {
    return this.#onMail(this.#mail!, this.#mail!.chunkSent(isLast));
  }

  /** No reply will come any more. */
  onBroken(breakage: Breakage): Step {
    return this.#mail === undefined
      ? this.#onOpening(this.#opening.onBroken(breakage))
      : this.#onMail(this.#mail, this.#mail.onBroken(breakage));
  }

  /** Whether a connection opened for another message will do for this one. */
  #isFit(peer: Peer): boolean {
    const { policy, tls } = this.#options;
    if (this.#requireTls && (tls === undefined || !peer.requireTls)) return false;
    if (policy.tls === "must" && tls === undefined) return false;
    return policy.proof === undefined || !policy.enforced || tls?.proved === true;
  }

  #onOpening(step: OpeningStep): Step {
    switch (step.kind) {
      case "reply":
      case "secure":
      case "derive":
        return step;
      case "failed":
        return { kind: "next", report: step.report, farewell: step.farewell, seen: this.#seen(step.code) };
      case "plain":
        return { kind: "plain", report: step.report, farewell: "", seen: this.#seen(0) };
      case "opened":
        this.#peer = this.#opening.peer;
        return this.#beginMail();
      default:
        return assertNever(step);
    }
  }

  #beginMail(): Step {
    this.#groups = groupRecipients(this.#options.transaction.recipients, this.#peer.limits);
    return this.#beginGroup(this.#options.peer === undefined ? "fresh" : "reused");
  }

  #beginGroup(use: TransactionSetting["use"]): Step {
    const { transaction, protocol } = this.#options;
    const setting = { peer: this.#peer, protocol, requireTls: this.#requireTls, use };
    this.#mail = new MailTransaction(transaction, this.#groups[this.#group]!, setting);
    return this.#onMail(this.#mail, this.#mail.begin());
  }

  #onMail(mail: MailTransaction, step: TransactionStep): Step {
    switch (step.kind) {
      case "reply":
      case "content":
      case "chunk":
        return step;
      case "failed":
        if (this.#group === 0) {
          return { kind: "next", report: step.report, farewell: step.farewell, seen: this.#seen(step.code) };
        }
        // A server that has had enough of one connection.
        return this.#stop(step.report, step.farewell, step.code, step.code === 421);
      case "ended":
        mail.places.forEach((place, index) => this.#reports[place] = step.reports[index]!);
        this.#group++;
        if (this.#group === this.#groups.length) return this.#done(step.farewell, step.reusable, step.code, []);
        if (!step.reusable) return this.#stop(this.#broken(), step.farewell, step.code, false);
        if (!this.#mayCarryMore()) return this.#stop(this.#noMore(), quit, step.code, true);
        return this.#beginGroup("again");
      default:
        return assertNever(step);
    }
  }

  #mayCarryMore(): boolean {
    return (this.#options.transactions ?? 0) + this.#group < (this.#peer.limits.mailMax ?? Infinity);
  }

  /** The recipients whose turn has not come get `why`; `isFull`: another connection may serve them. */
  #stop(why: DeliveryReport, farewell: string, code: number, isFull: boolean): Step {
    const left = this.#groups.slice(this.#group).flat();
    for (const place of left) this.#reports[place] = why;
    return this.#done(farewell, false, code, isFull ? left : []);
  }

  #done(farewell: string, reusable: boolean, code: number, left: readonly number[]): Step {
    return {
      kind: "done",
      reports: this.#reports,
      farewell,
      reusable,
      seen: this.#seen(code),
      peer: this.#peer,
      transactions: this.#group,
      left,
    };
  }

  #broken(): DeliveryReport {
    return brokenReport(this.#options.transaction.ip, "died");
  }

  #noMore(): DeliveryReport {
    return report("Z", `${this.#options.transaction.ip} takes no more messages on this connection. (#4.5.3)`);
  }

  #seen(code: number): Seen {
    return { code, tls: this.#opening.tls ?? this.#tls, flaw: this.#opening.flaw ?? this.#tls?.flaw };
  }
}
