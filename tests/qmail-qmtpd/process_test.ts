/**
 * qmail-qmtpd as a process: hostile lengths, slow and silent clients, large messages, other ways a queue can answer.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatNetstring } from "../../components/lib/qmtp/netstring.ts";
import { hear, hearAll, send } from "../qmtp/client.ts";
import { ProcessWorld } from "../qmtp/process_world.ts";
import { textBehindReceived } from "../qmtp/table.ts";

const joe = "joe@example.com";

function packageOf(text: string, recipients: readonly string[] = [joe], sender = "s@d.org"): string {
  return formatNetstring(`\n${text}`) + formatNetstring(sender) +
    formatNetstring(recipients.map(formatNetstring).join(""));
}

/** Whether these are so many whole answers. */
const hasAnswers = (count: number) => (heard: string) => (heard.match(/[0-9]+:[KZD][^,]*,/g) ?? []).length >= count;

describe("qmail-qmtpd", () => {
  it("closes a connection that claims 4 GiB, with nothing queued and no memory taken for it", async () => {
    await using world = await ProcessWorld.start("qmtp");
    const before = world.rss();
    for (const claim of ["4294967296:", "4294967297:\n", "18446744073709551616:", "200000001:"]) {
      using conn = await world.connect();
      const hearing = hearAll(conn);
      await send(conn, claim);
      assertEquals(await hearing, "");
    }
    assertMatch(
      await world.log.waitFor((line) => line.startsWith("closed"), 10_000),
      /^closed ip=127.0.0.1 reason=too-long$/,
    );
    assertEquals([world.queue.messages.length, world.queue.opened], [0, 0]);
    assert(world.rss() - before < 32 * 1024 * 1024);
  });

  it("takes a claim of 200 MB for what it is: who leaves it at that leaves nothing", async () => {
    await using world = await ProcessWorld.start("qmtp");
    const before = world.rss();
    const conns = await Promise.all(Array.from({ length: 50 }, () => world.connect()));
    for (const conn of conns) await send(conn, "200000000:\nx");
    await send(conns[0]!, "y");
    for (const conn of conns) await conn.closeWrite();
    for (const conn of conns) {
      assertEquals(await hearAll(conn), "");
      conn.close();
    }
    assertMatch(
      await world.log.waitFor((line) => line.startsWith("abandoned"), 10_000),
      /^abandoned ip=127.0.0.1 bytes=[12]$/,
    );
    assertEquals(world.queue.messages.length, 0);
    assert(world.rss() - before < 64 * 1024 * 1024);
  });

  it("passes a large message on in bounded memory", async () => {
    await using world = await ProcessWorld.start("qmtp");
    world.queue.keep = false;
    const before = world.rss();
    const size = 100 * 1024 * 1024;
    using conn = await world.connect();
    const hearing = hear(conn, hasAnswers(1));
    await send(conn, `${size + 1}:\n`);
    const piece = new Uint8Array(1024 * 1024).fill(0x61);
    for (let sent = 0; sent < size; sent += piece.length) {
      for (let at = 0; at < piece.length;) at += await conn.write(piece.subarray(at));
    }
    await send(conn, `,0:,${formatNetstring(formatNetstring(joe))}`);
    assertMatch(await hearing, /^[0-9]+:Kok /);
    assert(world.queue.bytes > size);
    assert(world.rss() - before < 96 * 1024 * 1024, `${(world.rss() - before) / 1048576} MiB more`);
  });

  it("closes on a client that sends an octet now and then, once timeoutsmtpd is over", async () => {
    await using world = await ProcessWorld.start("qmtp", { controls: { timeoutsmtpd: "1\n" } });
    using conn = await world.connect();
    const hearing = hearAll(conn);
    await send(conn, "1000:\n");
    const timer = setInterval(() => void send(conn, "x").catch(() => {}), 100);
    try {
      assertEquals(await hearing, "");
    } finally {
      clearInterval(timer);
    }
    assertEquals(
      await world.log.waitFor((line) => line.startsWith("closed"), 10_000),
      "closed ip=127.0.0.1 reason=timeout",
    );
    assertEquals([world.queue.messages.length, world.queue.aborted], [0, 0]);
  });

  it("reads no more of a client that does not read its answers, and goes on when it does", async () => {
    await using world = await ProcessWorld.start("qmtp");
    using conn = await world.connect();
    const recipients = Array.from({ length: 20_000 }, () => "x@far.example");
    const one = packageOf("x\n", recipients);
    const times = 10;
    const sending = send(conn, one.repeat(times));
    const said = await hear(conn, (heard) => heard.length >= times * recipients.length * 70);
    await sending;
    assertEquals(
      said,
      formatNetstring("Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)").repeat(
        times * recipients.length,
      ),
    );
    assertMatch(world.log.text(), /refused-rcpts ip=127.0.0.1 from=<s@d.org> more=19900/);
  });

  it("answers what the queue says, for those who were accepted, and Z while it is away", async () => {
    await using world = await ProcessWorld.start("qmtp");
    using conn = await world.connect();
    world.queue.code = 53;
    await send(conn, packageOf("x\n", [joe, "x@far.example"]));
    assertMatch(await hear(conn, hasAnswers(2)), /^37:Zqq write error or disk full \(#4\.3\.0\),66:Dsorry/);
    world.queue.code = 0;
    world.queue.stop();
    await send(conn, packageOf("x\n"));
    assertMatch(await hear(conn, hasAnswers(1)), /^[0-9]+:Z/);
    world.queue.start();
    await send(conn, packageOf("x\n"));
    assertMatch(await hear(conn, hasAnswers(1)), /^[0-9]+:Kok [0-9]+ qp 4896,$/);
    assertEquals(world.queue.messages.length, 1);
  });

  it("answers after qmail-queue has, not before", async () => {
    await using world = await ProcessWorld.start("qmtp");
    world.queue.hold = true;
    using conn = await world.connect();
    let said = "";
    const hearing = hear(conn, (heard) => hasAnswers(1)(said = heard));
    await send(conn, packageOf("x\n"));
    await world.queue.until(() => world.queue.messages.length === 1);
    assertEquals(said, "");
    world.queue.release();
    assertMatch(await hearing, /^[0-9]+:Kok/);
  });

  it("finishes a message that is coming in when it is stopped, and begins none", async () => {
    await using world = await ProcessWorld.start("qmtp");
    using conn = await world.connect();
    using idle = await world.connect();
    await send(conn, packageOf("first\n"));
    await hear(conn, hasAnswers(1));
    const large = packageOf("x".repeat(300_000));
    await send(conn, large.slice(0, 200_000));
    await world.queue.until(() => world.queue.opened === 1);
    world.child.kill("SIGTERM");
    assertEquals(await hearAll(idle), "");
    await send(conn, large.slice(200_000) + packageOf("y\n"));
    assertMatch(await hearAll(conn), /^[0-9]+:Kok [^,]*,$/);
    assertEquals(world.queue.messages.length, 2);
  });

  it("lets clients relay that control/relayclients or RELAYCLIENT names, and no others", async () => {
    const rules =
      '127.0.0.2:allow,RELAYCLIENT=""\n127.0.0.3:allow,RELAYCLIENT=".fix.example",DATABYTES="3"\n127.0.0.4:deny\n127.0.0.6:allow,HELOCHECK="!"\n:allow\n';
    await using world = await ProcessWorld.start("qmtp", {
      controls: { "tcp.smtp": rules, relayclients: "127.0.0.5\n" },
    });
    const answer = async (from: string, recipient: string) => {
      using conn = await connectFrom(from, world.port);
      await send(conn, packageOf("four\n", [recipient]));
      return await hear(conn, hasAnswers(1)).catch(() => "closed");
    };
    assertMatch(await answer("127.0.0.1", "a@far.example"), /:Dsorry, that domain/);
    assertMatch(await answer("127.0.0.2", "a@far.example"), /:Kok/);
    assertMatch(await answer("127.0.0.5", "a@far.example"), /:Kok/);
    assertMatch(await answer("127.0.0.3", "a@far.example"), /:Dsorry, that message size/);
    assertEquals(await answer("127.0.0.4", joe), "closed");
    assertMatch(await answer("127.0.0.6", joe), /:Kok/);
    const recipients = world.queue.messages.flatMap(({ envelope }) => envelope.recipients);
    assertEquals(recipients, ["a@far.example", "a@far.example", joe]);
  });

  it("asks the rules of SMTP: senders, recipients, their number", async () => {
    const controls = { badmailfrom: "bad@d.org\n", badrcptto: "we ird@example.com\n", maxrcpt: "2\n" };
    await using world = await ProcessWorld.start("qmtp", { controls });
    using conn = await world.connect();
    await send(conn, packageOf("x\n", [joe], "bad@d.org") + packageOf("y\n", ["we ird@example.com", joe, joe, joe]));
    const said = await hear(conn, hasAnswers(5));
    assertEquals(said.match(/:[KZD]/g)!.join(""), ":D:D:K:K:Z", said);
    assertEquals(world.queue.messages.map(({ content }) => textBehindReceived(content, "qmtp")), ["y\n"]);
  });

  it("says who a client is behind a proxy", async () => {
    const controls = { listeners: "qmtp 127.0.0.1:0 proxy\n", proxyclients: "127.0.0.1\n" };
    await using world = await ProcessWorld.start("qmtp", { controls });
    using conn = await world.connect();
    await send(conn, `PROXY TCP4 192.0.2.1 198.51.100.1 56324 209\r\n${packageOf("x\n")}`);
    await hear(conn, hasAnswers(1));
    assertMatch(
      world.queue.messages[0]!.content,
      /^Received: from unknown \(\[192\.0\.2\.1\]\)\n {2}by mx\.example\.com with QMTP; /,
    );
  });
});

/** From an address of this machine's own. */
async function connectFrom(from: string, port: number): Promise<Deno.Conn> {
  const { connect } = await import("node:net");
  const { Readable, Writable } = await import("node:stream");
  const socket = connect({ host: "127.0.0.1", port, localAddress: from });
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  const reader = Readable.toWeb(socket).getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const writer = Writable.toWeb(socket).getWriter();
  return {
    read: async (buffer: Uint8Array) => {
      const { value, done } = await reader.read();
      if (done) return null;
      buffer.set(value);
      return value.length;
    },
    write: async (octets: Uint8Array) => {
      await writer.write(octets);
      return octets.length;
    },
    [Symbol.dispose]: () => socket.destroy(),
  } as unknown as Deno.Conn;
}
