/**
 * Delivery status notifications over a whole system: what a client asked for reaches the next host, the bounce and the
 * reports, through the journal and through qmail's layout, and over restarts.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { toOctets } from "../../components/lib/octets.ts";
import { type MessageOptions, parseNotify, type RecipientOptions } from "../../components/lib/queue/message_options.ts";
import { checkQueue } from "../../components/lib/queue/look.ts";
import { Submission } from "../../components/lib/queue/submission.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { smallMessageBytes } from "../../components/lib/wire/queue_protocol.ts";
import { readMail, waitForMailWith } from "../support/maildir.ts";
import { isQueueEmpty, queueFiles } from "../support/queue_files.ts";
import { retryAll, waitForDeferral } from "../support/retry.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const sender = "demo@localhost";

function asks(notify: string, orcpt?: string): RecipientOptions {
  const parsed = parseNotify(notify);
  assert(parsed.ok);
  return { notify: parsed.value, ...orcpt === undefined ? {} : { orcpt } };
}

describe("what a client asked for, over a whole system", () => {
  let [system, withDsn, without]: [System, SmtpSink, SmtpSink] = [] as never;

  beforeAll(async () => {
    withDsn = await startSmtpSink();
    without = await startSmtpSink("127.0.0.1", { hidesDsn: true });
    const smtproutes = `r.example:127.0.0.1:${withDsn.port}\ns.example:127.0.0.1:${without.port}\n`;
    system = await startSystem({ controls: { smtproutes, delaywarnseconds: "0\n" } });
  });

  afterAll(async () => {
    await system.stop();
    await withDsn[Symbol.asyncDispose]();
    await without[Symbol.asyncDispose]();
  });

  /** Hands one message in; `mark` stands in its header, `sizeBytes` is what its body has at least. */
  async function submit(
    mark: string,
    recipients: readonly string[],
    options: MessageOptions,
    { from = sender, sizeBytes = 0 } = {},
  ): Promise<void> {
    const client = new Client(system.home.socket("qmail-queue"));
    try {
      const submission = new Submission(client, "network", 7);
      const body = "secret body\n".repeat(1 + Math.ceil(sizeBytes / 12));
      await submission.write(toOctets(`Subject: ${mark}\nMessage-ID: <${mark}@a.example>\n\n${body}`));
      assertEquals((await submission.commit({ sender: from, recipients, options })).code, 0);
    } finally {
      client.close();
    }
  }

  const emptyQueue = () => waitFor(() => isQueueEmpty(system.home) && true as const, "an empty queue");
  const mailAbout = (mark: string) => readMail(system.home).filter((mail) => mail.includes(`Subject: ${mark}\n`));

  it("reaches a host that offers DSN, which then reports by itself", async () => {
    const asked = [[0, asks("SUCCESS,DELAY", "rfc822;Bob+x@R.example")], [1, asks("NEVER")]] as const;
    await submit("along", ["bob@r.example", "eve@r.example", "joe@r.example"], {
      ret: "HDRS",
      envid: "QQ+314 159",
      recipients: new Map(asked),
    });
    const taken = await waitFor(() => withDsn.taken.find(({ content }) => content.includes("Subject: along")), "it");
    assertEquals([taken.parameters["RET"], taken.parameters["ENVID"]], ["HDRS", "QQ+314 159"]);
    assertEquals(taken.recipientParameters, [
      { NOTIFY: "SUCCESS,DELAY", ORCPT: "rfc822;Bob+x@R.example" },
      { NOTIFY: "NEVER" },
      {},
    ]);
    await emptyQueue();
    assertEquals(mailAbout("along"), []);
  });

  it("comes back in a report of success, with the header of the message alone", async () => {
    for (const sizeBytes of [0, smallMessageBytes]) {
      const mark = `success${sizeBytes}`;
      const recipients = new Map([
        [0, asks("SUCCESS", "rfc822;Bob@b.example")],
        [1, asks("SUCCESS,FAILURE", "rfc822;x\r\nAction: failed")],
      ]);
      const options = { envid: "a\nBcc: evil@e.example", ret: "FULL" as const, recipients };
      await submit(mark, ["bob@s.example", "postmaster@localhost", "joe@s.example"], options, { sizeBytes });
      const report = await waitForMailWith(system.home, `Subject: ${mark}\n`);
      for (
        const text of [
          "\nSubject: success notice\n",
          "\nOriginal-Envelope-Id: a+0ABcc:+20evil@e.example\n",
          "\nOriginal-Recipient: rfc822; Bob@b.example\nFinal-Recipient: rfc822; bob@s.example\nAction: relayed\n" +
          "Status: 2.0.0\nRemote-MTA: dns; [127.0.0.1]\n",
          "\nOriginal-Recipient: rfc822; x+0D+0AAction:+20failed\n" +
          "Final-Recipient: rfc822; postmaster@localhost\nAction: delivered\n",
          "\nContent-Type: text/rfc822-headers\n",
        ]
      ) assertStringIncludes(report, text);
      assert(!report.includes("joe@s.example") && !report.includes("secret body") && !report.includes("\nBcc:"));
      await emptyQueue();
      assertEquals(mailAbout(mark).length, 1);
    }
  });

  it("comes back in a bounce, with as much of the message as was asked for", async () => {
    for (const ret of ["HDRS", "FULL"] as const) {
      const mark = `bounce${ret}`;
      const recipients = new Map([[0, asks("FAILURE", "rfc822;Gone@x")], [1, asks("NEVER")]]);
      const sizeBytes = ret === "FULL" ? 60_000 : 0;
      await submit(mark, ["refused1@r.example", "refused2@r.example"], { ret, envid: "E1", recipients }, { sizeBytes });
      const bounce = await waitForMailWith(system.home, `Subject: ${mark}\n`);
      assertStringIncludes(bounce, "\nSubject: failure notice\n");
      assertStringIncludes(bounce, "\nOriginal-Envelope-Id: E1\n");
      assertStringIncludes(
        bounce,
        "\nOriginal-Recipient: rfc822; Gone@x\nFinal-Recipient: rfc822; refused1@r.example\n",
      );
      assert(!bounce.includes("refused2"));
      const copied = bounce.split("secret body\n").length - 1;
      assertEquals(copied, ret === "HDRS" ? 0 : 5001);
    }
    await emptyQueue();
  });

  it("is no report at all where NOTIFY is NEVER", async () => {
    await submit("never", ["refused@r.example"], { recipients: new Map([[0, asks("NEVER")]]) });
    await system.waitForLog((line) => line.includes("failure:") && line.includes("not_this_one"));
    await emptyQueue();
    assertEquals(mailAbout("never"), []);
  });

  it("keeps a message that requires TLS from going out in the clear", async () => {
    const options = { requireTls: true, ret: "FULL" as const, recipients: new Map() };
    await submit("clear", ["bob@r.example", "bob@s.example"], options);
    const bounce = await waitForMailWith(system.home, "Subject: clear\n");
    assertStringIncludes(bounce, "Status: 5.7.30\n");
    assert(!bounce.includes("secret body"));
    assert(![...withDsn.taken, ...without.taken].some(({ content }) => content.includes("Subject: clear")));
    await emptyQueue();
  });

  it("fails binary content, which no host gets", async () => {
    const client = new Client(system.home.socket("qmail-queue"));
    const submission = new Submission(client, "network", 7);
    await submission.write(toOctets("Subject: binary\n\n\0\r\n"));
    await submission.commit({
      sender,
      recipients: ["bob@r.example"],
      options: { body: "BINARYMIME", recipients: new Map() },
    });
    client.close();
    const bounce = await waitForMailWith(system.home, "Subject: binary\n");
    assertStringIncludes(bounce, "Status: 5.6.3\n");
    await emptyQueue();
  });

  it("is known at a later attempt, after a restart; a delay is told of once", async () => {
    for (const sizeBytes of [0, smallMessageBytes]) {
      const mark = `later${sizeBytes}`;
      const count = sizeBytes === 0 ? 1 : 2;
      await submit(mark, ["later@r.example", "later@s.example"], {
        ret: "FULL",
        envid: mark,
        requireTls: false,
        recipients: new Map([[0, asks("DELAY", "rfc822;L")], [1, asks("FAILURE")]]),
      }, { sizeBytes });
      await waitForDeferral(system, count);
      const report = await waitForMailWith(system.home, `Subject: ${mark}\n`);
      assertStringIncludes(report, "\nSubject: delay notice\n");
      assertStringIncludes(report, "\nOriginal-Recipient: rfc822; L\nFinal-Recipient: rfc822; later@r.example\n");
      assertStringIncludes(report, "\nAction: delayed\nStatus: 4.0.0\n");
      assertStringIncludes(report, "\nWill-Retry-Until: ");
      assert(!report.includes("later@s.example") && !report.includes("secret body"));
      for (const dir of ["options", "delayed"]) {
        assertEquals(queueFiles(system.home, system.home.queue(dir)).length, count);
      }

      assertEquals(await system.end(), 0);
      const writing = () => Promise.resolve(false);
      assertEquals(await checkQueue(system.home, { writing, pause: () => Promise.resolve() }), []);
      await system.start();
      const since = system.log.length;
      await retryAll(system, count);
      await system.waitForLog((line) => line.includes("deferral:"), 10_000, since);
      await waitForDeferral(system, count);
      assertEquals(mailAbout(mark).length, 1);
      if (sizeBytes === 0) continue;
      withDsn.takeAll();
      without.takeAll();
      await retryAll(system, count);
      await emptyQueue();
      for (const one of ["later0", mark]) {
        const taken = withDsn.taken.find(({ parameters }) => parameters["ENVID"] === one);
        assertEquals(taken?.recipientParameters, [{ NOTIFY: "DELAY", ORCPT: "rfc822;L" }]);
        assertEquals(mailAbout(one).length, 1);
      }
    }
  });
});
