import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { finishedLogs } from "../../components/multilog/log_files.ts";
import { NoAnswer } from "../../components/lib/wire/ask.ts";
import { encodeFrame } from "../../components/lib/wire/frame.ts";
import {
  parseAddressTrace,
  parseMessageTrace,
  parseRates,
  parseTail,
} from "../../components/lib/wire/trace_protocol.ts";
import { waitFor } from "../support/wait.ts";
import { multilogHome, startMultilog } from "./multilog_process.ts";

/** One message's life now, as the supervisor writes it. */
function life(message: number, qp: number, result = "success"): string {
  const time = new Date().toISOString();
  return [
    `qmail-smtpd: accepted ip=127.0.0.1 from=<amy@a.example> rcpts=1 bytes=9 qp=${qp}`,
    `qmail-send: new msg ${message}`,
    `qmail-send: info msg ${message}: bytes 9 from <amy@a.example> qp ${qp} uid 0`,
    `qmail-send: starting delivery ${qp}: msg ${message} to local bob@b.example`,
    `qmail-send: delivery ${qp}: ${result}: did/`,
    `qmail-send: end msg ${message}`,
  ].map((line) => `${time} ${line}\n`).join("");
}

describe("multilog, the process", () => {
  it("keeps what it is given, tells it, and ends whole with its input", async () => {
    using world = multilogHome();
    await using process = await startMultilog(world);
    await process.give(life(7, 1));
    await process.give(life(7, 2, "failure"));
    const trace = await waitFor(async () => {
      const told = parseMessageTrace(await process.ask({ op: "trace", message: 7 }));
      return told.lives === 2 && told.events.length === 6 && told;
    }, "both lives");
    assertEquals(trace.events.map(({ kind }) => kind), ["accepted", "new", "info", "starting", "failure", "end"]);
    const { lives } = parseAddressTrace(await process.ask({ op: "trace", address: "BOB@b.example", count: 5 }));
    assertEquals(lives.map(({ life, delivered, failed }) => [life, delivered, failed]), [[1, 0, 1], [2, 1, 0]]);
    const rates = parseRates(await process.ask({ op: "rates" }));
    const sum = (name: "accepted" | "delivered" | "failed") =>
      rates.minutes.reduce((count, minute) => count + minute[name], 0);
    assertEquals([rates.minutes.length, sum("accepted"), sum("delivered"), sum("failed")], [60, 2, 1, 1]);
    assertEquals(await process.end(), 0);
    assertEquals(Deno.readTextFileSync(world.home.log("current")).split("\n").length, 13);
    assertEquals((Deno.statSync(world.home.log("current")).mode ?? 0) & 0o100, 0o100);
  });

  it("tells by a cursor what came since, and counts the last hour again after a restart", async () => {
    using world = multilogHome();
    {
      await using process = await startMultilog(world);
      const before = parseTail(await process.ask({ op: "tail", count: 10 }));
      assertEquals([before.lines, before.whole, before.oldestMs], [[], true, 0]);
      await process.give(life(7, 1));
      const { lines, cursor } = await waitFor(async () => {
        const told = parseTail(await process.ask({ op: "tail", count: 10, after: before.cursor }));
        return told.lines.length === 6 && told;
      }, "the lines");
      assertEquals(lines.at(-1)!.text, "end msg 7");
      assertEquals(parseTail(await process.ask({ op: "tail", count: 10, after: cursor })).lines, []);
      assertEquals(await process.end("SIGTERM"), 0);
    }
    await using process = await startMultilog(world);
    await waitFor(async () => {
      const { minutes } = parseRates(await process.ask({ op: "rates" }));
      return minutes.reduce((count, { delivered }) => count + delivered, 0) === 1;
    }, "the count");
    // A cursor of the one before means nothing to it.
    assertEquals(parseTail(await process.ask({ op: "tail", count: 2, after: "1.1" })).lines.length, 2);
    await process.end();
  });

  it("changes to another file as control/logbytes says, also after a reload, and loses no line", async () => {
    using world = multilogHome();
    Deno.writeTextFileSync(world.home.control("logfiles"), "4\n");
    await using process = await startMultilog(world);
    await process.give(life(1, 1).repeat(20));
    Deno.writeTextFileSync(world.home.control("logbytes"), "4096\n");
    process.signal("SIGHUP");
    let serial = 1;
    await waitFor(async () => {
      await process.give(life(++serial, serial));
      return finishedLogs(world.home.log()).length >= 3;
    }, "three finished files");
    assertEquals(await process.end(), 0);
    assertEquals(finishedLogs(world.home.log()).length, 3);
  });

  it("puts the file of one that was killed aside, and reads it", async () => {
    using world = multilogHome();
    {
      await using process = await startMultilog(world);
      await process.give(life(7, 1) + "2026-11-23T05:28:35.123Z qmail-send: end ms");
      await waitFor(
        async () => parseMessageTrace(await process.ask({ op: "trace", message: 7 })).events.length === 6,
        "it",
      );
      await process.end("SIGKILL");
    }
    await using process = await startMultilog(world);
    await process.give(life(8, 2));
    await waitFor(
      async () => parseMessageTrace(await process.ask({ op: "trace", message: 8 })).events.length === 6,
      "it",
    );
    assertMatch(finishedLogs(world.home.log()).join(), /^@[0-9a-f]{24}\.u$/);
    assertEquals(parseMessageTrace(await process.ask({ op: "trace", message: 7 })).events.length, 6);
    await process.end();
  });

  it("drops a client that sends garbage, and answers the others", async () => {
    using world = multilogHome();
    await using process = await startMultilog(world);
    for (const request of [{ op: "empty" }, { op: "tail" }, { op: "trace" }, { op: "trace", message: -1 }]) {
      assert(await assertRejects(() => process.ask(request)) instanceof NoAnswer);
    }
    using conn = await Deno.connect({ transport: "unix", path: world.home.socket("multilog") });
    await conn.write(encodeFrame({ op: "rates", id: 1 }).subarray(0, 9));
    assertEquals(parseRates(await process.ask({ op: "rates" })).minutes.length, 60);
    assert(process.log.lines().every((line) => line.startsWith("garbage socket=multilog ")));
    await process.end();
  });

  it("lets no second one keep the same log", async () => {
    using world = multilogHome();
    await using process = await startMultilog(world);
    assertMatch(String(await assertRejects(() => startMultilog(world))), /is locked/);
    await process.end();
  });
});
