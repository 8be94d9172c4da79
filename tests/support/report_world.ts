/**
 * What stands around tlsrpt and dmarcrpt in their tests.
 * @module
 */
import { assert } from "@std/assert";
import { fromOctets } from "../../components/lib/octets.ts";
import type { Running } from "../../components/lib/process/component.ts";
import { parseQueueRequest } from "../../components/lib/wire/queue_protocol.ts";
import { serveUnix, type UnixServer } from "../../components/lib/wire/server.ts";
import { run as runResolver } from "../../components/resolver/run.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { type DnsServer, startDnsServer, type Zone } from "./dns_server.ts";

type Reporter = "tlsrpt" | "dmarcrpt";

export interface Queued {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly content: string;
}

/** A home with a resolver, a DNS server and somebody in qmail-queue's place. */
export class ReportWorld implements AsyncDisposable {
  readonly home: Home;
  readonly queued: Queued[] = [];
  /** What the queue answers. */
  code = 0;
  attempts = 0;
  readonly #name: Reporter;
  readonly #dns: DnsServer;
  readonly #resolver: Running;
  readonly #queue: UnixServer;

  private constructor(home: Home, name: Reporter, dns: DnsServer) {
    this.home = home;
    this.#name = name;
    this.#dns = dns;
    this.#resolver = runResolver({ home, portOffset: 0, requestStop: () => {} }) as Running;
    this.#queue = serveUnix(home.socket("qmail-queue"), {
      onFrame: (frame, pipe) => {
        const request = parseQueueRequest(frame);
        assert(request.op === "message");
        const { sender, recipients } = request.envelope;
        this.attempts++;
        if (this.code === 0) this.queued.push({ sender, recipients, content: fromOctets(request.content) });
        pipe.send({ id: request.id, code: this.code, qp: 1 });
      },
      onError: () => {},
    });
  }

  static async start(name: Reporter, zone: Zone): Promise<ReportWorld> {
    const home = homeAt(Deno.makeTempDirSync({ prefix: "dq" }));
    const folders = ["resolver", "qmail-queue", "sts-memory", name].map((socket) => home.run(socket));
    for (const dir of [home.control(""), home[name](), ...folders]) Deno.mkdirSync(dir, { recursive: true });
    const dns = await startDnsServer(zone);
    const files = { me: "mail.a.example\n", [name]: "1\n", nameservers: `127.0.0.1:${dns.port}\n` };
    for (const [file, text] of Object.entries(files)) Deno.writeTextFileSync(home.control(file), text);
    return new ReportWorld(home, name, dns);
  }

  /** What the DNS server was asked. */
  get asked(): readonly string[] {
    return this.#dns.queries;
  }

  /** What its folder has of a day. */
  file(day: string): string {
    try {
      return Deno.readTextFileSync(this.home[this.#name](day));
    } catch {
      return "";
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#queue.stop();
    this.#queue.closeAll();
    await this.#resolver.stop();
    await this.#dns.stop();
    Deno.removeSync(this.home.dir, { recursive: true });
  }
}
