/**
 * The way out of the journal, into the layout.
 * @module
 */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { journalWorld, newest, operations } from "./journal_world.ts";

describe("Manager: moves out of the journal that fail", () => {
  it("are tried again every five seconds and lose nothing", async () => {
    using world = journalWorld();
    await world.boot();
    await world.accept(["k@localhost", "h@localhost"]);
    const from = world.disk.operations.length;
    for (let n = from; n < from + 12; n++) world.disk.failAt(n, "ENOSPC");
    world.attempts[1]!.report("Z");
    await world.clock.settle();
    const id = newest(world);
    const warnings = () => world.log.lines().filter((line) => line.startsWith("warning: unable to move msg ")).length;
    assertEquals([warnings(), world.files()], [1, {}]);
    await world.clock.advance(60);
    assert(warnings() > 1);
    assertEquals(world.file("local", id), "Dk@localhost\0Th@localhost\0");
    await world.clock.advance(400);
    assertEquals([world.delivered, world.files()], [["k@localhost", "h@localhost"], {}]);
  });

  it("are asked for again when qmail-queue was away, also when it had done it already", async () => {
    for (const killAt of [0, 3, 8, 11, 12, 13, 14]) {
      using world = journalWorld();
      await world.boot();
      await world.accept(["k@localhost", "h@localhost"]);
      world.queue.process.killAt(killAt);
      world.attempts[1]!.report("Z");
      await world.clock.settle();
      world.killQueue();
      await world.boot();
      assertEquals(world.file("local", newest(world)), "Dk@localhost\0Th@localhost\0", `killed at ${killAt}`);
      await world.clock.advance(500);
      assertEquals([world.delivered, world.files()], [["k@localhost", "h@localhost"], {}]);
    }
  });
});

describe("Manager: when the room in the journal is needed", () => {
  it("takes deliveries back that have not begun, and makes them from the layout at once", async () => {
    using world = journalWorld({ concurrencylocal: 3 });
    await world.boot();
    await world.accept(["h1", "h2", "h3", "h4"].map((name) => `${name}@localhost`));
    world.queue.vacateAll();
    await world.clock.settle();
    const id = newest(world);
    assertEquals(world.file("local", id), "Th1@localhost\0Th2@localhost\0Th3@localhost\0Th4@localhost\0");
    assertEquals([world.attempts.length, world.queue.store.journalSize, world.file("todo", id)], [2, 0, undefined]);
    world.attempts[0]!.report("K");
    world.attempts[1]!.report("D");
    await world.clock.settle();
    assertEquals(world.file("local", id), "Dh1@localhost\0Dh2@localhost\0Th3@localhost\0Th4@localhost\0");
    assertEquals(world.file("bounce", id), "<h2@localhost>:\nhard trouble\n\n");
    await world.clock.advance(0);
    assertEquals(world.attempts.slice(2).map(({ addresses }) => addresses[0]), ["h3@localhost", "h4@localhost"]);
    for (const attempt of world.attempts.slice(2)) attempt.report("K");
    await world.clock.settle();
    assertEquals(world.delivered, ["h1@localhost", "h3@localhost", "h4@localhost"]);
    assertEquals([world.bounces.length, world.attempts.length, world.files()], [1, 4, {}]);
  });

  it("has reports that come while it moves wait, and marks them", async () => {
    using world = journalWorld();
    await world.boot();
    await world.accept(["h1@localhost", "h2@localhost", "h3@r.example"]);
    const moved = Promise.withResolvers<void>();
    world.beforeAnswer = () => moved.promise;
    world.queue.vacateAll();
    await world.clock.settle();
    world.attempts[0]!.report("K");
    world.attempts[1]!.report("Z");
    world.attempts[2]!.report("D");
    await world.clock.settle();
    assertEquals(world.files(), {});
    moved.resolve();
    await world.clock.settle();
    const id = newest(world);
    assertEquals(world.file("local", id), "Dh1@localhost\0Th2@localhost\0");
    assertEquals([world.file("remote", id), world.file("bounce", id)], [
      undefined,
      "<h3@r.example>:\nhard trouble\n\n",
    ]);
    await world.clock.advance(200);
    assertEquals([world.delivered, world.bounces.length], [["h1@localhost", "h2@localhost"], 1]);
    assertEquals(world.files(), {});
  });

  it("marks in its files a report that came after these were begun", async () => {
    using world = journalWorld();
    await world.boot();
    await world.accept(["h1@localhost", "h2@localhost", "h3@r.example"]);
    const synced = Promise.withResolvers<void>();
    const syncDir = world.disk.syncDir.bind(world.disk);
    world.disk.syncDir = async (dir) => {
      await syncDir(dir);
      if (dir.includes("/info/")) await synced.promise;
    };
    world.queue.vacateAll();
    await world.clock.settle();
    const id = newest(world);
    assertEquals(world.file("local", id), "Th1@localhost\0Th2@localhost\0");
    world.attempts[0]!.report("K");
    world.attempts[2]!.report("K");
    await world.clock.settle();
    synced.resolve();
    await world.clock.settle();
    assertEquals([world.file("local", id), world.file("remote", id)], ["Dh1@localhost\0Th2@localhost\0", undefined]);
    world.attempts[1]!.report("Z");
    await world.clock.advance(100);
    assertEquals([world.delivered, world.files()], [["h1@localhost", "h3@r.example", "h2@localhost"], {}]);
  });

  it("keeps no slot for a report that waits for a move", async () => {
    using world = journalWorld({ concurrencylocal: 1 });
    await world.boot();
    await world.accept(["h1@localhost"]);
    await world.accept(["k@localhost"]);
    world.beforeAnswer = () => new Promise(() => {});
    const [first] = world.manager.inMemory.messages;
    world.manager.vacate([first!.place!.serial], [first!.id]);
    world.attempts[0]!.report("K");
    await world.clock.settle();
    assertEquals(world.delivered, ["h1@localhost", "k@localhost"]);
  });

  it("writes nothing of a message whose bounce is being queued", async () => {
    using world = journalWorld();
    await world.boot();
    const bounced = Promise.withResolvers<void>();
    world.beforeBounceAnswer = () => bounced.promise;
    await world.accept(["d@localhost"]);
    world.queue.vacateAll();
    await world.clock.settle();
    bounced.resolve();
    await world.clock.settle();
    assertEquals([operations(world), world.bounces.length, world.files()], [["done"], 1, {}]);
  });

  it("moves no message that is done, or that is not known", async () => {
    using world = journalWorld();
    await world.boot();
    await world.accept(["h@localhost"]);
    world.manager.vacate([1, 2], [newest(world), 5]);
    await world.clock.settle();
    assertEquals(operations(world), []);
  });
});
