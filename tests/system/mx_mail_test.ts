/**
 * Mail for other hosts by MX, with a name server, and to Postfix's smtp-sink: two programs this project did not write.
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { existsSync } from "@std/fs";
import { type DnsServer, startDnsServer } from "../support/dns_server.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { isQueueEmpty } from "../support/queue_files.ts";
import { retryAll, sendStatus, waitForDeferral } from "../support/retry.ts";
import { sendMail } from "../support/smtp_client.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";
import { freePort } from "../support/free_port.ts";

const sender = "demo@localhost";

describe("mail by MX", () => {
  let dns: DnsServer;
  let sink: SmtpSink;
  let system: System;
  const send = (to: readonly string[]) =>
    sendMail(system.ports["smtp"]!, { from: sender, to, content: `Subject: ${to[0]}\n\nx\n` });
  const arrived = (recipient: string) =>
    waitFor(
      () => sink.taken.some(({ recipients }) => recipients.includes(recipient)),
      `${recipient} at the other host`,
    );

  beforeAll(async () => {
    // Not 127.0.0.1: that is this machine itself, and no MX of anybody else.
    sink = await startSmtpSink("127.0.0.2");
    dns = await startDnsServer({
      "one.example MX": [{ preference: 10, exchange: "mx.one.example" }],
      "mx.one.example A": ["127.0.0.2"],
      "two.example MX": [{ preference: 20, exchange: "mx.one.example" }, { preference: 10, exchange: "down.example" }],
      // Nobody listens there.
      "down.example A": ["127.0.0.3"],
      "bare.example A": ["127.0.0.2"],
      "alias.example CNAME": ["one.example"],
      "null.example MX": [{ preference: 0, exchange: "." }],
      "self.example MX": [{ preference: 10, exchange: "me.example" }, { preference: 20, exchange: "mx.one.example" }],
      "me.example A": ["127.0.0.1"],
      "broken.example MX": { rcode: 2 },
      "lost.example MX": [{ preference: 10, exchange: "down.example" }],
    });
    system = await startSystem({
      controls: {
        mtasts: undefined,
        mxprivate: "1\n",
        nameservers: `127.0.0.1:${dns.port}\n`,
        remoteport: `${sink.port}\n`,
      },
    });
  });
  afterAll(async () => {
    await system?.stop();
    await dns?.stop();
    await sink?.[Symbol.asyncDispose]();
  });

  it("goes to the exchanger's address, found through the resolver", async () => {
    await send(["r@one.example"]);
    await arrived("r@one.example");
    await system.waitForLog((line) => line.includes("success: 127.0.0.2_accepted_message./Remote_host_said:_250_"));
    assertEquals(dns.queries.filter((query) => query.includes("one.example")).toSorted(), [
      "udp _mta-sts.one.example TXT",
      "udp mx.one.example A",
      "udp one.example MX",
    ]);
  });

  it("goes to the second exchanger where the first refuses connections", async () => {
    await send(["r@two.example"]);
    await arrived("r@two.example");
  });

  it("goes to the address of a domain without an MX, and through an alias", async () => {
    await send(["r@bare.example", "r@alias.example"]);
    await arrived("r@bare.example");
    await arrived("r@alias.example");
  });

  const bounces: readonly (readonly [string, string, string])[] = [
    ["a domain that is not there", "no.example", "Sorry, I couldn't find any host named no.example. (#5.1.2)\n"],
    ["a domain that takes no mail", "null.example", "Sorry, null.example accepts no mail. (#5.1.10)\n"],
    ["a domain whose best exchanger is this host", "self.example", "it isn't in my control/locals file"],
  ];
  for (const [what, domain, text] of bounces) {
    it(`to ${what} comes back`, async () => {
      await send([`r@${domain}`]);
      const bounce = await waitForMailWith(system.home, `<r@${domain}>:\n`);
      assertStringIncludes(bounce, text);
    });
  }

  it("waits where no exchanger answers, or the name server fails", async () => {
    await waitFor(() => isQueueEmpty(system.home), "an empty queue");
    await send(["r@lost.example", "r@broken.example"]);
    const reasons = ["I_wasn't_able_to_establish_an_SMTP_connection._(#4.4.1)/", "host_by_that_name._(#4.1.2)/"];
    for (const reason of reasons) {
      await system.waitForLog((line) => line.includes(": deferral: ") && line.includes(reason));
    }
    await waitForDeferral(system);
  });
});

const program = "/usr/sbin/smtp-sink";
const missing = existsSync(program) ? "" : ` (skipped: ${program} is not installed)`;

/** A port that was free a moment ago: smtp-sink takes no 0. */

/** Runs smtp-sink until it is disposed of. */
async function startPostfixSink(port: number, args: readonly string[] = []): Promise<AsyncDisposable> {
  const asRoot = Deno.uid() === 0 ? ["-u", "nobody"] : [];
  const child = new Deno.Command(program, {
    args: [...asRoot, ...args, `127.0.0.1:${port}`, "100"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await waitFor(() => Deno.connect({ port }).then((connection) => (connection.close(), true), () => false), program);
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

describe(`mail to Postfix's smtp-sink${missing}`, { ignore: missing !== "" }, () => {
  it(`arrives; what it defers waits, what it refuses comes back${missing}`, { ignore: missing !== "" }, async () => {
    const port = freePort();
    await using system = await startSystem({ controls: { smtproutes: `:127.0.0.1:${port}\n` } });
    const count = 20;
    const sendAll = async (to: string) => {
      for (let sent = 0; sent < count; sent++) {
        await sendMail(system.ports["smtp"]!, { from: sender, to: [to], content: `Subject: ${to}\n\nx\n` });
      }
    };
    {
      await using _deferring = await startPostfixSink(port, ["-r", "rcpt"]);
      await sendAll("r@other.example");
      await waitForDeferral(system, count);
    }
    {
      await using _taking = await startPostfixSink(port);
      await retryAll(system, count);
      await waitFor(() => isQueueEmpty(system.home), "an empty queue");
      const { delivered, deferred, failed } = await sendStatus(system);
      assertEquals([delivered, deferred, failed], [count, count, 0]);
    }
    await using _refusing = await startPostfixSink(port, ["-f", "."]);
    await sendMail(system.ports["smtp"]!, { from: sender, to: ["q@other.example"], content: "Subject: q\n\nx\n" });
    assertStringIncludes(
      await waitForMailWith(system.home, "<q@other.example>:"),
      "127.0.0.1 failed after I sent the message.\nRemote host said: 5",
    );
  });
});
