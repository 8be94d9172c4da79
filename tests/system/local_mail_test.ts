/**
 * Mail for mailboxes of this host, from the SMTP client to the file in the Maildir; and the mailboxes that
 * `deno task user` makes while everything runs.
 * @module
 */
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { toOctets } from "../../components/lib/octets.ts";
import { newMail, readMail, waitForMail, waitForMailWith, withoutTimes } from "../support/maildir.ts";
import { isQueueEmpty } from "../support/queue_files.ts";
import { retryAll } from "../support/retry.ts";
import { sendMail, SmtpClient } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const sender = "amy@example.org";

describe("mail for a mailbox of this host", () => {
  let system: System;
  const send = (to: readonly string[], content: string | Uint8Array, from = sender) =>
    sendMail(system.ports["smtp"]!, { from, to, content });

  beforeAll(async () => {
    system = await startSystem({
      controls: {
        rcpthosts: "localhost\nvirt.example\nquiet.example\n",
        virtualdomains: "virt.example:demo\nnobody@virt.example:nobody\n",
        relayclients: "127.0.0.8\n",
      },
    });
  });
  afterAll(() => system?.stop());

  it("lands in its Maildir with Return-Path, Delivered-To and two Received fields, to the letter", async () => {
    await send(["demo@localhost"], "Subject: letter\n\nto the letter\n.\n..\n");
    const message = await waitForMailWith(system.home, "to the letter");
    assertEquals(
      withoutTimes(message),
      [
        "Return-Path: <amy@example.org>",
        "Delivered-To: demo@localhost",
        "Received: (qmail 1 invoked from network); 1 Jan 1970 00:00:00 -0000",
        "Received: from client.example ([127.0.0.1])",
        "  by localhost with ESMTP; 1 Jan 1970 00:00:00 +0000",
        "Subject: letter",
        "",
        "to the letter",
        ".",
        "..",
        "",
      ].join("\n"),
    );
    assertStringIncludes(await system.waitForLog((line) => line.includes(": bytes ")), "from <amy@example.org> qp ");
    await system.waitForLog((line) => /^qmail-send: delivery [0-9]+: success: did_1\+0\+0\/$/.test(line));
    await waitFor(() => isQueueEmpty(system.home), "an empty queue");
  });

  it("has a file name no other has, and is for its owner alone to read", async () => {
    await send(["demo@localhost"], "Subject: name\n\nname\n");
    await waitForMailWith(system.home, "Subject: name");
    for (const path of newMail(system.home)) {
      assertMatch(path.slice(path.lastIndexOf("/") + 1), /^[0-9]+\.M[0-9]+P[0-9]+Q[0-9]+\.localhost$/);
      assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    }
  });

  it("with an extension (demo-lists-Deno) lands in demo's, with the extension as it was in Delivered-To", async () => {
    await send(["Demo-lists-Deno@LocalHost"], "Subject: extension\n\nx\n");
    const message = await waitForMailWith(system.home, "Subject: extension");
    assertStringIncludes(message, "\nDelivered-To: Demo-lists-Deno@localhost\n");
  });

  it("of a virtual domain lands in the mailbox its prefix names", async () => {
    await send(["info@virt.example"], "Subject: virtual\n\nx\n");
    const message = await waitForMailWith(system.home, "Subject: virtual");
    assertStringIncludes(message, "\nDelivered-To: demo-info@virt.example\n");
  });

  it("for several at once lands once for each of them", async () => {
    const to = ["demo@localhost", "demo-a@localhost", "postmaster@localhost", "team@virt.example"];
    await send(to, "Subject: several\n\nx\n");
    await waitFor(
      () => readMail(system.home).filter((message) => message.includes("Subject: several")).length === 3,
      "three of them for demo",
    );
    await waitForMailWith(system.home, "Subject: several", "postmaster@localhost");
    const found = [...readMail(system.home), ...readMail(system.home, "postmaster@localhost")]
      .filter((message) => message.includes("Subject: several"))
      .map((message) => /^Delivered-To: (.*)$/m.exec(message)?.[1]);
    assertEquals(found.toSorted(), ["demo-a@localhost", "demo-team@virt.example", "demo@localhost", to[2]!]);
  });

  it("for <Postmaster> without a domain lands in postmaster's, from the null sender too", async () => {
    await send(["Postmaster"], "Subject: bare\n\nx\n", "");
    const message = await waitForMailWith(system.home, "Subject: bare", "postmaster@localhost");
    assert(message.startsWith("Return-Path: <>\nDelivered-To: postmaster@localhost\n"), message);
  });

  it("keeps every octet from 1 to 255 but CR, in header and body", async () => {
    const octets = Array.from({ length: 255 }, (_, at) => at + 1).filter((octet) => octet !== 10 && octet !== 13);
    const content = `Subject: octets\nX-All: ${String.fromCharCode(...octets)}\n\n${String.fromCharCode(...octets)}\n`;
    await send(["demo@localhost"], toOctets(content));
    const message = await waitForMailWith(system.home, "Subject: octets");
    assertEquals(message.slice(message.indexOf("Subject: octets")), content);
  });

  it("of 20 MB arrives octet for octet", async () => {
    const line = () => Buffer.from(crypto.getRandomValues(new Uint8Array(700))).toString("base64").slice(0, 900);
    const lines = Array.from({ length: 64 }, line);
    const body = Array.from({ length: 22_200 }, (_, at) => `${at} ${lines[at % lines.length]}\n`).join("");
    assert(body.length > 20_000_000);
    await send(["demo@localhost"], `Subject: large\n\n${body}`);
    const message = await waitForMailWith(system.home, "Subject: large");
    assert(message.endsWith(`Subject: large\n\n${body}`), "the large message is another now");
  });

  it("is refused at RCPT for a mailbox that is not there: 550 5.1.1", async () => {
    using client = await SmtpClient.connect(system.ports["smtp"]!);
    await client.command(`MAIL FROM:<${sender}>`);
    for (const to of ["nobody@localhost", "dem@localhost", "demox@localhost", "nobody@virt.example"]) {
      const { code, lines } = await client.command(`RCPT TO:<${to}>`);
      assertEquals([code, lines[0]], [550, "5.1.1 sorry, no mailbox here by that name"], to);
    }
  });

  it("is refused at RCPT for a domain that is not ours: 553 5.7.1, unless the client may relay", async () => {
    for (const [localAddress, want] of [["127.0.0.9", 553], ["127.0.0.8", 250]] as const) {
      using client = await SmtpClient.connect(system.ports["smtp"]!, { localAddress });
      await client.command(`MAIL FROM:<${sender}>`);
      const { code, lines } = await client.command("RCPT TO:<bob@elsewhere.example>");
      assertEquals(code, want, lines[0]!);
      if (want === 553) assertEquals(lines, ["5.7.1 sorry, that domain isn't in my list of allowed rcpthosts"]);
    }
  });

  it("may be sent in one breath: EHLO offers PIPELINING and what else needs neither TLS nor a login", async () => {
    using client = await SmtpClient.connect(system.ports["smtp"]!, { helo: undefined });
    const { lines } = await client.command("EHLO breath.example");
    assertEquals(lines.slice(1).toSorted(), [
      ...[
        "8BITMIME",
        "BINARYMIME",
        "CHUNKING",
        "DSN",
        "ENHANCEDSTATUSCODES",
        "HELP",
        "PIPELINING",
        "SIZE 0",
        "SMTPUTF8",
      ],
    ]);
    client.write(
      `MAIL FROM:<${sender}> SIZE=30 BODY=8BITMIME\r\nRCPT TO:<nobody@localhost>\r\nRCPT TO:<demo@localhost>\r\n` +
        "DATA\r\n",
    );
    const codes = [await client.reply(), await client.reply(), await client.reply(), await client.reply()];
    assertEquals(codes.map(({ code }) => code), [250, 550, 250, 354]);
    client.write("Subject: breath\r\n\r\nx\r\n.\r\nQUIT\r\n");
    assertEquals([(await client.reply()).code, (await client.reply()).code], [250, 221]);
    await waitForMailWith(system.home, "Subject: breath");
  });
});

describe("mail for a mailbox whose file system is away", () => {
  it("waits in the queue, and lands once the Maildir is back", async () => {
    await using system = await startSystem();
    const maildir = system.home.mail("localhost", "demo", "Maildir");
    Deno.renameSync(maildir, `${maildir}.away`);
    await sendMail(system.ports["smtp"]!, { from: sender, to: ["demo@localhost"], content: "Subject: away\n\nx\n" });
    await system.waitForLog((line) => line.includes("deferral: Unable_to_chdir_to_maildir._(#4.2.1)/"));
    Deno.renameSync(`${maildir}.away`, maildir);
    await retryAll(system);
    assertEquals((await waitForMail(system.home)).length, 1);
  });
});
