/**
 * qmail-smtpd's connections in this process, on a real socket and beside a fake qmail-queue: for what the process has only
 * with other components around it. A handshake is a word, as in the pure server.
 * @module
 */
import { ClientSocket } from "../../components/lib/server/client_socket.ts";
import { type Arrival, Connection, type Secured, type Values } from "../../components/qmail-smtpd/connection.ts";
import { Visitors } from "../../components/lib/server/visitors.ts";
import { Client } from "../../components/lib/wire/client.ts";
import type { Home } from "../../config/home.ts";
import type { Controls } from "../../config/schema.ts";
import { FakeAuthenticator } from "./fake_authenticator.ts";
import { FakeQueue } from "./fake_queue.ts";
import { SmtpClient } from "./smtp_client.ts";
import { type ControlTexts, makeHome, policyFor } from "./world.ts";

export interface NearOptions {
  readonly controls?: ControlTexts;
  /** Over those from the control files. */
  readonly values?: (controls: Controls) => Partial<Values>;
  readonly arrival?: Arrival;
}

export const fakeSecured: Secured = {
  protocol: "TLSv1.3",
  cipher: "TLS_AES_128_GCM_SHA256",
  servername: undefined,
};

export class NearWorld implements AsyncDisposable {
  readonly authenticator = new FakeAuthenticator();
  readonly connections = new Set<Connection>();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #queueClient: Client;
  readonly #clients: SmtpClient[] = [];
  readonly #onClose: (() => void)[] = [];

  private constructor(readonly home: Home, readonly queue: FakeQueue, values: Values, arrival: Arrival) {
    this.#queueClient = new Client(home.socket("qmail-queue"));
    void this.#acceptAll(values, arrival);
  }

  static start(options: NearOptions = {}): NearWorld {
    const { home, controls } = makeHome(options.controls);
    const values: Values = {
      settings: { greeting: controls.smtpgreeting, databytes: controls.databytes },
      me: controls.me,
      clients: new Visitors(controls),
      policy: policyFor(controls),
      timeoutSeconds: controls.timeoutsmtpd,
      ...options.values?.(controls),
    };
    return new NearWorld(home, new FakeQueue(home), values, options.arrival ?? {});
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async connect(): Promise<SmtpClient> {
    const client = await SmtpClient.connect(this.port, "127.0.0.1");
    this.#clients.push(client);
    return client;
  }

  /** Settles once the server has seen the end of every connection. */
  async untilAllClosed(): Promise<void> {
    while (this.connections.size > 0) await new Promise<void>((resolve) => this.#onClose.push(resolve));
  }

  async #acceptAll(values: Values, arrival: Arrival): Promise<void> {
    for await (const conn of this.#listener) {
      const service = {
        queue: this.#queueClient,
        uid: 0,
        onClose: (connection: Connection) => {
          this.connections.delete(connection);
          for (const resolve of this.#onClose.splice(0)) resolve();
        },
      };
      const given = { authenticator: this.authenticator, ...values };
      this.connections.add(new Connection(new ClientSocket(conn), given, service, arrival));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const client of this.#clients) client.close();
    for (const connection of this.connections) connection.destroy();
    this.#queueClient.close();
    this.queue.stop();
    Deno.removeSync(this.home.dir, { recursive: true });
    return Promise.resolve();
  }
}
