/**
 * What a message costs qmail-smtpd, counted on the whole component in this process: calls for its client, frames to its
 * neighbours, log lines and timers.
 */
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { run } from "../../components/qmail-smtpd/run.ts";
import type { Running } from "../../components/lib/process/component.ts";
import type { UnixServer } from "../../components/lib/wire/server.ts";
import type { Home } from "../../config/home.ts";
import { assertBudget, type Budget } from "../support/budget.ts";
import { Meter } from "../support/meter.ts";
import { MemoryDoor } from "../support/metered_sockets.ts";
import { FakeQueue } from "./fake_queue.ts";
import { SmtpClient } from "./smtp_client.ts";
import { makeHome, serveGetpw } from "./world.ts";

const kibibyte = 1024;

/**
 * Messages have 10 KiB and one recipient unless said. To lower a figure, lower it here. Octets are those of a message with LF
 * as its line ends, our Received field, whose date has not always the same length, and the envelope.
 */
const budgets = {
  "in a session of its own, a command at a time": {
    "connections": 1,
    // The greeting, and the replies to EHLO, MAIL, RCPT, DATA, the content and QUIT.
    "writes to the client": 7,
    "reads from the client": 6,
    "frames to qmail-queue": 1,
    "writes to qmail-queue": 1,
    "octets to qmail-queue": { most: 10_400 },
    "frames to qmail-getpw": 1,
    "writes to qmail-getpw": 1,
    "octets to qmail-getpw": { most: 70 },
    "log lines": 1,
  },
  "in a pipelined session": {
    "connections": 1,
    "writes to the client": 5,
    // EHLO, the group, and the content, of which a read that was begun for commands gets the first KiB.
    "reads from the client": 4,
    "frames to qmail-queue": 1,
    "writes to qmail-queue": 1,
    "octets to qmail-queue": { most: 10_400 },
    "frames to qmail-getpw": 1,
    "writes to qmail-getpw": 1,
    "octets to qmail-getpw": { most: 70 },
    "log lines": 1,
  },
  "on a kept connection": {
    // The reply to MAIL while qmail-getpw is asked; those to RCPT and DATA; that to the content.
    "writes to the client": 3,
    "reads from the client": 3,
    "frames to qmail-queue": 1,
    "writes to qmail-queue": 1,
    "octets to qmail-queue": { most: 10_400 },
    "frames to qmail-getpw": 1,
    "writes to qmail-getpw": 1,
    "octets to qmail-getpw": { most: 70 },
    "log lines": 1,
  },
  "for 20 recipients": {
    // One for each answer of qmail-getpw.
    "writes to the client": 22,
    "reads from the client": 3,
    "frames to qmail-queue": 1,
    "writes to qmail-queue": 1,
    "octets to qmail-queue": { most: 10_900 },
    "frames to qmail-getpw": 20,
    "writes to qmail-getpw": 1,
    "octets to qmail-getpw": { most: 20 * 70 },
    "log lines": 1,
  },
  "of 1 MiB": {
    "writes to the client": 3,
    // 32 KiB, and 128 KiB each from then on.
    "reads from the client": 10,
    // A piece of 128 KiB each, or so, between its beginning and its envelope.
    "frames to qmail-queue": 11,
    "writes to qmail-queue": { most: 11 },
    "octets to qmail-queue": { most: 1_036_000 },
    "frames to qmail-getpw": 1,
    "writes to qmail-getpw": 1,
    "octets to qmail-getpw": { most: 70 },
    "log lines": 1,
  },
} satisfies Readonly<Record<string, Budget>>;

const look = {
  "connections": "components/lib/server/reception.ts",
  "writes to the client": "components/qmail-smtpd/connection.ts, components/lib/server/outbox.ts",
  "reads from the client": "components/lib/server/client_socket.ts",
  "frames to qmail-queue": "components/lib/queue/submission.ts",
  "writes to qmail-queue": "components/lib/wire/pipe.ts",
  "octets to qmail-queue": "components/lib/queue/submission.ts, components/lib/message/received.ts",
  "frames to qmail-getpw": "components/lib/server/oracles.ts, components/qmail-smtpd/command_queue.ts",
  "writes to qmail-getpw": "components/lib/wire/pipe.ts",
  "octets to qmail-getpw": "components/lib/wire/getpw_protocol.ts",
  "log lines": "components/qmail-smtpd/log_lines.ts",
  "timers": "components/qmail-smtpd/connection.ts: nothing on the way of a message needs one",
};

/** Lines of 72 octets, `bytes` in all. */
function contentOf(bytes: number): string {
  return `${"x".repeat(70)}\r\n`.repeat(Math.ceil(bytes / 72)).slice(-bytes);
}

describe("qmail-smtpd's cost of a message", () => {
  let home: Home;
  let queue: FakeQueue;
  let getpw: UnixServer;
  let door: MemoryDoor;
  let meter: Meter;
  let server: Running;
  /** Each message has recipients nobody was asked about before: a yes is remembered for a second. */
  let recipients = 0;
  const clients: SmtpClient[] = [];

  beforeEach(() => {
    home = makeHome().home;
    queue = new FakeQueue(home);
    getpw = serveGetpw(home);
    door = new MemoryDoor();
    const calls = {
      [home.socket("qmail-queue")]: "qmail-queue",
      [home.socket("qmail-getpw")]: "qmail-getpw",
    };
    meter = new Meter({ calls, door });
    server = run({ home, portOffset: 0, requestStop: () => {} });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await server.stop();
    meter[Symbol.dispose]();
    queue.stop();
    getpw.stop();
    getpw.closeAll();
    Deno.removeSync(home.dir, { recursive: true });
  });

  function connect(): SmtpClient {
    const client = SmtpClient.over(door.connect());
    clients.push(client);
    return client;
  }

  async function expect(client: SmtpClient, codes: readonly string[]): Promise<void> {
    for (const code of codes) assertEquals((await client.reply())?.slice(0, 3), code);
  }

  async function greet(client: SmtpClient): Promise<void> {
    await expect(client, ["220"]);
    await client.send("EHLO client.example\r\n");
    await expect(client, ["250"]);
  }

  function envelope(count = 1): string[] {
    const rcpts = Array.from({ length: count }, () => `RCPT TO:<list-${1000 + recipients++}@example.com>\r\n`);
    return ["MAIL FROM:<sender@client.example>\r\n", ...rcpts, "DATA\r\n"];
  }

  /** A message as a client sends it that has heard of PIPELINING. */
  async function sendGroup(client: SmtpClient, { count = 1, bytes = 10 * kibibyte, last = "" } = {}): Promise<void> {
    const commands = envelope(count);
    await client.send(commands.join(""));
    await expect(client, commands.map((command) => command === "DATA\r\n" ? "354" : "250"));
    await client.send(`${contentOf(bytes)}.\r\n${last}`);
    await expect(client, ["250"]);
  }

  /** Its connections to its neighbours stand, and it has been used once. */
  async function warmUp(): Promise<SmtpClient> {
    const client = connect();
    await greet(client);
    await sendGroup(client);
    return client;
  }

  it("fits its budget in a session of its own, a command at a time", async () => {
    await warmUp();
    const counts = await meter.during(async () => {
      const client = connect();
      await greet(client);
      for (const command of envelope()) {
        await client.send(command);
        await expect(client, [command === "DATA\r\n" ? "354" : "250"]);
      }
      await client.send(`${contentOf(10 * kibibyte)}.\r\n`);
      await expect(client, ["250"]);
      await client.send("QUIT\r\n");
      await expect(client, ["221"]);
    });
    const costs = "in a session of its own, a command at a time";
    assertBudget(`a message ${costs}`, counts, budgets[costs], look);
  });

  it("fits its budget in a pipelined session", async () => {
    await warmUp();
    const counts = await meter.during(async () => {
      const client = connect();
      await greet(client);
      await sendGroup(client, { last: "QUIT\r\n" });
      await expect(client, ["221"]);
    });
    assertBudget("a message in a pipelined session", counts, budgets["in a pipelined session"], look);
  });

  const kept = [
    { costs: "on a kept connection", what: {} },
    { costs: "for 20 recipients", what: { count: 20 } },
    { costs: "of 1 MiB", what: { bytes: kibibyte * kibibyte } },
  ] as const;
  for (const { costs, what } of kept) {
    it(`fits its budget ${costs}, each time`, async () => {
      const client = await warmUp();
      for (let round = 0; round < 3; round++) {
        const counts = await meter.during(() => sendGroup(client, what));
        assertBudget(`a message ${costs}`, counts, budgets[costs], look);
      }
    });
  }
});
