/**
 * Pace of remote deliveries in a whole system: another host's server, of the test's own, that wants less mail for a
 * while, and domains that share one exchanger.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { parseDestinationsReply, type ShownDestination } from "../../components/lib/wire/control_protocol.ts";
import { askSend } from "../../scripts/queue/ask_send.ts";
import { type DnsServer, startDnsServer } from "../support/dns_server.ts";
import { isQueueEmpty } from "../support/queue_files.ts";
import { sendStatus } from "../support/retry.ts";
import { sendMail } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask } from "../support/task.ts";
import { waitFor } from "../support/wait.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A server that keeps every message waiting for its last reply until the test gives it, and counts those that wait. */
class HoldingSink {
  readonly #listener = Deno.listen({ hostname: "127.0.0.2", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  /** Recipients of messages that were taken. */
  readonly taken: string[] = [];
  readonly #held: (() => void)[] = [];
  /** The most that waited at one time. */
  most = 0;
  /** Whether it answers MAIL with 421. */
  busy = false;
  /** Whether it gives its last reply at once. */
  open = false;

  constructor() {
    void this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  get held(): number {
    return this.#held.length;
  }

  /** Takes one of those that wait. */
  release(): void {
    this.#held.shift()?.();
  }

  /** Takes all that wait, and all that come. */
  releaseAll(): void {
    this.open = true;
    while (this.held > 0) this.release();
  }

  close(): void {
    this.releaseAll();
    this.#listener.close();
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch {
        // The client was faster.
      }
    }
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      this.#serve(connection).catch(() => {
        // The client has gone.
      }).finally(() => this.#connections.delete(connection));
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const say = (reply: string) => connection.write(encoder.encode(`${reply}\r\n`));
    let recipient = "";
    let content = false;
    await say("220 sink.provider.example ESMTP");
    for await (const line of linesOf(connection)) {
      if (content) {
        if (line !== ".") continue;
        content = false;
        await this.#hold();
        this.taken.push(recipient);
        await say("250 taken");
        continue;
      }
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === "QUIT") {
        await say("221 bye");
        return connection.close();
      }
      if (verb === "MAIL" && this.busy) {
        await say("421 4.7.0 too much mail from you");
        return connection.close();
      }
      if (verb === "RCPT") recipient = /<(.*)>/.exec(line)?.[1] ?? "";
      if (verb === "DATA") content = true;
      await say(content ? "354 go on" : "250 ok");
    }
  }

  async #hold(): Promise<void> {
    if (this.open) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.push(resolve);
    this.most = Math.max(this.most, this.held);
    await promise;
  }
}

async function* linesOf(connection: Deno.Conn): AsyncGenerator<string, void, undefined> {
  let text = "";
  const octets = new Uint8Array(4096);
  for (;;) {
    const count = await connection.read(octets);
    if (count === null) return;
    text += decoder.decode(octets.subarray(0, count));
    for (let end = text.indexOf("\r\n"); end >= 0; end = text.indexOf("\r\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 2);
    }
  }
}

describe("deliveries to one site", () => {
  let dns: DnsServer;
  let sink: HoldingSink;
  let system: System;

  const start = async (shaping: string) => {
    system = await startSystem({
      controls: {
        nameservers: `127.0.0.1:${dns.port}\n`,
        mxprivate: "1\n",
        remoteport: `${sink.port}\n`,
        shaping,
      },
    });
  };
  const send = (to: string) =>
    sendMail(system.ports["smtp"]!, { from: "demo@localhost", to: [to], content: `Subject: ${to}\n\nx\n` });
  const view = async (): Promise<readonly ShownDestination[]> =>
    parseDestinationsReply(await askSend(system.home, { op: "destinations", count: 9 }));
  /** Waits until so many wait for the sink's last reply and nothing else runs. */
  const heldAre = (count: number) =>
    waitFor(
      async () => sink.held === count && (await sendStatus(system)).running.remote === count,
      `${count} deliveries`,
    );
  /** Where nothing runs, what was deferred (for want of a name server's answer, on a busy machine) is made due. */
  const nudge = async (): Promise<false> => {
    const { running, waitingForRetry } = await sendStatus(system);
    if (running.remote === 0 && waitingForRetry > 0) await system.signal("qmail-send", "SIGALRM");
    return false;
  };
  /** Has the domains' site known. */
  const introduce = async (...domains: readonly string[]) => {
    sink.open = true;
    for (const domain of domains) {
      await send(`first@${domain}`);
      await waitFor(() => sink.taken.includes(`first@${domain}`), `mail for ${domain}`);
    }
    await waitFor(() => isQueueEmpty(system.home), "an empty queue");
    sink.taken.length = 0;
    sink.open = false;
  };

  beforeEach(async () => {
    sink = new HoldingSink();
    dns = await startDnsServer({
      "one.example MX": [{ preference: 10, exchange: "mx1.provider.example" }],
      "two.example MX": [{ preference: 10, exchange: "mx2.provider.example" }],
      "mx1.provider.example A": ["127.0.0.2"],
      "mx2.provider.example A": ["127.0.0.2"],
    });
  });
  afterEach(async () => {
    sink.close();
    await system?.stop();
    await dns.stop();
  });

  it("are never more than its concurrency, whatever domain they are for; a reload changes that at once", async () => {
    await start("*: concurrency=4\n");
    await introduce("one.example", "two.example");
    const recipients = Array.from({ length: 16 }, (_, n) => `r${n}@${n % 2 === 0 ? "one" : "two"}.example`);
    for (const recipient of recipients) await send(recipient);
    for (let left = recipients.length; left > 8; left--) {
      await heldAre(4);
      sink.release();
    }
    const [site, ...others] = await view();
    assertEquals([site?.site, others.length], [true, 0]);
    system.writeControl("shaping", "*: concurrency=2\n");
    assertEquals(await system.reload(), []);
    // The answer to a reload comes before qmail-send has read its files.
    await waitFor(async () => (await view()).every(({ window }) => window <= 2), "the new concurrency");
    // Those that run go on; none begins before there are fewer than two.
    await heldAre(4);
    for (const held of [3, 2, 2, 2, 2]) {
      sink.release();
      await heldAre(held);
    }
    assertEquals(sink.most, 4);
    sink.releaseAll();
    await waitFor(() => isQueueEmpty(system.home), "an empty queue");
    assertEquals(sink.taken.toSorted(), recipients.toSorted());
  });

  it("become few when it answers 421, and many again when it does not; all mail arrives", async () => {
    await start("*: start=6 backoff=600..600 failures=2\n");
    await introduce("one.example", "two.example");
    const first = Array.from({ length: 6 }, (_, n) => `a${n}@${n % 2 === 0 ? "one" : "two"}.example`);
    for (const recipient of first) await send(recipient);
    await heldAre(6);
    sink.busy = true;
    const later = Array.from({ length: 12 }, (_, n) => `b${n}@${n % 2 === 0 ? "one" : "two"}.example`);
    for (const recipient of later) await send(recipient);
    for (let left = first.length; left > 0; left--) sink.release();
    const site = await waitFor(async () => (await view()).find(({ pausedUntilMs }) => pausedUntilMs > 0), "the pause");
    assertEquals([site.site, site.window, site.lastCode], [true, 1, 421]);
    const rested = await waitFor(async () => {
      const [{ running, waitingForRetry }, [site]] = [await sendStatus(system), await view()];
      return running.remote === 0 && waitingForRetry + (site?.waiting ?? 0) === later.length && site;
    }, "all of them to wait");
    assert(rested.waiting > 0, "nothing was kept back");
    const { stdout } = await runTask("queue", ["destinations", "--home", system.home.dir]);
    assert(/^destination +kind +running +waiting/.test(stdout) && /paused until 20.* 421 /.test(stdout), stdout);
    sink.busy = false;
    // Everything is due, and the pause is over.
    await system.signal("qmail-send", "SIGALRM");
    await heldAre(1);
    assertEquals((await view()).map(({ window }) => window), [1]);
    // One more for each full window of answers.
    for (const held of [2, 2, 3, 3, 3, 4]) {
      sink.release();
      await heldAre(held);
    }
    sink.releaseAll();
    await waitFor(async () => isQueueEmpty(system.home) || await nudge(), "an empty queue", 20_000);
    assertEquals(sink.taken.toSorted(), [...first, ...later].toSorted());
  });
});
