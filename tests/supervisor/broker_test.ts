import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { type Broker, serveBroker } from "../../components/supervisor/broker.ts";

const line = (id: number, value: string) => `{"v":1,"id":${id},"permission":"net","value":"${value}"}\n`;

describe("the broker", () => {
  let dir: string;
  let path: string;
  let broker: Broker;
  let garbage: string[];

  beforeEach(() => {
    dir = Deno.makeTempDirSync();
    path = `${dir}/s`;
    garbage = [];
    broker = serveBroker(path, {
      decide: ({ value }) => value === "yes",
      onGarbage: (reason) => garbage.push(reason),
    });
  });

  afterEach(() => {
    broker.stop();
    Deno.removeSync(dir, { recursive: true });
  });

  /** What is answered to these pieces, each written by itself, before the end or `answers` lines. */
  async function said(pieces: readonly string[], answers = Infinity): Promise<string> {
    const connection = await Deno.connect({ transport: "unix", path });
    const decoder = new TextDecoder();
    let all = "";
    try {
      for (const piece of pieces) await connection.write(new TextEncoder().encode(piece));
      const buffer = new Uint8Array(65_536);
      while (all.split("\n").length <= answers) {
        const count = await connection.read(buffer);
        if (count === null) break;
        all += decoder.decode(buffer.subarray(0, count));
      }
    } catch {
      // The other end broke off while it was written to.
    } finally {
      connection.close();
    }
    return all;
  }

  it("answers each check under its number", async () => {
    assertEquals(
      await said([line(1, "yes"), line(2, "no") + line(3, "yes")], 3),
      '{"id":1,"result":"allow"}\n{"id":2,"result":"deny"}\n{"id":3,"result":"allow"}\n',
    );
  });

  it("answers a check that comes in pieces", async () => {
    assertEquals(await said([...line(7, "yes")], 1), '{"id":7,"result":"allow"}\n');
  });

  for (
    const [claim, pieces] of [["what is no check", ["hello\n"]], ["a line without an end", [
      "x".repeat(40_000),
    ]]] as const
  ) {
    it(`ends the connection at ${claim}, and answers the next one`, async () => {
      assertEquals(await said(pieces), "");
      assertEquals(garbage.length, 1);
      assertEquals(await said([line(1, "yes")], 1), '{"id":1,"result":"allow"}\n');
    });
  }

  it("answers nothing after garbage", async () => {
    assertEquals(await said([`garbage\n${line(1, "yes")}`]), "");
  });

  it("takes four processes at the most", async () => {
    const four = await Promise.all([1, 2, 3, 4].map(() => Deno.connect({ transport: "unix", path })));
    assertEquals(await said([line(1, "yes")], 1), "");
    for (const connection of four) connection.close();
  });

  it("takes the place of a socket that a dead supervisor left", async () => {
    broker.stop();
    broker = serveBroker(path, { decide: () => true, onGarbage: () => {} });
    assertEquals(await said([line(1, "x")], 1), '{"id":1,"result":"allow"}\n');
  });
});
