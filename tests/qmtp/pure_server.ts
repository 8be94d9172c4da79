/**
 * The servers of QMTP and QMQP without a socket: their reader and their desk, octets in, answers and messages out.
 * @module
 */
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import type { ClientFacts } from "../../components/lib/policy/decision.ts";
import { compilePolicy } from "../../components/lib/policy/compile.ts";
import { policyOf } from "../../components/lib/policy/policy.ts";
import type { ArrivingMessage } from "../../components/lib/qmtp/arriving_message.ts";
import type { Desk } from "../../components/lib/qmtp/connection.ts";
import { MailReader } from "../../components/lib/qmtp/mail_reader.ts";
import type { IntoQueue } from "../../components/lib/smtp/incoming_message.ts";
import { QmqpDesk } from "../../components/qmail-qmqpd/desk.ts";
import { QmtpDesk } from "../../components/qmail-qmtpd/desk.ts";
import { controlsOf, oraclesOf } from "../lib/policy/questions.ts";
import { mailboxKind } from "../qmail-smtpd/world.ts";
import { type Done, type Protocol, type TableRow, textBehindReceived } from "./table.ts";

const stranger: ClientFacts = {
  ...{ entrance: "smtp", ip: "127.0.0.1", relaying: false, environment: new Map(), helo: "" },
  ...{ tls: false, login: undefined, stress: false },
};

export interface PureServerOptions {
  readonly databytes?: number | undefined;
  readonly facts?: Partial<ClientFacts>;
  /** Control files by name, as texts. */
  readonly controls?: Parameters<typeof controlsOf>[0];
  /** The queue's exit code. */
  readonly code?: number;
}

type Queued = TableRow["queued"][number];

/** A queue in memory. `open` counts the messages that neither ended nor were aborted. */
export class MemoryQueue {
  readonly messages: Queued[] = [];
  readonly #protocol: Protocol;
  readonly #code: number;
  open = 0;
  bytes = 0;

  constructor(protocol: Protocol, code = 0) {
    this.#protocol = protocol;
    this.#code = code;
  }

  begin(): IntoQueue {
    const pieces: Uint8Array[] = [];
    this.open++;
    return {
      write: (chunk) => {
        pieces.push(chunk);
        this.bytes += chunk.length;
        return undefined;
      },
      commit: ({ sender, recipients }) => {
        this.open--;
        const text = textBehindReceived(pieces.map(fromOctets).join(""), this.#protocol);
        if (this.#code === 0) this.messages.push({ sender, recipients, text });
        return Promise.resolve({ code: this.#code, qp: 4896 });
      },
      abort: () => this.open--,
    };
  }
}

export class PureServer {
  readonly queue: MemoryQueue;
  readonly #reader: MailReader;
  readonly #desk: Desk;
  #message: ArrivingMessage | undefined;
  said = "";
  end: Done["end"] = "open";
  fault: string | undefined;

  constructor(protocol: Protocol, { databytes = 0, facts, controls: texts, code }: PureServerOptions = {}) {
    this.queue = new MemoryQueue(protocol, code);
    this.#reader = new MailReader(protocol);
    const [ip, me, now] = ["127.0.0.1", "mx.example.com", () => 1_795_331_970_000];
    const begin = () => this.queue.begin();
    const policy = policyOf(
      compilePolicy(controlsOf({ rcpthosts: "example.com\nmx.example.com\n", ...texts })),
      oraclesOf({ mailbox: mailboxKind }),
    );
    this.#desk = protocol === "qmqp" ? new QmqpDesk({ ip, me, begin, now }) : new QmtpDesk({
      policy,
      facts: { ...stranger, ...facts },
      me,
      envnoathost: me,
      databytes,
      begin,
      now,
      wait: () => Promise.resolve(),
    });
  }

  async push(octets: string): Promise<void> {
    if (this.end === "closed") return;
    this.#reader.push(toOctets(octets));
    for (;;) {
      const event = this.#reader.next();
      if (event === undefined) return;
      if (event.kind === "begin") this.#message = this.#desk.begin();
      else if (event.kind === "text") await this.#message!.push(event.octets);
      else if (event.kind === "envelope") {
        const { octets, ends } = await this.#desk.answer(this.#message!, event.envelope);
        this.#message = undefined;
        this.said += octets;
        if (ends) return this.finish("closed");
      } else {
        this.fault = event.fault;
        return this.finish("closed");
      }
    }
  }

  /** The connection ends. */
  finish(end: Done["end"] = "open"): void {
    this.end = end;
    this.#message?.abort();
    this.#message = undefined;
  }

  get done(): Done {
    return { said: this.said, queued: this.queue.messages, end: this.end };
  }
}
