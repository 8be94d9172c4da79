/**
 * What only the process shows: clients that vanish, stall or flood, a queue that comes and goes, signals.
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { toOctets } from "../../components/lib/octets.ts";
import { World } from "./world.ts";

const mebibyte = 1024 * 1024;

describe("qmail-smtpd and the queue", () => {
  it("answers 451 while qmail-queue is away, and queues again once it is back", async () => {
    await using world = await World.start();
    const client = await world.connect();
    await client.untilContent();
    world.queue.stop();
    assertEquals(await client.say("lost\r\n."), "451 4.4.2 communication with mail server failed (#4.4.2)");
    world.queue.start();
    await client.say("MAIL FROM:<s@s.example>");
    await client.say("RCPT TO:<joe@example.com>");
    await client.say("DATA");
    assertMatch((await client.say("kept\r\n."))!, /^250 2\.0\.0 ok [0-9]+ qp 4896$/);
    assertEquals(world.queue.messages.length, 1);
    assertMatch(await world.logged("failed"), /^failed ip=127\.0\.0\.1 from=<s@s\.example> rcpts=1 bytes=5 code=74$/);
    assertMatch(
      await world.logged("accepted"),
      /^accepted ip=127\.0\.0\.1 from=<s@s\.example> rcpts=1 bytes=5 qp=4896$/,
    );
    client.close();
  });

  it("answers 451 when qmail-queue ends before its answer", async () => {
    await using world = await World.start();
    world.queue.hold = true;
    const client = await world.connect();
    await client.untilContent();
    const reply = client.say("x\r\n.");
    await world.queue.until(() => world.queue.messages.length === 1);
    world.queue.stop();
    assertEquals(await reply, "451 4.4.2 communication with mail server failed (#4.4.2)");
    client.close();
  });

  it("answers RCPT with 451 while qmail-getpw is away", async () => {
    await using world = await World.start();
    world.stopGetpw();
    const client = await world.connect();
    await client.line();
    await client.say("MAIL FROM:<>");
    assertEquals(await client.say("RCPT TO:<joe@example.com>"), "451 4.3.0 sorry, i can't look for that mailbox now");
    assertEquals(await client.say("RCPT TO:<a@elsewhere.example>"), "250 2.1.5 ok");
    client.close();
  });

  it("takes its own address in brackets for control/localiphost, for senders and recipients, and no other", async () => {
    await using world = await World.start({ controls: { localiphost: "example.com\n" } });
    const client = await world.connect();
    await client.line();
    await client.say("EHLO c.example");
    assertEquals(await client.say("MAIL FROM:<amy@[127.0.0.1]>"), "250 2.1.0 ok");
    assertEquals(await client.say("RCPT TO:<joe@[127.0.0.1]>"), "250 2.1.5 ok");
    assertMatch((await client.say("RCPT TO:<joe@[127.0.0.2]>"))!, /^553 5\.7\.1 /);
    await client.say("DATA");
    await client.say("x\r\n.");
    const { sender, recipients } = world.queue.messages[0]!.envelope;
    assertEquals([sender, recipients], ["amy@example.com", ["joe@example.com"]]);
    client.close();
  });

  it("puts its Received line in front, with the HELO made harmless", async () => {
    await using world = await World.start();
    const client = await world.connect();
    await client.line();
    await client.say("HELO evil) by x; (\t[1.2.3.4]");
    assertEquals(await client.say("HELO evil) by x; ([1.2.3.4]"), "250 mx.example.com");
    await client.say("MAIL FROM:<>");
    await client.say("RCPT TO:<joe@example.com>");
    await client.say("DATA");
    await client.say("Subject: x\r\n\r\n.");
    const { content, envelope } = world.queue.messages[0]!;
    assertMatch(
      content,
      /^Received: from evil\?\?by\?x\?\?\?\[1\.2\.3\.4\] \(\[127\.0\.0\.1\]\)\n {2}by mx\.example\.com with SMTP; [^\n]+\nSubject: x\n\n$/,
    );
    assertEquals(envelope, { origin: "network", uid: 0, sender: "", recipients: ["joe@example.com"] });
    client.close();
  });
});

describe("qmail-smtpd and clients that vanish", () => {
  it("queues nothing of a small message that came to no end", async () => {
    await using world = await World.start();
    const client = await world.connect();
    await client.untilContent();
    await client.send("Subject: half\r\n");
    client.close();
    assertMatch(await world.logged("abandoned"), /^abandoned ip=127\.0\.0\.1 from=<s@s\.example> rcpts=1 bytes=14$/);
    assertEquals(world.queue.messages.length + world.queue.opened, 0);
  });

  it("aborts a large message that came to no end", async () => {
    await using world = await World.start();
    const client = await world.connect();
    await client.untilContent();
    await client.send(`${"x".repeat(998)}\r\n`.repeat(2000));
    await world.queue.until(() => world.queue.opened === 1);
    client.close();
    await world.queue.until(() => world.queue.aborted === 1);
    assertEquals(world.queue.messages.length, 0);
  });

  it("queues a message whose client closed its side behind the last dot, and answers it", async () => {
    await using world = await World.start();
    const client = await world.connect();
    await client.untilContent();
    await client.send("whole\r\n.\r\n");
    assertMatch((await client.finish()).join(), /^250 2\.0\.0 ok/);
    assertEquals(world.queue.messages.length, 1);
  });

  it("lives on when clients close without reading", async () => {
    await using world = await World.start();
    for (let count = 0; count < 50; count++) {
      const client = await world.connect();
      await client.send("EHLO x\r\nNOOP\r\n".repeat(count));
      client.close();
    }
    const client = await world.connect();
    await client.untilContent();
    assertMatch((await client.say("."))!, /^250/);
    client.close();
  });
});

describe("qmail-smtpd and clients that are slow, long or loud", () => {
  it("takes a session that comes octet by octet", async () => {
    await using world = await World.start();
    const client = await world.connect();
    const session =
      "EHLO x\r\nMAIL FROM:<s@s.example>\r\nRCPT TO:<joe@example.com>\r\nDATA\r\nSubject: x\r\n\r\n..y\r\n.\r\nQUIT\r\n";
    for (const octet of session) await client.send(octet);
    assertEquals((await client.finish()).at(-1), "221 2.0.0 mx.example.com");
    assert(world.queue.messages[0]!.content.endsWith("\nSubject: x\n\n.y\n"));
  });

  it("refuses a line of megabytes once, and goes on with the next", async () => {
    await using world = await World.start();
    const client = await world.connect();
    await client.line();
    const before = world.rss();
    await client.send(
      `MAIL FROM:<${"x".repeat(16 * mebibyte)}>\r\n${"y".repeat(4095)}\r\n${"y".repeat(4094)}\r\nNOOP\r\n`,
    );
    assertEquals(await client.reply(), "500 5.5.2 line too long");
    assertEquals(await client.reply(), "500 5.5.2 line too long");
    assertEquals(await client.reply(), "502 5.5.1 unimplemented");
    assertEquals(await client.reply(), "250 2.0.0 ok");
    assert(world.rss() - before < 64 * mebibyte);
    client.close();
  });

  it("passes three hundred megabytes on without holding them", async () => {
    await using world = await World.start();
    world.queue.keep = false;
    const client = await world.connect();
    await client.untilContent();
    const before = world.rss();
    const block = toOctets(`${"x".repeat(1022)}\r\n`.repeat(1024));
    for (let sent = 0; sent < 300; sent++) await client.sendOctets(block);
    assertMatch((await client.say("."))!, /^250/);
    const received = world.queue.bytes - 300 * 1023 * 1024;
    assert(received > 0 && received < 200, `${received} octets more than the content`);
    assert(world.rss() - before < 160 * mebibyte, `${(world.rss() - before) / mebibyte} MiB`);
    client.close();
  });

  it("stops reading from a client that does not read, serves others, and loses no reply", async () => {
    await using world = await World.start();
    const client = await world.connect();
    await client.line();
    const before = world.rss();
    const count = 1_400_000; // 11 MB of commands, 19 MB of replies: more than the system's buffers take
    const sent = client.send("NOOP\r\n".repeat(count) + "QUIT\r\n");
    const other = await world.connect();
    await other.untilContent();
    assertMatch((await other.say("."))!, /^250/);
    other.close();
    let replies = 0;
    let last: string | undefined;
    for (let line = await client.line(); line !== undefined; line = await client.line()) {
      replies++;
      last = line;
    }
    await sent;
    client.close();
    assertEquals([replies, last], [count + 1, "221 2.0.0 mx.example.com"]);
    assert(world.rss() - before < 96 * mebibyte, `${(world.rss() - before) / mebibyte} MiB`);
  });

  it("says 421 to a silent client, and drops what it had of its message", async () => {
    await using world = await World.start({ controls: { timeoutsmtpd: "1\n" } });
    const silent = await world.connect();
    const stalled = await world.connect();
    await stalled.untilContent();
    await stalled.send("half");
    assertEquals(await silent.line(), "220 mx.example.com ESMTP");
    assertEquals([await silent.line(), await silent.line()], ["421 4.4.2 timeout", undefined]);
    assertEquals([await stalled.line(), await stalled.line()], ["421 4.4.2 timeout", undefined]);
    assertEquals(await world.logged("closed"), "closed ip=127.0.0.1 reason=timeout");
    assertEquals(world.queue.messages.length, 0);
    silent.close();
    stalled.close();
  });

  it("says 421 to the thousand and first client, and takes one again when another has gone", async () => {
    await using world = await World.start({ controls: { concurrencyperclient: "0\n" } });
    const clients = await Promise.all(Array.from({ length: 1000 }, () => world.connect()));
    for (const client of clients) assertMatch((await client.line())!, /^220/);
    const refused = await world.connect();
    assertEquals([await refused.line(), await refused.line()], ["421 4.3.2 too many connections", undefined]);
    refused.close();
    assertEquals(await clients[0]!.say("QUIT"), "221 2.0.0 mx.example.com");
    assertEquals(await clients[0]!.line(), undefined);
    const taken = await world.connect();
    assertMatch((await taken.line())!, /^220/);
    for (const client of [...clients, taken]) client.close();
  });

  it("asks about pipelined recipients at once and answers in their order", async () => {
    const asked: string[] = [];
    await using world = await World.start({
      getpw: (address) => {
        asked.push(address);
        return address === "list-3@example.com" ? "none" : "exists";
      },
    });
    const client = await world.connect();
    await client.line();
    const rcpts = Array.from({ length: 300 }, (_, index) => `RCPT TO:<list-${index}@example.com>\r\n`).join("");
    await client.send(`MAIL FROM:<>\r\n${rcpts}DATA\r\n.\r\n`);
    assertMatch((await client.reply())!, /^250 2\.1\.0/);
    for (let index = 0; index < 300; index++) {
      assertMatch((await client.reply())!, index === 3 ? /^550/ : /^250 2\.1\.5/);
    }
    assertMatch((await client.reply())!, /^354/);
    assertMatch((await client.reply())!, /^250 2\.0\.0/);
    assertEquals(asked.length, 300);
    assertEquals(world.queue.messages[0]!.envelope.recipients.length, 299);
    client.close();
  });

  it("writes one log line a refusal, whatever the address holds", async () => {
    await using world = await World.start();
    const client = await world.connect();
    await client.line();
    await client.say('MAIL FROM:<"a b=c %\\""@s.example>');
    await client.say('RCPT TO:<"x qp=1"@evil.example>');
    await client.finish();
    assertEquals(
      await world.logged("refused-rcpt"),
      'refused-rcpt ip=127.0.0.1 from=<a_b=c__"@s.example> to=<x_qp=1@evil.example> reason=rcpthosts',
    );
  });
});

describe("qmail-smtpd and its ports", () => {
  it("listens on every smtp line, names the ports, and leaves out an IPv6 address the machine does not have", async () => {
    const listeners = "smtp 127.0.0.1:0\nsmtp 127.0.0.2:0\nsmtp [2001:db8::1]:2525\nadmin 127.0.0.1:1\n";
    await using world = await World.start({ controls: { listeners } });
    assertEquals(Object.keys(world.ports), ["smtp", "smtp2"]);
    assertMatch(await world.logged("not-listening"), /^not-listening address=\[2001:db8::1\]:2525 reason=E[A-Z]+$/);
    const client = await Deno.connect({ hostname: "127.0.0.2", port: world.ports["smtp2"]! });
    client.close();
  });

  const v6 = hasIpv6();
  it(
    `knows an IPv6 client by its address${v6 ? "" : " (skipped: no ::1 on this machine)"}`,
    { ignore: !v6 },
    async () => {
      await using world = await World.start({ controls: { listeners: "smtp [::1]:0\n", relayclients: "::1\n" } });
      const client = await world.connect("smtp", "::1");
      await client.untilContent("a@far.example");
      await client.say(".");
      assertMatch(world.queue.messages[0]!.content, /^Received: from c\.example \(\[IPv6:::1\]\)\n/);
      assertMatch(await world.logged("accepted"), /^accepted ip=::1 /);
      client.close();
    },
  );

  const isRoot = Deno.uid() === 0;
  it(`binds a port below 1024 as root and is nobody afterwards${isRoot ? "" : " (skipped: not root)"}`, {
    ignore: !isRoot,
  }, async () => {
    await using world = await World.start({
      controls: { listeners: "smtp 127.77.25.1:25\n" },
      args: ["--setuid", "65534", "--setgid", "65533"],
      openHome: true,
    });
    for (const task of Deno.readDirSync(`/proc/${world.child.pid}/task`)) {
      const status = Deno.readTextFileSync(`/proc/${world.child.pid}/task/${task.name}/status`);
      assertMatch(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
      assertMatch(status, /^Gid:\t65533\t65533\t65533\t65533$/m);
    }
    const client = await world.connect("smtp", "127.77.25.1");
    await client.untilContent();
    assertMatch((await client.say("."))!, /^250/);
    assertEquals(world.queue.messages[0]!.envelope.uid, 65534);
    client.close();
  });
});

describe("qmail-smtpd and signals", () => {
  it("finishes a message under way after SIGTERM, says 421 to the others, and takes nobody new", async () => {
    await using world = await World.start();
    world.queue.hold = true;
    const idle = await world.connect();
    await idle.line();
    const busy = await world.connect();
    await busy.untilContent();
    const writing = await world.connect();
    await writing.untilContent();
    await writing.send("begun\r\n");
    await busy.send("x\r\n.\r\nMAIL FROM:<next@s.example>\r\n");
    await world.queue.until(() => world.queue.messages.length === 1);
    world.child.kill("SIGTERM");
    assertEquals([await idle.line(), await idle.line()], ["421 4.3.2 going down", undefined]);
    await assertRejects(() => world.connect());
    await writing.send("ended\r\n.\r\n");
    await world.queue.until(() => world.queue.messages.length === 2);
    world.queue.release();
    for (const client of [busy, writing]) {
      assertMatch((await client.line())!, /^250 2\.0\.0 ok/);
      assertEquals([await client.line(), await client.line()], ["421 4.3.2 going down", undefined]);
      client.close();
    }
    idle.close();
    assertEquals((await world.child.status).code, 0);
  });

  it("does not wait for ever for a message under way", async () => {
    await using world = await World.start();
    const client = await world.connect();
    await client.untilContent();
    await client.send("never ended\r\n");
    world.child.kill("SIGTERM");
    assertEquals((await world.child.status).code, 0);
    assertEquals(await client.line(), undefined);
    assertEquals(world.queue.messages.length, 0);
    client.close();
  });

  it("reads its control files again on SIGHUP, for new connections, and keeps the old values over a bad file", async () => {
    await using world = await World.start();
    const old = await world.connect();
    await old.line();
    await Deno.writeTextFile(world.home.control("smtpgreeting"), "new.example.com at your service\n");
    world.child.kill("SIGHUP");
    // There is no sign that a reload is done; its effect is what is waited for.
    for (;;) {
      const client = await world.connect();
      const greeting = await client.line();
      client.close();
      if (greeting === "220 new.example.com at your service ESMTP") break;
    }
    assertEquals(await old.say("HELO x"), "250 mx.example.com");
    await Deno.writeTextFile(world.home.control("databytes"), "10MB\n");
    world.child.kill("SIGHUP");
    assertMatch(
      await world.logged("alert"),
      /^alert: qmail-smtpd: Cannot read control file "databytes": .*; keeping the old values$/,
    );
    const client = await world.connect();
    assertEquals(await client.line(), "220 new.example.com at your service ESMTP");
    client.close();
    old.close();
  });

  it("does not start over a bad control file: exit 100 and the reason", async () => {
    const started = await World.start({ controls: { timeoutsmtpd: "1\n", listeners: "admin 127.0.0.1:1\n" } }).then(
      () => "started",
      (error: Error) => error.message,
    );
    assertMatch(started, /ended before it was ready: alert: qmail-smtpd: CannotStart: nothing to listen on/);
  });
});

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
