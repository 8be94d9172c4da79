import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { toOctets } from "../../../components/lib/octets.ts";
import { ReplyQueue } from "../../../components/lib/smtp/reply_queue.ts";

const longMs = 60_000;
const reply = (code: number, ...lines: string[]) => ({ kind: "reply" as const, reply: { code, lines } });

describe("ReplyQueue", () => {
  it("hands out replies in their order, and the end behind them", async () => {
    const queue = new ReplyQueue();
    queue.push(toOctets("250-a\r\n250 b\r\n354 "));
    queue.push(toOctets("go\r\n"));
    queue.break("died");
    queue.break("malformed");
    assertEquals([queue.heldReplies, queue.spoken, queue.broken], [2, true, "died"]);
    assertEquals(await queue.reply(longMs), reply(250, "a", "b"));
    assertEquals(await queue.reply(longMs), reply(354, "go"));
    assertEquals([queue.heldOctets, await queue.reply(longMs)], [0, { kind: "died" }]);
  });

  it("hands out at once what is there", () => {
    const queue = new ReplyQueue();
    assertEquals(queue.take(), undefined);
    queue.push(toOctets("250 a\r\n25"));
    assertEquals([queue.take(), queue.take(), queue.heldOctets], [reply(250, "a"), undefined, 0]);
    queue.break("died");
    assertEquals(queue.take(), { kind: "died" });
  });

  it("wakes who waits, and tells the listener where nobody does", async () => {
    const queue = new ReplyQueue();
    let told = 0;
    queue.onSpoken = () => told++;
    const waiting = queue.reply(longMs);
    queue.push(toOctets("250 a\r\n"));
    assertEquals([await waiting, told], [reply(250, "a"), 0]);
    queue.push(toOctets("421 b\r\n"));
    assertEquals([told, await queue.reply(longMs)], [1, reply(421, "b")]);
  });

  it("counts as dead where no whole reply comes in time", async () => {
    const queue = new ReplyQueue();
    queue.push(toOctets("250-a\r\n"));
    assertEquals([queue.spoken, await queue.reply(0), queue.broken], [false, { kind: "died" }, "died"]);
  });

  it("takes nothing behind what was no reply", async () => {
    const queue = new ReplyQueue();
    queue.push(toOctets("220 a\r\nwhat\r\n250 b\r\n"));
    queue.push(toOctets("250 c\r\n"));
    assertEquals(await queue.reply(longMs), reply(220, "a"));
    assertEquals(await queue.reply(longMs), { kind: "malformed" });
  });

  it("knows of the half of a reply, and drops it", () => {
    const queue = new ReplyQueue();
    queue.push(toOctets("220 a\r\n25"));
    assertEquals([queue.heldReplies, queue.discard(), queue.discard()], [1, 2, 0]);
  });

  it("leaves off waiting for something else without an end of the connection", async () => {
    const queue = new ReplyQueue();
    let isDone = false;
    const waiting = queue.pause(longMs, () => isDone);
    queue.wake();
    isDone = true;
    queue.wake();
    await waiting;
    await queue.pause(0, () => false);
    assertEquals(queue.broken, undefined);
  });
});
