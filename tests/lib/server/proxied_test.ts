import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { type Readable, readProxyHeader } from "../../../components/lib/server/proxied.ts";
import { bytes } from "../octets.ts";

/** A connection that gives at most so many octets a read; what has not been read is still in it. */
class Pieces implements Readable {
  left: string;
  closed = false;
  readonly #most: number;

  constructor(octets: string, most: number) {
    this.left = octets;
    this.#most = most;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    const taken = this.left.slice(0, Math.min(this.#most, buffer.length));
    this.left = this.left.slice(taken.length);
    buffer.set(bytes(taken));
    return Promise.resolve(taken === "" ? null : taken.length);
  }

  close(): void {
    this.closed = true;
  }
}

const headers = [
  "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n",
  "PROXY TCP6 2001:db8::1 ::1 56324 25\r\n",
  "PROXY UNKNOWN\r\n",
  "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x00\x19",
  `\r\n\r\n\0\r\nQUIT\n\x20\x00\x0f\xff${"x".repeat(4095)}`,
];

describe("readProxyHeader()", () => {
  it("reads the header to its last octet and nothing behind it, however it comes", async () => {
    const behind = fc.string({ unit: fc.constantFrom("\r", "\n", "E", "\x16", "\0"), maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...headers),
        behind,
        fc.integer({ min: 1, max: 5000 }),
        async (header, rest, most) => {
          const conn = new Pieces(header + rest, most);
          const read = await readProxyHeader(conn);
          assertEquals([read.ok, conn.left, conn.closed], [true, rest, false]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("says so when the connection ends before the header does", async () => {
    for (const header of headers) {
      assertEquals(await readProxyHeader(new Pieces(header.slice(0, -1), 7)), { ok: false, error: "proxy-ended" });
    }
  });

  it("closes a connection whose header does not come in time", async () => {
    const { promise, reject } = Promise.withResolvers<number | null>();
    const mute: Readable = { read: () => promise, close: () => reject(new Deno.errors.BadResource("closed")) };
    assertEquals(await readProxyHeader(mute, 1), { ok: false, error: "proxy-timeout" });
  });
});
