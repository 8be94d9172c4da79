/**
 * A QMQP server for tests of its clients: takes what comes until a mail is whole, and does what the test says.
 * @module
 */
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { MailReader } from "../../components/lib/qmtp/mail_reader.ts";

export interface SunkMail {
  readonly text: string;
  readonly sender: string;
  readonly recipients: readonly string[];
}

/** `answer`: octets said once a mail is whole; `early`: said at once; "close" and "hang" say nothing. */
export type SinkBehaviour =
  | { readonly kind: "answer" | "early"; readonly octets: string }
  | { readonly kind: "close" | "hang" };

export class QmqpSink implements Disposable {
  readonly mails: SunkMail[] = [];
  connections = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  behaviour: SinkBehaviour;

  constructor(behaviour: SinkBehaviour = { kind: "answer", octets: "8:Kthanks!," }) {
    this.behaviour = behaviour;
    void this.#serve();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** A line of control/qmqpservers. */
  get line(): string {
    return `127.0.0.1:${this.port}\n`;
  }

  async #serve(): Promise<void> {
    for await (const conn of this.#listener) {
      this.connections++;
      this.#conns.add(conn);
      void this.#take(conn).catch(() => {}).finally(() => {
        this.#conns.delete(conn);
        if (this.behaviour.kind !== "hang") closeQuietly(conn);
      });
    }
  }

  async #take(conn: Deno.Conn): Promise<void> {
    if (this.behaviour.kind === "early") {
      await conn.write(toOctets(this.behaviour.octets));
      return;
    }
    const reader = new MailReader("qmqp");
    const buffer = new Uint8Array(65_536);
    let text = "";
    for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
      reader.push(buffer.slice(0, count));
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.kind === "text") text += fromOctets(event.octets);
        if (event.kind === "fault") throw new Error(event.fault);
        if (event.kind !== "envelope") continue;
        const { sender, recipients } = event.envelope;
        this.mails.push({ text, sender: sender!, recipients: recipients.map((recipient) => recipient!) });
        if (this.behaviour.kind === "answer") await conn.write(toOctets(this.behaviour.octets));
        if (this.behaviour.kind !== "hang") return;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const conn of this.#conns) closeQuietly(conn);
  }
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Its other end was quicker.
  }
}
