/**
 * A front end without a queue, the host with the queue, and the host with the mailbox: qmail-qmqpc → QMQP → the queue →
 * QMTP → a Maildir, while either of the two hosts is killed, all of its processes at one moment, and started again.
 *
 * What qmail-qmqpc answered with 0 has to arrive. It may arrive twice: who dies between having a message and saying so is
 * asked to take it again. So much is what a kill may cost, and no more.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { toOctets } from "../../components/lib/octets.ts";
import { frameMail } from "../../components/lib/qmtp/qmqp_client.ts";
import { exitCode } from "../../components/lib/queue/exit_code.ts";
import { handOver } from "../../components/tools/support/qmqp.ts";
import { freePort } from "../support/free_port.ts";
import { readMail, waitForMailWith } from "../support/maildir.ts";
import { isQueueEmpty } from "../support/queue_files.ts";
import { sendStatus } from "../support/retry.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";
import { runLine } from "../tools/support/bin.ts";

const mailbox = "demo@two.example";
const sender = "amy@a.example";
/** Messages between one kill and the next. */
const perRound = 40;

interface Hosts extends AsyncDisposable {
  /** `control/mode` mini. */
  readonly front: System;
  /** Takes QMQP, has the queue, sends by QMTP. */
  readonly relay: System;
  /** Takes QMTP, has the mailbox. */
  readonly last: System;
  /** Where the relay takes QMQP. */
  readonly qmqp: { readonly host: string; readonly port: number };
}

async function startHosts(): Promise<Hosts> {
  const [qmqpPort, qmtpPort, qmtpsPort] = [freePort(), freePort(), freePort()];
  const qmqp = { host: "127.0.0.1", port: qmqpPort };
  const started: System[] = [];
  const start = async (controls: Readonly<Record<string, string>>, tls = false): Promise<System> => {
    const system = await startSystem({ controls, tls });
    started.push(system);
    return system;
  };
  const stop = async () => {
    for (const system of started.reverse()) await system.stop();
  };
  try {
    const last = await start({
      me: "two.example\n",
      rcpthosts: "two.example\n",
      listeners: `smtp 127.0.0.1:0\nqmtp 127.0.0.1:${qmtpPort}\nqmtps 127.0.0.1:${qmtpsPort}\nadmin 127.0.0.1:0\n`,
    }, true);
    const relay = await start({
      listeners: `smtp 127.0.0.1:0\nqmqp 127.0.0.1:${qmqpPort}\nadmin 127.0.0.1:0\n`,
      authsenders: `@tls.example:127.0.0.1:${qmtpsPort} protocol=qmtp implicit\n`,
      qmtproutes: `two.example:127.0.0.1:${qmtpPort}\n`,
    });
    const front = await start({ mode: "mini\n", qmqpservers: `127.0.0.1:${qmqpPort}\n` });
    return { front, relay, last, qmqp, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function textOf(number: number): string {
  return `Subject: number ${number}.\nX-Filling: ${"x".repeat(900)}\n\nhi\n`;
}

/** How often each number is in the mailbox. */
function arrivals(last: System): Map<number, number> {
  const counts = new Map<number, number>();
  for (const mail of readMail(last.home, mailbox)) {
    const number = Number(/^Subject: number ([0-9]+)\.$/m.exec(mail)![1]);
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return counts;
}

/** The front end's way for one message; answers qmail-queue's exit code. */
async function byProgram({ front }: Hosts, number: number, from = sender): Promise<number> {
  const folder = `${front.baseDir}/${number}`;
  Deno.mkdirSync(folder, { recursive: true });
  const line = `printf 'F${from}\\0T${mailbox}\\0\\0' >envelope; qmail-queue 1<envelope`;
  const { code } = await runLine(front.home, folder, line, { input: textOf(number) });
  return code;
}

/** As qmail-qmqpc does, by its own code, but without a process for each message. */
async function byHand({ qmqp }: Hosts, number: number): Promise<number> {
  const text = toOctets(textOf(number));
  return await handOver([qmqp], frameMail(text.length, { sender, recipients: [mailbox] })!, [text]);
}

/** Each message is sent again until it is taken, as whoever runs the front end would. */
class Senders {
  readonly accepted = new Set<number>();
  refusals = 0;
  readonly #hosts: Hosts;
  /** 0 and 1 are other tests'. */
  #next = 2;
  /** Settles when the relay runs. */
  up: Promise<void> = Promise.resolve();

  constructor(hosts: Hosts) {
    this.#hosts = hosts;
  }

  /** Sends `count` more, a few at a time, every tenth of them by the real program. */
  async send(count: number): Promise<void> {
    const end = this.#next + count;
    const one = async (): Promise<void> => {
      while (this.#next < end) await this.#sendOne(this.#next++);
    };
    await Promise.all([one(), one(), one()]);
  }

  async #sendOne(number: number): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      await this.up;
      const way = number % 10 === 0 ? byProgram : byHand;
      const code = await way(this.#hosts, number);
      if (code === exitCode.queued) return void this.accepted.add(number);
      this.refusals++;
    }
    throw new Error(`number ${number} was refused again and again`);
  }
}

/** Waits until the relay's queue is empty; what was deferred, for the other host was away, is made due again. */
async function untilQuiet({ relay, last }: Hosts): Promise<void> {
  const isQuiet = async () => {
    if (isQueueEmpty(relay.home)) return isQueueEmpty(last.home);
    const { waitingForRetry, running } = await sendStatus(relay);
    if (waitingForRetry > 0 && running.local + running.remote === 0) await relay.signal("qmail-send", "SIGALRM");
    return false;
  };
  await waitFor(isQuiet, "empty queues", 60_000);
}

describe("a front end, a queue host and a mail host", () => {
  let hosts: Hosts;
  beforeAll(async () => {
    hosts = await startHosts();
  });
  afterAll(() => hosts[Symbol.asyncDispose]());

  it("pass mail on from QMQP to QMTP to the Maildir, octet for octet", async () => {
    const { front, relay, last } = hosts;
    assertEquals(await byProgram(hosts, 0), exitCode.queued, front.log.text());
    const mail = await waitForMailWith(last.home, "Subject: number 0.", mailbox);
    assert(mail.endsWith(textOf(0)));
    assertMatch(mail, /^Return-Path: <amy@a\.example>\nDelivered-To: demo@two\.example\n/);
    assertMatch(mail, /\n {2}by localhost with QMQP; /);
    assertMatch(mail, /\n {2}by two\.example with QMTP; /);
    await relay.waitForLog((line) => /success: 127\.0\.0\.1_accepted_message\./.test(line));
  });

  it("speak QMTP within TLS where the route wants that", async () => {
    assertEquals(await byProgram(hosts, 1, "eve@tls.example"), exitCode.queued);
    const mail = await waitForMailWith(hosts.last.home, "Subject: number 1.", mailbox);
    assertMatch(mail, /\n {2}by two\.example with QMTP[^\n]*TLSv1\.3/);
  });

  it("lose nothing that was accepted while either of the latter is killed again and again", async () => {
    const { relay, last } = hosts;
    const senders = new Senders(hosts);
    /** Who dies, and when: behind so many messages of its round. */
    const kills: readonly (readonly [System, number])[] = [[relay, 7], [last, 15], [relay, 23], [last, 4]];
    for (const [victim, when] of kills) {
      const before = senders.accepted.size;
      const killed = waitFor(() => senders.accepted.size >= before + when, "mail to be accepted", 30_000)
        .then(async () => {
          const { promise, resolve } = Promise.withResolvers<void>();
          if (victim === relay) senders.up = promise;
          await victim.killAll();
          await victim.start();
          resolve();
        });
      await Promise.all([senders.send(perRound), killed]);
    }
    await untilQuiet(hosts);
    const arrived = arrivals(last);
    assertEquals([...senders.accepted].filter((number) => !arrived.has(number)), []);
    assertEquals(senders.accepted.size, kills.length * perRound);
    const copies = arrived.values().reduce((sum, count) => sum + count - 1, 0);
    console.log(`${senders.accepted.size} messages, ${senders.refusals} refused for a while, ${copies} copies`);
    // At most what was in flight at a kill: a message of each sender, and of each slot of the relay.
    assert(copies <= kills.length * (3 + 20), `${copies} copies`);
  });
});
