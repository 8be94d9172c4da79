/** TLS with clients that follow no rules: whatever one does ends its own connection and nothing else. */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import type { TlsContexts } from "../../components/lib/tls/contexts.ts";
import { waitFor, within } from "../support/wait.ts";
import { makeContexts, type Seen, TlsServer } from "./tls_server.ts";

const tooLongMs = 20_000;

/** A connection whose octets a test chooses. */
class Raw implements Disposable {
  private constructor(readonly conn: Deno.TcpConn) {}

  static async connect(server: TlsServer): Promise<Raw> {
    return new Raw(await Deno.connect({ port: server.port, hostname: "127.0.0.1" }));
  }

  async send(octets: Uint8Array | string): Promise<void> {
    const all = typeof octets === "string" ? toOctets(octets) : octets;
    for (let at = 0; at < all.length;) at += await this.conn.write(all.subarray(at));
  }

  /** What the server says until `enough`, or until it ends. */
  async hear(enough: (text: string) => boolean = () => false): Promise<string> {
    let text = "";
    const buffer = new Uint8Array(65536);
    while (!enough(text)) {
      const count = await within(this.conn.read(buffer).catch(() => null), tooLongMs, () => JSON.stringify(text));
      if (count === null) return text;
      text += fromOctets(buffer.subarray(0, count));
    }
    return text;
  }

  /** Closes it with a reset: something unread is left behind, or nobody lingers. */
  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // Closed by the test.
    }
  }
}

/** node's TLS client over a connection that the test can also write to itself; `piece`: octets per write. */
async function tlsOver(raw: Raw, piece = Infinity): Promise<{ secure: tls.TLSSocket; text: () => string }> {
  const wire = new Duplex({
    read() {},
    write(chunk: Uint8Array, _encoding, done) {
      void (async () => {
        for (let at = 0; at < chunk.length; at += piece) await raw.send(chunk.subarray(at, at + piece));
      })().then(() => done(), done);
    },
  });
  void (async () => {
    const buffer = new Uint8Array(65536);
    for (;;) {
      const count = await raw.conn.read(buffer).catch(() => null);
      if (count === null) return wire.push(null);
      wire.push(Buffer.from(buffer.subarray(0, count)));
    }
  })();
  let text = "";
  const secure = await new Promise<tls.TLSSocket>((resolve, reject) => {
    const socket = tls.connect({ socket: wire as never, rejectUnauthorized: false }, () => resolve(socket));
    socket.on("error", reject);
  });
  secure.on("error", () => {});
  secure.on("data", (chunk: Uint8Array) => text += fromOctets(chunk));
  return { secure, text: () => text };
}

function vector(lengthOctets: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(lengthOctets);
  length.writeUIntBE(content.length, 0, lengthOctets);
  return Buffer.concat([length, content]);
}

const u16 = (...numbers: readonly number[]) =>
  Uint8Array.from(numbers.flatMap((number) => [number >> 8, number & 255]));

/** A ClientHello (RFC 8446 §4.1.2) in one record, with these octets as the name of its SNI extension. */
function clientHello(servername: Uint8Array, nameType = 0): Uint8Array {
  const extension = (type: number, ...parts: readonly Uint8Array[]) => Buffer.concat([u16(type), vector(2, ...parts)]);
  const extensions = [
    extension(0, vector(2, Uint8Array.of(nameType), vector(2, servername))),
    extension(10, vector(2, u16(0x001d))),
    extension(13, vector(2, u16(0x0403, 0x0804))),
    extension(43, vector(1, u16(0x0304))),
    extension(51, vector(2, u16(0x001d), vector(2, new Uint8Array(32).fill(9)))),
  ];
  const body = Buffer.concat([
    u16(0x0303),
    new Uint8Array(32).fill(7),
    vector(1, new Uint8Array(32).fill(5)),
    vector(2, u16(0x1301, 0x1302)),
    vector(1, Uint8Array.of(0)),
    vector(2, ...extensions),
  ]);
  const message = Buffer.concat([Uint8Array.of(1), vector(3, body)]);
  return Buffer.concat([Uint8Array.of(22, 3, 1), vector(2, message)]);
}

describe("a ClientSocket with TLS and a hostile client", () => {
  let contexts: TlsContexts;
  let plain: TlsServer;
  let implicit: TlsServer;

  beforeAll(async () => {
    ({ contexts } = await makeContexts(["a.test", "b.test"]));
    plain = new TlsServer({ contexts });
    implicit = new TlsServer({ contexts, implicit: true });
  });
  afterAll(async () => {
    await plain[Symbol.asyncDispose]();
    await implicit[Symbol.asyncDispose]();
  });

  /** The server's side of the only connection of late. */
  const last = (server: TlsServer) => waitFor(() => server.open > 0 ? server.clients.at(-1) : undefined, "the client");

  async function isOver(server: TlsServer, seen: Seen): Promise<void> {
    await within(seen.closed, tooLongMs, () => "the connection's end");
    assertEquals(server.open, 0);
    using raw = await Raw.connect(server);
    if (server === plain) {
      await raw.send("STARTTLS\r\n");
      await raw.hear((text) => text.includes("220 ready"));
    }
    const { secure, text } = await tlsOver(raw);
    secure.write("QUIT\r\n");
    await waitFor(() => text().endsWith("221 bye\r\n"), "that the next client is served");
    await within(server.clients.at(-1)!.closed, tooLongMs, () => "the next one's end");
  }

  it("answers no command that came with STARTTLS, nor one that comes instead of a ClientHello", async () => {
    using raw = await Raw.connect(plain);
    await raw.hear((text) => text.endsWith("\r\n"));
    await raw.send("STARTTLS\r\nEHLO x\r\nMAIL FROM:<a@b>\r\n");
    const seen = await last(plain);
    assertEquals(await raw.hear((text) => text.includes("\n")), "220 ready for tls\r\n");
    await raw.send("EHLO x\r\nMAIL FROM:<a@b>\r\n");
    assertEquals(await raw.hear(), "\x15\x03\x03\x00\x02\x02\x28");
    assertEquals(seen.lines, ["STARTTLS"]);
    assertMatch(String(seen.failure), /corrupt message/);
    await isOver(plain, seen);
  });

  it("ends a connection of HTTP, of nothing, and of half a ClientHello", async () => {
    const hello = clientHello(toOctets("a.test"));
    for (const octets of [toOctets("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), new Uint8Array(), hello.subarray(0, 60)]) {
      using raw = await Raw.connect(implicit);
      const seen = await last(implicit);
      await raw.send(octets);
      await raw.conn.closeWrite().catch(() => {});
      await raw.hear();
      assert(seen.failure !== undefined);
      await isOver(implicit, seen);
    }
  });

  it("ends a handshake that takes longer than its limit", async () => {
    await using server = new TlsServer({ contexts, implicit: true, limitMs: 20 });
    for (const octets of [new Uint8Array(), clientHello(toOctets("a.test"))]) {
      using raw = await Raw.connect(server);
      await raw.send(octets);
      await raw.hear();
      const seen = server.clients.at(-1)!;
      await within(seen.closed, tooLongMs, () => "the end");
      assertEquals(seen.failure, "took too long");
    }
  });

  it("ends when it is told to in the middle of a handshake", async () => {
    using raw = await Raw.connect(implicit);
    const seen = await last(implicit);
    await raw.send(clientHello(toOctets("a.test")).subarray(0, 20));
    seen.socket.destroy();
    await raw.hear();
    assertEquals(seen.failure, "ended by the server");
    await isOver(implicit, seen);
  });

  it("survives every name in the SNI extension", async () => {
    const names = [
      ...["a\\\0", "\0", "\\", "", ".", "a..b", "-", "*", "192.0.2.1", "[::1]", "::1", "a.test\r\nEHLO x", "__proto__"],
      ...["x".repeat(255), `${"x".repeat(63)}.`.repeat(4), "y".repeat(16_000), "\xff\xfe\xc0\x80", "b.test."],
    ];
    const answers = new Map<string, number>();
    for (const name of names) {
      for (const type of [0, 1]) {
        using raw = await Raw.connect(implicit);
        const seen = await last(implicit);
        await raw.send(clientHello(toOctets(name), type));
        const said = await raw.hear((text) => text !== "");
        // A ServerHello with the default certificate, or an alert.
        assert(["\x16", "\x15"].includes(said.slice(0, 1)), JSON.stringify([name, said.slice(0, 20)]));
        answers.set(said.slice(0, 1), (answers.get(said.slice(0, 1)) ?? 0) + 1);
        raw.conn.close();
        await within(seen.closed, tooLongMs, () => `the end of ${JSON.stringify(name)}`);
      }
    }
    assertEquals(answers.size, 2);
    using raw = await Raw.connect(implicit);
    await raw.send(clientHello(toOctets("a.test")));
    assertEquals((await raw.hear((text) => text !== "")).slice(0, 1), "\x16");
    const seen = await last(implicit);
    raw.conn.close();
    await isOver(implicit, seen);
  });

  it("takes a handshake octet by octet", async () => {
    using raw = await Raw.connect(implicit);
    const { secure, text } = await tlsOver(raw, 1);
    const seen = await last(implicit);
    secure.write("EHLO x\r\nQUIT\r\n");
    await waitFor(() => text().endsWith("221 bye\r\n"), "the farewell");
    await isOver(implicit, seen);
  });

  it("takes nothing that follows a close_notify for a command", async () => {
    using raw = await Raw.connect(implicit);
    const { secure, text } = await tlsOver(raw);
    const seen = await last(implicit);
    await waitFor(() => text() !== "", "the greeting");
    secure.end("BDAT 100\r\n" + "y".repeat(40));
    await within(seen.ended, tooLongMs, () => "the close_notify");
    await raw.send("X\r\nNOOP\r\n").catch(() => {});
    await isOver(implicit, seen);
    assertEquals(seen.lines, ["BDAT 100"]);
  });

  it("ends a session at octets that are no TLS, at a reset and at an end without close_notify", async () => {
    const acts: readonly ((raw: Raw) => Promise<unknown> | void)[] = [
      (raw) => raw.send("NOOP in plain\r\n"),
      (raw) => raw.send(Uint8Array.of(23, 3, 3, 0, 20, ...new Uint8Array(20))),
      (raw) => raw.send(Uint8Array.of(23, 3, 3, 0xff, 0xff, ...new Uint8Array(300))),
      (raw) => raw.send(Uint8Array.of(22, 3, 3, 0, 4, 1, 0, 0, 0)),
      (raw) => raw.conn.close(),
      (raw) => raw.conn.closeWrite(),
    ];
    for (const act of acts) {
      using raw = await Raw.connect(implicit);
      const { secure, text } = await tlsOver(raw);
      const seen = await last(implicit);
      secure.write("NOOP\r\n");
      await waitFor(() => text().endsWith("250 ok\r\n"), "the answer");
      await act(raw);
      await isOver(implicit, seen);
      assertEquals(seen.lines, ["NOOP"]);
    }
  });

  it("survives any octets", async () => {
    const hello = clientHello(toOctets("a.test"));
    const mutated = fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }).map(
      (changes) => {
        const octets = Uint8Array.from(hello);
        for (const [at, octet] of changes) octets[at] = octet;
        return octets;
      },
    );
    const octetsOf = fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated);
    await fc.assert(
      fc.asyncProperty(octetsOf, async (octets) => {
        using raw = await Raw.connect(implicit);
        const seen = await last(implicit);
        await raw.send(octets).catch(() => {});
        await raw.conn.closeWrite().catch(() => {});
        await raw.hear();
        await within(seen.closed, tooLongMs, () => "the end");
        assertEquals(seen.lines, []);
      }),
      { numRuns: 150 },
    );
    using raw = await Raw.connect(implicit);
    const seen = await last(implicit);
    raw.conn.close();
    await isOver(implicit, seen);
  });
});
