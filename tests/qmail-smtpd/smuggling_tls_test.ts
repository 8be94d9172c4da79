/**
 * The same octets over TLS, each part in a record of its own, through a real connection and handshake.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { captureLog } from "../support/captured_log.ts";
import { NearWorld } from "./near_world.ts";
import { published, second, sequences } from "./smuggling.ts";
import { makeContexts } from "./tls_server.ts";

/** A client's side of TLS; reads whole replies. */
class TlsClient implements Disposable {
  readonly #conn: Deno.TlsConn;
  #text = "";

  private constructor(conn: Deno.TlsConn) {
    this.#conn = conn;
  }

  static async connect(port: number, pem: string): Promise<TlsClient> {
    const plain = await Deno.connect({ hostname: "127.0.0.1", port });
    const buffer = new Uint8Array(4096);
    for (const [command, code] of [["", "220"], ["STARTTLS\r\n", "220"]] as const) {
      if (command !== "") await plain.write(toOctets(command));
      const count = await plain.read(buffer);
      assert(fromOctets(buffer.subarray(0, count!)).startsWith(code));
    }
    return new TlsClient(await Deno.startTls(plain, { hostname: "localhost", caCerts: [pem] }));
  }

  async send(octets: string): Promise<void> {
    const all = toOctets(octets);
    for (let at = 0; at < all.length;) at += await this.#conn.write(all.subarray(at));
  }

  /** The next line; undefined at the end. */
  async line(): Promise<string | undefined> {
    const buffer = new Uint8Array(4096);
    while (!this.#text.includes("\r\n")) {
      const count = await this.#conn.read(buffer);
      if (count === null) return undefined;
      this.#text += fromOctets(buffer.subarray(0, count));
    }
    const end = this.#text.indexOf("\r\n");
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 2);
    return line;
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}

const begin = "MAIL FROM:<s@s.example>\r\nRCPT TO:<joe@example.com>\r\nDATA\r\n";

describe("over TLS, content ends at none of", () => {
  let tls: Awaited<ReturnType<typeof makeContexts>>;
  beforeAll(async () => void (tls = await makeContexts(["localhost"])));

  for (const sequence of [...sequences, ...published ?? []]) {
    it(`${JSON.stringify(sequence)}, wherever a record ends in it`, async () => {
      using _log = captureLog();
      await using world = NearWorld.start({
        values: () => ({
          settings: { greeting: "mx.example.com", databytes: 0, startTls: true },
          startTls: (socket) => socket.startTls(tls.contexts),
        }),
      });
      const content = `Subject: first\r\n\r\nhello${sequence}${second}`;
      const from = content.length - second.length - sequence.length;
      for (let cut = from; cut <= from + sequence.length; cut++) {
        using client = await TlsClient.connect(world.port, tls.pems[0]!);
        await client.send(begin);
        const codes: string[] = [];
        while (codes.length < 3) codes.push((await client.line() ?? "closed").slice(0, 3));
        assertEquals(codes, ["250", "250", "354"]);
        const before = world.queue.messages.length;
        await client.send(content.slice(0, cut));
        await client.send(`${content.slice(cut)}.\r\nQUIT\r\n`);
        const [end, bye, none] = [await client.line(), await client.line(), await client.line()];
        assert(/^(?:250 2\.0\.0 ok |550 5\.5\.2 (?:bare CR|bare LF|NUL) )/.test(end!), end);
        assert(bye!.startsWith("221 "), bye);
        assertEquals(none, undefined);
        assertEquals(world.queue.messages.length - before, end!.startsWith("250") ? 1 : 0);
      }
    });
  }
});
