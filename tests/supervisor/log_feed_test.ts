import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch } from "@std/assert";
import { LogFeed, mostPendingBytes } from "../../components/supervisor/log_feed.ts";
import { captureLog } from "../support/captured_log.ts";
import { waitFor } from "../support/wait.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** An input that takes what it is given when `open` says so. */
function input() {
  const gate = Promise.withResolvers<void>();
  const pieces: Uint8Array[] = [];
  let isClosed = false;
  const stream = new WritableStream<Uint8Array>({
    write: async (octets) => {
      await gate.promise;
      pieces.push(octets);
    },
    close: () => {
      isClosed = true;
    },
  });
  const text = () => pieces.map((piece) => new TextDecoder().decode(piece)).join("");
  return { stream, text, pieces, open: gate.resolve, break: gate.reject, isClosed: () => isClosed };
}

describe("LogFeed", () => {
  it("keeps what comes before anybody takes it, and writes it first", async () => {
    const feed = new LogFeed({ restMs: 0 });
    feed.active = true;
    feed.take(encode("one\n"));
    feed.take(encode("two\n"));
    const to = input();
    to.open();
    feed.attach(to.stream);
    feed.take(encode("three\n"));
    await feed.end();
    assertEquals([to.text(), to.isClosed()], ["one\ntwo\nthree\n", true]);
  });

  it("makes one write of what comes while another one rests", async () => {
    const feed = new LogFeed({ restMs: 1 });
    feed.active = true;
    const to = input();
    feed.attach(to.stream);
    for (const text of ["1\n", "2\n", "3\n"]) feed.take(encode(text));
    to.open();
    await waitFor(() => to.text().length === 6, "the write");
    assertEquals(to.pieces.length, 2);
    await feed.end();
  });

  it("never holds more than its limit, and counts what it drops in one event once there is room", async () => {
    using log = captureLog();
    const feed = new LogFeed({ restMs: 0 });
    feed.active = true;
    const to = input();
    feed.attach(to.stream);
    const half = encode(`${"x".repeat(mostPendingBytes / 2 - 1)}\n`);
    // The first one is being written, two fill what may wait.
    for (let count = 0; count < 6; count++) feed.take(half);
    to.open();
    await waitFor(() => to.pieces.length === 2, "the write");
    await feed.end();
    assertEquals(log.lines().length, 1);
    assertMatch(log.lines()[0]!, /^log_dropped lines=3 bytes=6291456$/);
  });

  it("goes on with the next one where an input broke, and holds what came in between", async () => {
    const feed = new LogFeed({ restMs: 0 });
    feed.active = true;
    const broken = input();
    feed.attach(broken.stream);
    feed.take(encode("lost\n"));
    broken.break(new Error("gone"));
    await Promise.resolve();
    feed.detach();
    feed.take(encode("kept\n"));
    const to = input();
    to.open();
    feed.attach(to.stream);
    await waitFor(() => to.text() !== "", "the write");
    await feed.end();
    assertEquals(to.text(), "kept\n");
  });

  it("takes nothing while nobody is to have it", async () => {
    const feed = new LogFeed({ restMs: 0 });
    feed.take(encode("one\n"));
    feed.active = true;
    feed.take(encode("two\n"));
    feed.active = false;
    feed.active = true;
    const to = input();
    to.open();
    feed.attach(to.stream);
    await feed.end();
    assertEquals(to.text(), "");
  });
});
