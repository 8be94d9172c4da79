/**
 * Destinations that an operator paused: on the disk before they are paused, and in nobody's way.
 * @module
 */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { mostPaused } from "../../components/lib/wire/control_protocol.ts";
import { formatPaused, parsePaused, Paused, type Pausing } from "../../components/qmail-send/paused.ts";
import { captureLog } from "../support/captured_log.ts";
import type { FakeDisk } from "../support/fake_disk.ts";
import { emptyQueue, home } from "../support/queue_disk.ts";
import { World } from "./world.ts";
import { microtasks } from "../support/wait.ts";

const path = home.queue("paused", "destinations");

/** Who is paused by a process of its own. */
function pausing(): Pausing & { readonly paused: Set<string> } {
  const paused = new Set<string>();
  return { paused, pause: (name) => void paused.add(name), resume: (name) => void paused.delete(name) };
}

/** What a process that starts on this disk pauses. */
function restored(disk: FakeDisk): string[] {
  const fresh = pausing();
  new Paused(disk, home, fresh).restore();
  return [...fresh.paused].toSorted();
}

describe("Paused", () => {
  it("writes names that it reads again, and passes over what is none", () => {
    fc.assert(fc.property(fc.uniqueArray(fc.domain()), (names) => {
      assertEquals(parsePaused(formatPaused(names)), names);
    }));
    assertEquals(parsePaused(toOctets("B.example\n\nx y\n\xfc.example\na@b\nlast")), [
      "b.example",
      "\xfc.example",
      "last",
    ]);
  });

  it("pauses and resumes, and says whether that is news", async () => {
    const [disk, pauses] = [emptyQueue(), pausing()];
    const paused = new Paused(disk, home, pauses);
    assertEquals(await paused.set("pause", "b.example"), {
      ...{ destination: "b.example", changed: true, paused: ["b.example"] },
    });
    assertEquals((await paused.set("pause", "b.example")).changed, false);
    assertEquals((await paused.set("pause", "a.example")).paused, ["a.example", "b.example"]);
    assertEquals([[...pauses.paused], restored(disk)], [["b.example", "a.example"], ["a.example", "b.example"]]);
    assertEquals((await paused.set("resume", "b.example")).paused, ["a.example"]);
    assertEquals((await paused.set("resume", "b.example")).changed, false);
    assertEquals([[...pauses.paused], restored(disk)], [["a.example"], ["a.example"]]);
    assertEquals(fromOctets(disk.readFile(path)), "a.example\n");
  });

  it("carries out what is asked for at one time one after the other", async () => {
    const [disk, pauses] = [emptyQueue(), pausing()];
    const paused = new Paused(disk, home, pauses);
    await Promise.all(["a", "b", "c"].map((name) => paused.set("pause", name)));
    assertEquals(restored(disk), ["a", "b", "c"]);
  });

  it("has paused nothing that a power loss would take back, wherever it stops", async () => {
    const whole = emptyQueue();
    await new Paused(whole, home, pausing()).set("pause", "a");
    for (let n = 0; n <= whole.operations.length; n++) {
      const disk = emptyQueue();
      const pauses = pausing();
      disk.stopAt(n);
      // What it stops at throws, or never comes back.
      void new Paused(disk, home, pauses).set("pause", "a").catch(() => {});
      await microtasks(50);
      const after = restored(disk.afterCrash());
      assert(after.length === 0 || after[0] === "a");
      if (pauses.paused.has("a")) assertEquals(after, ["a"], `stopped at operation ${n}`);
    }
  });

  it("changes nothing where the disk is full, and goes on when it is not", async () => {
    const probe = emptyQueue();
    await new Paused(probe, home, pausing()).set("pause", "a");
    for (let n = 0; n < probe.operations.length; n++) {
      const [disk, pauses] = [emptyQueue(), pausing()];
      const paused = new Paused(disk, home, pauses);
      disk.failAt(n, "ENOSPC", "half");
      const failed = await paused.set("pause", "a").then(() => false, () => true);
      assertEquals([failed, pauses.paused.size], [true, 0], probe.operations[n]);
      await paused.set("pause", "a");
      assertEquals([restored(disk), pauses.paused.size], [["a"], 1]);
    }
  });

  it("pauses nobody where its file cannot be read, and says so", () => {
    using log = captureLog();
    const disk = emptyQueue();
    disk.put(path, toOctets("a\n"));
    const broken = {
      ...disk,
      exists: () => true,
      readFile: () => {
        throw new Error("EIO");
      },
    } as unknown as FakeDisk;
    assertEquals(restored(broken), []);
    assertStringIncludes(log.lines().join("\n"), "alert: cannot read which destinations are paused: ");
  });

  it("has an end", async () => {
    const pauses = pausing();
    for (let n = 0; n < mostPaused; n++) pauses.paused.add(`d${n}`);
    const paused = new Paused(emptyQueue(), home, pauses);
    const refused = await paused.set("pause", "one.more").catch((error) => error);
    assert(refused instanceof Error);
    assertStringIncludes(refused.message, "1000 destinations are paused");
    assertEquals((await paused.set("resume", "d0")).changed, true);
  });
});

describe("Manager: a paused destination", () => {
  it("gets nothing, holds up nobody else, keeps little in memory, and everything once it is resumed", async () => {
    using world = new World();
    const first = 2189625;
    const recipients = Array.from({ length: 300 }, (_, n) => `r${n}@slow.example`);
    recipients.forEach((recipient, n) => world.put(first + n, [recipient]));
    world.put(first + 300, ["r@quick.example", "joe@localhost"]);
    await world.boot();
    world.manager.pause("slow.example");
    await world.clock.settle();
    const before = world.delivered.length;
    await world.clock.advance(0);
    assert(world.delivered.includes("r@quick.example") && world.delivered.includes("joe@localhost"));
    assertEquals(world.delivered.length, before);
    const { messages, waitingForRetry } = world.manager.status();
    assert(messages - waitingForRetry <= 30, `${messages - waitingForRetry} in memory`);
    assertEquals(world.manager.destinations(9).map(({ name, paused }) => [name, paused]), [["slow.example", true]]);
    assert(!world.log.lines().some((line) => line.includes("deferral")));
    world.manager.resume("slow.example");
    for (let round = 0; round < 20 && Object.keys(world.disk.files()).length > 0; round++) {
      await world.clock.advance(600);
    }
    assertEquals(world.disk.files(), {});
    assertEquals(
      world.delivered.filter((address) => address.endsWith("slow.example")).toSorted(),
      recipients.toSorted(),
    );
    assertEquals(world.manager.destinations(9), []);
  });

  it("is told of without deliveries as well", async () => {
    using world = new World();
    await world.boot();
    world.manager.pause("b.example");
    assertEquals(world.manager.destinations(9).map(({ name, paused, waiting }) => [name, paused, waiting]), [
      ["b.example", true, 0],
    ]);
  });
});
