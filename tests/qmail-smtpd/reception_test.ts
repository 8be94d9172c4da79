/**
 * Clients on their way in: through proxies, in crowds, over Unix sockets, to one of several processes.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SmtpClient as LocalClient } from "../support/smtp_client.ts";
import { waitFor } from "../support/wait.ts";
import { SmtpClient } from "./smtp_client.ts";
import { World } from "./world.ts";

const v1 = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n";
const signature = "\r\n\r\n\0\r\nQUIT\n";
const v2 = `${signature}\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x00\x19`;
const v2six = `${signature}\x21\x21\x00\x24\x20\x01\x0d\xb8${"\0".repeat(11)}\x01${"\0".repeat(16)}\x00\x01\x00\x19`;

const proxied = { listeners: "smtp 127.0.0.1:0 proxy\n", proxyclients: "127.0.0.1\n" };

/** The Received line of the one message that a client behind `header` sends to `recipient`, or the reply to RCPT. */
async function sendBehind(world: World, header: string, recipient = "joe@example.com"): Promise<string> {
  const client = await world.connect();
  // Cut in two, and SMTP right behind it: nothing of either is lost.
  await client.send(header.slice(0, 7));
  await client.send(`${header.slice(7)}EHLO c.example\r\nMAIL FROM:<s@s.example>\r\n`);
  for (const want of ["220", "250", "250"]) assert((await client.reply())!.startsWith(want));
  const reply = (await client.say(`RCPT TO:<${recipient}>`))!;
  if (reply.startsWith("250")) {
    await client.say("DATA");
    assertMatch((await client.say("x\r\n."))!, /^250 /);
  }
  client.close();
  return reply.startsWith("250") ? world.queue.messages[0]!.content.split("\n")[0]! : reply;
}

describe("a listener with proxy", () => {
  const headers = [
    ["version 1", v1, "192.0.2.1"],
    ["version 2", v2, "192.0.2.1"],
    ["version 2 over IPv6", v2six, "IPv6:2001:db8::1"],
    ["LOCAL", `${signature}\x20\x00\x00\x00`, "127.0.0.1"],
    ["an unknown client", "PROXY UNKNOWN\r\n", "127.0.0.1"],
  ] as const;
  for (const [what, header, ip] of headers) {
    it(`takes mail behind a header of ${what} as from ${ip}`, async () => {
      await using world = await World.start({ controls: proxied });
      assertEquals(await sendBehind(world, header), `Received: from c.example ([${ip}])`);
    });
  }

  it("lets the client relay that control/relayclients names, not the proxy", async () => {
    await using world = await World.start({ controls: { ...proxied, relayclients: "192.0.2.0/24\n" } });
    assertMatch(await sendBehind(world, v1, "a@far.example"), /^Received/);
    assertMatch(await sendBehind(world, "PROXY UNKNOWN\r\n", "a@far.example"), /^553 /);
  });

  it("takes a second header for a client's command, which changes nothing", async () => {
    await using world = await World.start({ controls: { ...proxied, relayclients: "127.0.0.1\n" } });
    const client = await world.connect();
    await client.send(`${v1}PROXY TCP4 127.0.0.1 198.51.100.1 1 25\r\nMAIL FROM:<>\r\nRCPT TO:<a@far.example>\r\n`);
    const replies = [];
    for (let at = 0; at < 4; at++) replies.push((await client.reply())!.slice(0, 3));
    assertEquals(replies, ["220", "502", "250", "553"]);
    client.close();
  });

  const bad = [
    ["no header", "EHLO c.example\r\n", "proxy-no-header"],
    ["a header with LF alone", v1.replace("\r", ""), "proxy-line-end"],
    ["a header of 65,535 octets", `${signature}\x21\x11\xff\xff`, "proxy-length"],
    ["a part of a header", v2.slice(0, 20), "proxy-ended"],
    ["TLS", "\x16\x03\x01\x02\x00\x01", "proxy-no-header"],
  ] as const;
  for (const [what, octets, reason] of bad) {
    it(`closes a connection with ${what} without a word`, async () => {
      await using world = await World.start({ controls: proxied });
      const client = await world.connect();
      await client.send(octets);
      assertEquals(await client.finish(), []);
      assertEquals(await world.logged("closed"), `closed ip=127.0.0.1 reason=${reason}`);
    });
  }

  it("closes connections of those that are no proxies, whatever they say", async () => {
    await using world = await World.start({ controls: { ...proxied, proxyclients: "127.0.0.2\n" } });
    const client = await world.connect();
    await client.send(v1);
    assertEquals(await client.finish(), []);
    assertEquals(await world.logged("closed"), "closed ip=127.0.0.1 reason=no-proxy");
  });

  it("does not wait for a proxy that says nothing when the server is stopped", async () => {
    const world = await World.start({ controls: proxied });
    const client = await world.connect();
    await client.send(v2.slice(0, 3));
    await world[Symbol.asyncDispose]();
    assertEquals(await client.finish(), []);
  });

  it("becomes one without, and the other way round, by a reload that keeps the port", async () => {
    const plain = { listeners: "smtp 127.0.0.1:0\n", proxyclients: "127.0.0.1\n" };
    await using world = await World.start({ controls: plain });
    const before = await world.connect();
    assertMatch((await before.line())!, /^220/);
    Deno.writeTextFileSync(world.home.control("listeners"), proxied.listeners);
    world.child.kill("SIGHUP");
    await waitFor(async () => (await sayAll(world, v1)).length > 0 || undefined, "the header to be taken");
    assertMatch(await sendBehind(world, v1), /192\.0\.2\.1/);
    // Who was there already was not asked to leave.
    assertEquals(await before.say("NOOP"), "250 2.0.0 ok");
    before.close();
  });
});

/** Says this and hears all that comes until the server closes; QUIT ends a session. */
async function sayAll(world: World, octets: string): Promise<string[]> {
  const client = await world.connect();
  await client.send(`${octets}QUIT\r\n`);
  const lines = await client.finish();
  return lines.filter((line) => line.startsWith("220"));
}

describe("XCLIENT", () => {
  const relayOut = async (world: World, xclient: string): Promise<string[]> => {
    const client = await world.connect();
    await client.line();
    const replies = [];
    for (const command of ["EHLO p.example", xclient, "EHLO c.example", "MAIL FROM:<>", "RCPT TO:<a@far.example>"]) {
      replies.push((await client.say(command))!.slice(0, 3));
    }
    client.close();
    return replies;
  };

  it("is for clients in control/xclients, who then speak for others", async () => {
    await using world = await World.start({ controls: { xclients: "127.0.0.1\n", relayclients: "192.0.2.1\n" } });
    assertEquals(await relayOut(world, "XCLIENT ADDR=192.0.2.1"), ["250", "220", "250", "250", "250"]);
    assertEquals(await relayOut(world, "XCLIENT ADDR=192.0.2.2"), ["250", "220", "250", "250", "553"]);
  });

  it("is refused to all others", async () => {
    await using world = await World.start({ controls: { relayclients: "192.0.2.1\n" } });
    assertEquals((await relayOut(world, "XCLIENT ADDR=192.0.2.1"))[1], "550");
  });
});

describe("tcp.smtp", () => {
  it("lets nobody in whom it denies, and gives others their environment", async () => {
    const rules = '127.0.0.2:deny\n127.0.0.3:allow,RELAYCLIENT="",DATABYTES="10"\n';
    await using world = await World.start({ controls: { "tcp.smtp": rules } });
    const denied = await LocalClient.connect(world.port, { localAddress: "127.0.0.2" }).then(() => "in", () => "out");
    assertEquals([denied, await world.logged("closed")], ["out", "closed ip=127.0.0.2 reason=denied"]);
    using relaying = await LocalClient.connect(world.port, { localAddress: "127.0.0.3" });
    assertEquals((await relaying.command("MAIL FROM:<> SIZE=11")).code, 552);
    assertEquals((await relaying.command("MAIL FROM:<> SIZE=10")).code, 250);
    assertEquals((await relaying.command("RCPT TO:<a@far.example>")).code, 250);
    using other = await LocalClient.connect(world.port, { localAddress: "127.0.0.4" });
    assertEquals((await other.command("MAIL FROM:<> SIZE=11")).code, 250);
    assertEquals((await other.command("RCPT TO:<a@far.example>")).code, 553);
  });
});

describe("more clients than places", () => {
  const greeting = async (world: World, localAddress: string): Promise<[string, LocalClient | undefined]> => {
    try {
      const client = await LocalClient.connect(world.port, { localAddress });
      return ["220", client];
    } catch (error) {
      return [(error as Error).message.replace("greeted with ", ""), undefined];
    }
  };

  it("of one address are refused beyond its limit, and those of others are not", async () => {
    await using world = await World.start({ controls: { concurrencyperclient: "2\n", relayclients: "127.0.0.9\n" } });
    const clients = [];
    const replies = [];
    for (const host of [2, 2, 2, 3, 9, 9, 9]) {
      const [reply, client] = await greeting(world, `127.0.0.${host}`);
      replies.push(reply);
      clients.push(client);
    }
    const refused = "421 4.7.0 too many connections from you";
    assertEquals(replies, ["220", "220", refused, "220", "220", "220", "220"]);
    assertEquals(await world.logged("closed"), "closed ip=127.0.0.2 reason=too-many-from-client");
    clients.forEach((client) => client?.close());
    const [again, client] = await waitFor(async () => {
      const found = await greeting(world, "127.0.0.2");
      return found[0] === "220" && found;
    }, "a place for it");
    assertEquals(again, "220");
    client?.close();
  });

  it("keep out strangers, but not one whose mail was accepted", async () => {
    await using world = await World.start({ controls: { concurrencyincoming: "10\n" } });
    const [, good] = await greeting(world, "127.0.0.5");
    const sent = await good!.send({ from: "s@s.example", to: ["joe@example.com"], content: "Subject: x\n\n" });
    assertEquals(sent.end!.code, 250);
    await good!.quit();
    const crowd = [];
    for (let at = 0; at < 10; at++) {
      const [reply, client] = await greeting(world, `127.0.1.${at + 1}`);
      assertEquals(reply, "220");
      crowd.push(client!);
    }
    assertEquals((await greeting(world, "127.0.0.6"))[0], "421 4.3.2 too many connections");
    const [reply, client] = await greeting(world, "127.0.0.5");
    assertEquals(reply, "220");
    // The one place that is kept is taken.
    assertEquals((await greeting(world, "127.0.0.5"))[0], "421 4.3.2 too many connections");
    client!.close();
    crowd.forEach((client) => client.close());
  });

  it("end a stranger's session at its first error while they are many, and no longer when they are few", async () => {
    await using world = await World.start({ controls: { concurrencyincoming: "10\n", relayclients: "127.0.0.9\n" } });
    const crowd = [];
    const [, stranger] = await greeting(world, "127.0.0.2");
    const [, relay] = await greeting(world, "127.0.0.9");
    assertEquals((await stranger!.command("WHAT")).code, 502);
    for (let at = 0; at < 7; at++) crowd.push((await greeting(world, `127.0.1.${at + 1}`))[1]!);
    assertMatch(await world.logged("stress"), /^stress connections=9$/);
    assertEquals((await relay!.command("WHAT")).code, 502);
    // Not only those that come now: it has said something wrong already.
    assertEquals([(await stranger!.command("WHAT")).code, (await stranger!.reply()).code], [502, 421]);
    for (const client of crowd.slice(2)) client.close();
    assertMatch(await world.logged("no-stress"), /^no-stress connections=7$/);
    assertEquals((await crowd[0]!.command("WHAT")).code, 502);
    for (const client of [stranger!, relay!, ...crowd]) client.close();
  });
});

describe("LMTP on a Unix socket", () => {
  it("takes mail from whoever may open it, and leaves the socket to owner and group", async () => {
    const dir = Deno.makeTempDirSync({ dir: "/tmp", prefix: "dq-" });
    try {
      await using world = await World.start({ controls: { listeners: `lmtp unix:${dir}/s\n` } });
      assertEquals(world.ports, {});
      const { mode, isSocket } = Deno.statSync(`${dir}/s`);
      assertEquals([mode! & 0o777, isSocket], [0o660, true]);
      const client = await SmtpClient.connectUnix(`${dir}/s`);
      assertEquals(await client.line(), "220 mx.example.com LMTP");
      const replies = [];
      for (const command of ["LHLO c.example", "MAIL FROM:<s@s.example>", "RCPT TO:<joe@example.com>", "DATA"]) {
        replies.push((await client.say(command))!.slice(0, 3));
      }
      assertEquals(replies, ["250", "250", "250", "354"]);
      assertMatch((await client.say("Subject: x\r\n\r\n."))!, /^250 /);
      assertMatch(world.queue.messages[0]!.content, /^Received: from c\.example \(.*with LMTP/s);
      client.close();
    } finally {
      Deno.removeSync(dir, { recursive: true });
    }
  });

  it("takes the place of a dead process's socket, and of nothing else", async () => {
    const dir = Deno.makeTempDirSync({ dir: "/tmp", prefix: "dq-" });
    try {
      Deno.listen({ transport: "unix", path: `${dir}/s` }).close();
      Deno.writeTextFileSync(`${dir}/file`, "kept");
      const listeners = `smtp 127.0.0.1:0\nlmtp unix:${dir}/s\nlmtp unix:${dir}/file\nlmtp unix:${dir}/none/s\n`;
      await using world = await World.start({ controls: { listeners } });
      const client = await SmtpClient.connectUnix(`${dir}/s`);
      assertEquals(await client.line(), "220 mx.example.com LMTP");
      client.close();
      assertEquals(Deno.readTextFileSync(`${dir}/file`), "kept");
      await waitFor(() => world.log.filter((line) => line.startsWith("not-listening")).length === 2, "two complaints");
      assertMatch(await world.logged("not-listening"), /^not-listening address=\/tmp\/dq-[^ ]+\/file reason=/);
    } finally {
      Deno.removeSync(dir, { recursive: true });
    }
  });
});
