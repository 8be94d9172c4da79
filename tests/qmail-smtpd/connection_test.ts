/**
 * What only a connection shows, with others' parts faked: chunks from clients that vanish, exchanges that are left, delays,
 * early talkers, handshakes that fail, what a message has on top.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Decision, Policy } from "../../components/lib/policy/decision.ts";
import { toOctets } from "../../components/lib/octets.ts";
import type { Settings } from "../../components/lib/smtp/server_settings.ts";
import type { Values } from "../../components/qmail-smtpd/connection.ts";
import type { Controls } from "../../config/schema.ts";
import { captureLog } from "../support/captured_log.ts";
import { allMechanisms } from "./fake_authenticator.ts";
import { fakeSecured, NearWorld } from "./near_world.ts";
import type { SmtpClient } from "./smtp_client.ts";
import { policyFor } from "./world.ts";

function values(settings: Partial<Settings>, policy: Partial<Policy> = {}): (controls: Controls) => Partial<Values> {
  return (controls) => ({
    settings: { greeting: "mx.example.com", databytes: 0, ...settings },
    policy: { ...policyFor(controls), ...policy },
  });
}

/** The lines of the next `count` replies' ends. */
async function replies(client: SmtpClient, count: number): Promise<string[]> {
  const lines: string[] = [];
  while (lines.length < count) lines.push(await client.reply() ?? "closed");
  return lines;
}

const begin = "EHLO c.example\r\nMAIL FROM:<s@s.example>\r\nRCPT TO:<joe@example.com>\r\n";

describe("a connection reading chunks", () => {
  it("queues nothing of a message whose client vanishes inside a chunk, or between two", async () => {
    using log = captureLog();
    await using world = NearWorld.start();
    for (const octets of ["BDAT 100\r\n", "BDAT 40\r\n"]) {
      const client = await world.connect();
      await client.send(begin + octets + "x".repeat(40));
      await replies(client, octets.startsWith("BDAT 40") ? 5 : 4);
      client.close();
      await world.untilAllClosed();
    }
    assertEquals(world.queue.messages.length + world.queue.opened, 0);
    assertEquals(log.lines().filter((line) => line.startsWith("abandoned ")).length, 2);
  });

  it("passes a large chunk on without holding it, and drops a large one that is refused", async () => {
    using _log = captureLog();
    await using world = NearWorld.start();
    world.queue.keep = false;
    const client = await world.connect();
    const line = `${"x".repeat(1022)}\r\n`;
    const block = toOctets(line.repeat(1024));
    for (const refused of [false, true]) {
      await client.send(`${refused ? "" : begin}BDAT ${16 * block.length} LAST\r\n`);
      for (let sent = 0; sent < 16; sent++) await client.sendOctets(block);
      if (!refused) {
        assertEquals((await replies(client, 4)).map((text) => text.slice(0, 3)), ["220", "250", "250", "250"]);
      }
      assertMatch((await client.reply())!, refused ? /^503/ : /^250/);
    }
    const top = world.queue.bytes - 16 * 1024 * 1023;
    assert(top > 0 && top < 200, `${top} octets more than the content`);
  });

  it("aborts what it had passed on when RSET comes between two chunks", async () => {
    using _log = captureLog();
    await using world = NearWorld.start();
    const client = await world.connect();
    const content = `${"x".repeat(998)}\r\n`.repeat(400);
    await client.send(`${begin}BDAT ${content.length}\r\n${content}RSET\r\n`);
    assertEquals((await replies(client, 6)).at(-1), "250 2.0.0 flushed");
    await world.queue.until(() => world.queue.aborted === 1);
    assertEquals(world.queue.messages.length, 0);
  });
});

describe("a connection and its policy", () => {
  const later = (decision: Decision) => Promise.resolve(decision);

  it("holds a refusal back, and says at once what came before it", async () => {
    using _log = captureLog();
    let release = () => {};
    const held = new Promise<void>((resolve) => release = resolve);
    const policy: Partial<Policy> = {
      mail: () => held.then(() => ({ ...refusal, delayMs: 1 })),
    };
    await using world = NearWorld.start({ values: values({}, policy) });
    const client = await world.connect();
    await client.send("HELO c.example\r\nMAIL FROM:<s@s.example>\r\nNOOP\r\n");
    assertEquals(await replies(client, 2), ["220 mx.example.com ESMTP", "250 mx.example.com"]);
    release();
    assertEquals(await replies(client, 2), ["550 5.7.1 no", "250 2.0.0 ok"]);
  });

  it("loses patience with who sends an octet now and then, in a command or in content", async () => {
    using log = captureLog();
    await using world = NearWorld.start({ controls: { timeoutsmtpd: "3\n" } });
    const begun = ["NOOP\r\nNO", "MAIL FROM:<>\r\nRCPT TO:<joe@example.com>\r\nDATA\r\nx"];
    for (const [index, octets] of begun.entries()) {
      const client = await world.connect();
      await client.send(octets);
      await replies(client, index === 0 ? 2 : 4);
      const [connection] = world.connections;
      for (let second = 0; second < 4; second++) {
        connection!.tick();
        await client.send("O");
      }
      assertEquals(await client.line(), "421 4.4.2 timeout");
      client.close();
      await world.untilAllClosed();
    }
    assertEquals(log.lines().filter((line) => line.startsWith("closed")).length, 2);
  });

  it("sends a client away that talks before its greeting is due", async () => {
    using log = captureLog();
    const early = { reply: "554 5.5.0 you talk too soon", reason: "early-talker" };
    const connect: Policy["connect"] = () => ({ kind: "accept", address: "", delayMs: 60_000, early });
    await using world = NearWorld.start({ values: values({}, { connect }) });
    const client = await world.connect();
    await client.send("EHLO c.example\r\n");
    assertEquals([await client.line(), await client.line()], ["554 5.5.0 you talk too soon", undefined]);
    assert(log.lines().includes("closed ip=127.0.0.1 reason=early-talker"), log.lines().join("\n"));
  });

  it("greets a patient client when the greeting is due, and takes its commands", async () => {
    using _log = captureLog();
    const early = { reply: "554 5.5.0 you talk too soon", reason: "early-talker" };
    const connect: Policy["connect"] = () => later({ kind: "accept", address: "", delayMs: 1, early });
    await using world = NearWorld.start({ values: values({}, { connect }) });
    const client = await world.connect();
    assertEquals(await client.line(), "220 mx.example.com ESMTP");
    assertEquals(await client.say("NOOP"), "250 2.0.0 ok");
  });

  it("asks about each recipient in its turn where that hangs on those before it", async () => {
    using _log = captureLog();
    const asked: number[] = [];
    const rcpt: Policy["rcpt"] = (_, mail) => {
      asked.push(mail.accepted);
      return later({ kind: "accept", address: "a@b.example" });
    };
    await using world = NearWorld.start({ values: values({}, { rcpt, inTurn: () => true }) });
    const client = await world.connect();
    await client.send(`HELO c.example\r\nMAIL FROM:<s@s.example>\r\n${"RCPT TO:<a@b.example>\r\n".repeat(3)}`);
    await replies(client, 6);
    assertEquals(asked, [0, 1, 2]);
  });

  it("asks about pipelined recipients at once, answers in order, and lets no count pass the limit", async () => {
    using _log = captureLog();
    const asked: number[] = [];
    const rcpt: Policy["rcpt"] = (_, mail, path) => {
      asked.push(mail.accepted);
      const local = path.kind === "mailbox" ? path.mailbox.localPart : "";
      return later(local === "no" ? refusal : { kind: "accept", address: `${local}@b.example` });
    };
    await using world = NearWorld.start({ values: values({ mostRecipients: 2 }, { rcpt }) });
    const client = await world.connect();
    const rcpts = ["a", "no", "b", "c"].map((local) => `RCPT TO:<${local}@b.example>\r\n`).join("");
    await client.send(`MAIL FROM:<>\r\n${rcpts}DATA\r\n.\r\n`);
    const codes = (await replies(client, 8)).map((text) => text.slice(0, 3));
    assertEquals(codes, ["220", "250", "250", "550", "250", "452", "354", "250"]);
    assertEquals(world.queue.messages[0]!.envelope.recipients, ["a@b.example", "b@b.example"]);
    assertEquals(asked.length, 4);
  });

  it("takes a login that the policy refuses for one that has failed, and ends with the third", async () => {
    using log = captureLog();
    const auth: Policy["auth"] = () => later({ ...refusal, reply: "535 5.7.1 not today", reason: "tested" });
    const settings = { mechanisms: allMechanisms, authNeedsTls: false, mailNeedsAuth: true } as const;
    await using world = NearWorld.start({ values: values(settings, { auth }) });
    const client = await world.connect();
    const login = "AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n";
    await client.send(`EHLO c.example\r\n${login}MAIL FROM:<s@s.example>\r\n${login}${login}`);
    const codes = (await replies(client, 6)).map((text) => text.slice(0, 3));
    assertEquals(codes, ["220", "250", "535", "530", "535", "535"]);
    assertEquals(await client.line(), "421 4.7.0 too many failed logins");
    assertEquals(log.lines().filter((line) => line.startsWith("login ")), []);
  });

  it("believes the environment that a decision gives: who gets RELAYCLIENT may relay", async () => {
    using _log = captureLog();
    const environment = new Map([["RELAYCLIENT", ""]]);
    const helo: Policy["helo"] = () => ({ kind: "accept", address: "", environment });
    await using world = NearWorld.start({ values: values({}, { helo }) });
    const client = await world.connect();
    await client.send(
      "MAIL FROM:<>\r\nRCPT TO:<a@far.example>\r\nHELO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@far.example>\r\n",
    );
    const codes = (await replies(client, 6)).map((text) => text.slice(0, 3));
    assertEquals(codes, ["220", "250", "553", "250", "250", "250"]);
  });
});

const refusal: Decision & { kind: "refuse" } = {
  kind: "refuse",
  address: "",
  reason: "tested",
  reply: "550 5.7.1 no",
  counted: true,
};

describe("a connection that becomes encrypted", () => {
  it("closes when the handshake fails, and says why in the log", async () => {
    using log = captureLog();
    const startTls = () => Promise.reject(new Error("no shared cipher"));
    await using world = NearWorld.start({
      values: (controls) => ({ ...values({ startTls: true })(controls), startTls }),
    });
    const client = await world.connect();
    await client.send("STARTTLS\r\n");
    assertEquals(await replies(client, 3), ["220 mx.example.com ESMTP", "220 2.0.0 ready for tls", "closed"]);
    assertMatch(
      log.lines().find((line) => line.startsWith("tls-failed "))!,
      /^tls-failed ip=127\.0\.0\.1 reason=no_shared_cipher$/,
    );
  });

  it("says 454 where there is nothing to do it with", async () => {
    using _log = captureLog();
    await using world = NearWorld.start({ values: values({ startTls: true }) });
    const client = await world.connect();
    await client.send("STARTTLS\r\nNOOP\r\n");
    assertEquals(await replies(client, 3), ["220 mx.example.com ESMTP", "454 4.7.0 tls not available", "250 2.0.0 ok"]);
  });
});

describe("a connection of somebody who logs in", () => {
  const secured = { ...fakeSecured, endPoint: new Uint8Array([1]), servername: "mx.example.com" };

  it("completes a submitted message, names how it came, and logs who sent it", async () => {
    using log = captureLog();
    await using world = NearWorld.start({
      values: values({ dialect: "submission", mechanisms: allMechanisms, mailNeedsAuth: true }),
      arrival: { entrance: "submissions", secured },
    });
    const client = await world.connect();
    await client.send(
      "EHLO c.example\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\nMAIL FROM:<joe@example.com> SMTPUTF8 RET=HDRS\r\n",
    );
    await client.send(
      "RCPT TO:<a@far.example> NOTIFY=NEVER\r\nDATA\r\nFrom: joe@example.com\r\nDate: today\r\n\r\nx\r\n.\r\n",
    );
    assertEquals((await replies(client, 7)).map((text) => text.slice(0, 3)), [
      "220",
      "250",
      "235",
      "250",
      "250",
      "354",
      "250",
    ]);
    const { content, envelope } = world.queue.messages[0]!;
    assertMatch(
      content,
      /^Received: from c\.example \(\[127\.0\.0\.1\]\)\n {2}by mx\.example\.com with UTF8SMTPSA \(TLSv1\.3 TLS_AES_128_GCM_SHA256\); .*\nMessage-ID: <[0-9]+\.[0-9a-f]{16}@mx\.example\.com>\nFrom: joe@example\.com\nDate: today\n\nx\n$/,
    );
    assertEquals([envelope.sender, envelope.recipients], ["joe@example.com", ["a@far.example"]]);
    assertEquals(envelope.options, "dqo1\nRET=HDRS\nSMTPUTF8\nRCPT 0 a@far.example NOTIFY=NEVER\n");
    const lines = log.lines();
    assert(lines.includes("login ip=127.0.0.1 user=joe mechanism=PLAIN"), lines.join("\n"));
    assert(lines.some((line) => line.startsWith("tls ip=127.0.0.1 protocol=TLSv1.3 ")), lines.join("\n"));
    assertMatch(lines.find((line) => line.startsWith("accepted "))!, / qp=4896 login=joe$/);
  });

  it("does not say where a message is from whose sender has logged in, nor as whom, with control/hideclient", async () => {
    const settings = { dialect: "submission", mechanisms: allMechanisms } as const;
    for (
      const [login, from] of [["AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", ""], [
        "",
        "from c.example ([127.0.0.1])\n  ",
      ]] as const
    ) {
      await using world = NearWorld.start({
        controls: { hideclient: "1\n" },
        values: (controls) => ({ ...values(settings)(controls), hidesLogins: controls.hideclient }),
        arrival: { entrance: "smtp", secured },
      });
      const client = await world.connect();
      await client.send(
        `EHLO c.example\r\n${login}MAIL FROM:<joe@example.com>\r\nRCPT TO:<joe@example.com>\r\nDATA\r\n`,
      );
      await client.send("Subject: x\r\n\r\nx\r\n.\r\n");
      await replies(client, login === "" ? 6 : 7);
      const { content } = world.queue.messages[0]!;
      assert(content.startsWith(`Received: ${from}by mx.example.com with ESMTPS`), content);
      assertEquals([content.includes("c.example"), content.includes("joe")], [login === "", false]);
    }
  });

  it("leaves an exchange of a client that goes away, gives up, or sends too much", async () => {
    using log = captureLog();
    await using world = NearWorld.start({ values: values({ mechanisms: allMechanisms }), arrival: { secured } });
    const client = await world.connect();
    await client.send("AUTH PLAIN\r\n*\r\n");
    assertEquals((await replies(client, 3)).at(-1), "501 5.7.0 auth exchange cancelled");
    await client.send(`AUTH PLAIN\r\n${"A".repeat(1024 * 1024)}\r\n`);
    assertEquals((await replies(client, 2)).at(-1), "500 5.5.6 auth line too long");
    await client.send("AUTH LOGIN\r\n");
    await replies(client, 1);
    client.close();
    await world.untilAllClosed();
    assertEquals([world.authenticator.begun, world.authenticator.cancelled], [3, 3]);
    assertEquals(log.lines().filter((line) => line.startsWith("login-failed ")), [
      "login-failed ip=127.0.0.1 reason=cancelled mechanism=PLAIN",
      "login-failed ip=127.0.0.1 reason=malformed mechanism=PLAIN",
    ]);
  });

  it("takes what comes in one packet behind AUTH in its order", async () => {
    using _log = captureLog();
    await using world = NearWorld.start({ values: values({ mechanisms: allMechanisms }), arrival: { secured } });
    const client = await world.connect();
    await client.send("AUTH LOGIN\r\nam9l\r\nc2VjcmV0\r\nMAIL FROM:<joe@example.com>\r\nQUIT\r\n");
    assertEquals((await replies(client, 6)).map((text) => text.slice(0, 3)), [
      "220",
      "334",
      "334",
      "235",
      "250",
      "221",
    ]);
  });
});

describe("a connection of a proxy", () => {
  it("knows the client it speaks for by address and name, and takes away what the proxy may do", async () => {
    using _log = captureLog();
    await using world = NearWorld.start({
      controls: { relayclients: "127.0.0.1\n" },
      values: values({ xclient: true }),
      arrival: { environment: new Map([["RELAYCLIENT", ""]]) },
    });
    const client = await world.connect();
    await client.send("XCLIENT ADDR=192.0.2.7 NAME=h.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@far.example>\r\n");
    await client.send("RCPT TO:<joe@example.com>\r\nDATA\r\n.\r\n");
    assertEquals((await replies(client, 7)).map((text) => text.slice(0, 3)), [
      "220",
      "220",
      "250",
      "553",
      "250",
      "354",
      "250",
    ]);
    assertMatch(world.queue.messages[0]!.content, /^Received: from unknown \(h\.example \[192\.0\.2\.7\]\)\n/);
  });
});
