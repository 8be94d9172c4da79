/**
 * Mail for other hosts, by control/smtproutes: what arrives, what is tried again and when, what comes back as a bounce.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { newMail, readMail, waitForMail, waitForMailWith, withoutTimes } from "../support/maildir.ts";
import { isQueueEmpty, messageFiles, queueFiles } from "../support/queue_files.ts";
import { retryAll, waitForDeferral } from "../support/retry.ts";
import { sendMail } from "../support/smtp_client.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const sender = "demo@localhost";
const content = "Subject: remote\n\n.dots\nand an octet: \xff\n";

function startWith(sink: SmtpSink, controls: Record<string, string> = {}): Promise<System> {
  return startSystem({ controls: { smtproutes: `r.example:127.0.0.1:${sink.port}\n`, ...controls } });
}

function send(system: System, to: readonly string[], from = sender, text = content): Promise<void> {
  return sendMail(system.ports["smtp"]!, { from, to, content: text });
}

/** Paths below queue/ without the number of the message, which is one. */
function kinds(system: System): string[] {
  return messageFiles(system.home).map((path) => path.slice(system.home.queue().length + 1).split("/")[0]!).toSorted();
}

function readQueueFile(system: System, dir: string): { text: string; mtimeSeconds: number } {
  const path = queueFiles(system.home, system.home.queue(dir))[0]!;
  return { text: Deno.readTextFileSync(path), mtimeSeconds: Deno.statSync(path).mtime!.getTime() / 1000 };
}

function emptyQueue(system: System): Promise<true> {
  return waitFor(() => isQueueEmpty(system.home) && true as const, "an empty queue");
}

describe("mail for another host", () => {
  it("arrives octet for octet, its recipients of one domain in one transaction", async () => {
    await using sink = await startSmtpSink();
    await using system = await startWith(sink);
    const names = Array.from({ length: 60 }, (_, at) => `r${at}@${at % 2 === 0 ? "r.example" : "R.Example"}`);
    await send(system, names);
    await waitFor(() => sink.taken.length > 0, "a transaction");
    await emptyQueue(system);
    assertEquals(sink.taken.length, 1);
    const { sender: from, recipients, content: taken } = sink.taken[0]!;
    assertEquals([from, recipients], [sender, names.map((name) => name.toLowerCase())]);
    assertEquals(
      withoutTimes(taken),
      [
        "Received: (qmail 1 invoked from network); 1 Jan 1970 00:00:00 -0000",
        "Received: from client.example ([127.0.0.1])",
        "  by localhost with ESMTP; 1 Jan 1970 00:00:00 +0000",
        ...content.split("\n"),
      ].join("\r\n"),
    );
  });
});

describe("mail that is taken for one recipient, refused for another, deferred for a third", () => {
  it("waits with one D a done recipient, T for the rest, and is due 400 s after its birth; SIGALRM retries at once; a restart changes nothing", async () => {
    await using sink = await startSmtpSink();
    await using system = await startWith(sink);
    await send(system, ["ok@r.example", "refused@r.example", "later@r.example"]);
    await waitForDeferral(system);
    assertEquals(sink.taken.map(({ recipients }) => recipients), [["ok@r.example"]]);

    const look = () => {
      assertEquals(kinds(system), ["bounce", "info", "mess", "remote"]);
      const [info, remote, bounce] = [
        readQueueFile(system, "info"),
        readQueueFile(system, "remote"),
        readQueueFile(system, "bounce"),
      ];
      assertEquals(info.text, "Fdemo@localhost\0");
      assertEquals(remote.text, "Dok@r.example\0Drefused@r.example\0Tlater@r.example\0");
      assertEquals(
        bounce.text,
        "<refused@r.example>:\n127.0.0.1 does not like recipient.\nRemote host said: 550 not this one\n\n",
      );
      // (0 + 20)², or (1 + 20)² where the attempt began in the second after the message's birth.
      const waits = remote.mtimeSeconds - info.mtimeSeconds;
      assert(waits === 400 || waits === 441, `the next attempt comes ${waits} s after the birth`);
      return { info, remote, bounce, number: queueFiles(system.home, system.home.queue("mess"))[0]! };
    };
    const before = look();
    assertEquals(await system.end(), 0);
    await system.start();
    await waitForDeferral(system);
    assertEquals(look(), before);

    // Deferred once more: the second interval.
    const birth = before.info.mtimeSeconds;
    // (1 + 20)², or (2 + 20)² where the first was (1 + 20)² already.
    const nextRoot = Math.sqrt(before.remote.mtimeSeconds - birth) - 20 + 1;
    await waitFor(() => Date.now() / 1000 >= birth + nextRoot ** 2, "the time of another interval");
    await retryAll(system);
    const nextAttempt = await waitFor(() => {
      const { mtimeSeconds } = readQueueFile(system, "remote");
      return mtimeSeconds !== before.remote.mtimeSeconds && mtimeSeconds;
    }, "another time of the next attempt");
    const root = Math.sqrt(nextAttempt - birth) - 20;
    assert(Number.isInteger(root) && root >= 1 && root ** 2 <= Date.now() / 1000 - birth, `(${root} + 20)²`);

    sink.takeAll();
    await retryAll(system);
    await waitFor(() => sink.taken.length === 2, "the deferred recipient");
    assertEquals(sink.taken[1]!.recipients, ["later@r.example"]);
    assertEquals(sink.taken[1]!.content, sink.taken[0]!.content);
    const bounces = await waitForMail(system.home);
    assertEquals(bounces.length, 1);
    assertStringIncludes(bounces[0]!, `\n\n${before.bounce.text}--- Below this line`);
    await emptyQueue(system);
    assertEquals([sink.taken.length, newMail(system.home).length], [2, 1]);
  });
});

describe("mail that is refused", () => {
  const paragraph = (address: string) => [
    `<${address}>:`,
    "127.0.0.1 does not like recipient.",
    "Remote host said: 550 not this one",
    "Giving up on 127.0.0.1.",
    "",
  ];
  const text = [
    "Hi. This is the qmail-send program at bounces.example.",
    "I'm afraid I wasn't able to deliver your message to the following addresses.",
    "This is a permanent error; I've given up. Sorry it didn't work out.",
    "",
    ...paragraph("refused-a@r.example"),
    ...paragraph("refused-b@r.example"),
    "--- Below this line is a copy of the message.",
    "",
  ];
  const trace = [
    "Return-Path: <>",
    "Delivered-To: demo@localhost",
    "Received: (qmail 1 invoked for bounce); 1 Jan 1970 00:00:00 -0000",
  ];
  const copy = [
    "Return-Path: <demo@localhost>",
    "Received: (qmail 1 invoked from network); 1 Jan 1970 00:00:00 -0000",
    "Received: from client.example ([127.0.0.1])",
    "  by localhost with ESMTP; 1 Jan 1970 00:00:00 +0000",
    ...content.split("\n"),
  ];

  it("comes back to its sender's Maildir as a DSN, to the letter", async () => {
    await using sink = await startSmtpSink();
    await using system = await startWith(sink, { bouncehost: "bounces.example\n" });
    await send(system, ["refused-a@r.example", "refused-b@r.example"]);
    const [bounce] = await waitForMail(system.home);
    const status = (address: string) => [
      "",
      `Final-Recipient: rfc822; ${address}`,
      "Action: failed",
      "Status: 5.0.0",
      "Remote-MTA: dns; [127.0.0.1]",
      "Diagnostic-Code: smtp; 550 not this one",
    ];
    assertEquals(
      withoutTimes(bounce!)
        .replace(/^Message-ID: <[0-9]+\.[0-9a-f]{32}@/m, "Message-ID: <1.random@")
        .replaceAll(/=_[0-9a-f]{32}/g, "=_random"),
      [
        ...trace,
        "Date: 1 Jan 1970 00:00:00 +0000",
        "From: Mail Delivery System <MAILER-DAEMON@bounces.example>",
        "To: demo@localhost",
        "Subject: failure notice",
        "Message-ID: <1.random@bounces.example>",
        "MIME-Version: 1.0",
        "Auto-Submitted: auto-replied",
        "Content-Type: multipart/report; report-type=delivery-status;",
        ' boundary="=_random"',
        "Content-Transfer-Encoding: 8bit",
        "",
        "--=_random",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        ...text,
        "--=_random",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; localhost",
        "Arrival-Date: 1 Jan 1970 00:00:00 +0000",
        ...status("refused-a@r.example"),
        ...status("refused-b@r.example"),
        "Last-Attempt-Date: 1 Jan 1970 00:00:00 +0000",
        "",
        "--=_random",
        "Content-Type: message/rfc822",
        "Content-Transfer-Encoding: 8bit",
        "",
        ...copy,
        "--=_random--",
        "",
      ].join("\n"),
    );
    await system.waitForLog((line) => /^qmail-send: bounce msg [0-9]+ qp [0-9]+$/.test(line));
    await emptyQueue(system);
    assertEquals([sink.taken.length, newMail(system.home).length], [0, 1]);
  });

  it("comes back as qmail's bounce, to the letter, where control/bounceformat is qsbmf", async () => {
    await using sink = await startSmtpSink();
    await using system = await startWith(sink, { bouncehost: "bounces.example\n", bounceformat: "qsbmf\n" });
    await send(system, ["refused-a@r.example", "refused-b@r.example"]);
    const [bounce] = await waitForMail(system.home);
    assertEquals(
      withoutTimes(bounce!),
      [
        ...trace,
        "Date: 1 Jan 1970 00:00:00 -0000",
        "From: MAILER-DAEMON@bounces.example",
        "To: demo@localhost",
        "Subject: failure notice",
        "",
        ...text,
        ...copy,
      ].join("\n"),
    );
    await emptyQueue(system);
    assertEquals([sink.taken.length, newMail(system.home).length], [0, 1]);
  });

  it("whose bounce cannot be delivered goes to the postmaster as a double bounce", async () => {
    await using sink = await startSmtpSink();
    await using system = await startWith(sink);
    await send(system, ["refused@r.example"], "dead@localhost");
    const [bounce] = await waitForMail(system.home, "postmaster@localhost");
    assert(bounce!.startsWith("Return-Path: <#@[]>\nDelivered-To: postmaster@localhost\n"), bounce);
    assertStringIncludes(
      bounce!,
      "Hi. This is the qmail-send program at localhost.\n" +
        "I tried to deliver a bounce message to this address, but the bounce bounced!\n\n<dead@localhost>:\n",
    );
    assertStringIncludes(bounce!, "\n--- Below this line is the original bounce.\n\n--=_");
    assertStringIncludes(
      bounce!,
      "\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nReturn-Path: <>\nReceived: (qmail ",
    );
    assertStringIncludes(bounce!, "\n--- Below this line is a copy of the message.\n\n--=_");
    assertStringIncludes(bounce!, "\nReturn-Path: <dead@localhost>\n");
    // The null sender is not written to: its bounce is a double one from the beginning.
    await send(system, ["refused-null@r.example"], "");
    await waitForMailWith(
      system.home,
      "but the bounce bounced!\n\n<refused-null@r.example>:\n",
      "postmaster@localhost",
    );
    await emptyQueue(system);
    assertEquals(newMail(system.home, "postmaster@localhost").length, 2);
  });

  it("twice, as a bounce and as a double bounce, is discarded", async () => {
    await using sink = await startSmtpSink();
    await using system = await startWith(sink, { doublebounceto: "nobody\n" });
    await send(system, ["refused@r.example"], "");
    await system.waitForLog((line) => /^qmail-send: triple bounce: discarding bounce\/[0-9]+$/.test(line));
    await emptyQueue(system);
    const mailboxes = ["demo@localhost", "postmaster@localhost"].map((mailbox) => readMail(system.home, mailbox));
    assertEquals([...mailboxes.flat(), ...sink.taken], []);
  });

  it("only for the time being, but longer than queuelifetime, comes back with the reason", async () => {
    await using sink = await startSmtpSink();
    // Not 0: the first attempt may begin a second or two after the message's birth, and is no last one.
    await using system = await startWith(sink, { queuelifetime: "4\n" });
    await send(system, ["later@r.example"]);
    await waitForDeferral(system);
    const birth = readQueueFile(system, "info").mtimeSeconds;
    await waitFor(() => Date.now() / 1000 >= birth + 5, "the end of its lifetime");
    await retryAll(system);
    assertStringIncludes(
      await waitForMailWith(system.home, "failure notice"),
      "\n<later@r.example>:\n127.0.0.1 does not like recipient.\nRemote host said: 451 not this one\n" +
        "Giving up on 127.0.0.1.\n" +
        "I'm not going to try again; this message has been in the queue too long.\n\n--- Below",
    );
    await system.waitForLog((line) =>
      line.includes(": failure: ") &&
      line.includes("I'm_not_going_to_try_again;_this_message_has_been_in_the_queue_too_long./")
    );
    await emptyQueue(system);
  });
});
