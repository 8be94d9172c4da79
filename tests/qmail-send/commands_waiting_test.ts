import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { actions } from "../../components/lib/wire/control_protocol.ts";
import { heldSeconds } from "../../components/lib/queue/held.ts";
import { both, CommandsWorld, id, lifetimeSeconds } from "./commands_world.ts";

describe("a message that waits", () => {
  it("is tried at once by retry, and once again at its next time, not twice", async () => {
    using world = new CommandsWorld();
    world.waiting(id, ["joe@r.example"]);
    await world.boot();
    assertEquals(world.manager.status().waitingForRetry, 1);
    assertEquals(await world.act("retry", id), { message: id, done: true, gone: false, detail: "due now" });
    await world.clock.advance(0);
    assertEquals(world.begun.get("joe@r.example"), 1);
    // Born 60 seconds ago: (7 + 20)² seconds after that.
    assertEquals(world.mtime("remote", id), world.clock.seconds - 60 + 27 ** 2);
    assertEquals(world.manager.status().waitingForRetry, 1);
    // The time it had before passes by.
    await world.clock.advance(600);
    assertEquals(world.begun.get("joe@r.example"), 1);
    await world.clock.advance(69);
    assertEquals(world.begun.get("joe@r.example"), 2);
    assertEquals(world.manager.status().waitingForRetry, 1);
  });

  it("has exactly one next attempt after many retries and releases, in any order and at any time", async () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom("retry", "hold", "release", "expire"), fc.integer({ min: 0, max: 700 })),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), fc.boolean(), async (steps, surveyed, alarms) => {
        using world = new CommandsWorld();
        world.waiting(id, ["joe@r.example"]);
        await world.boot({ surveyed });
        for (const [action, seconds] of steps) {
          await world.act(action, id);
          await world.clock.advance(seconds);
          if (alarms) {
            const before = world.begun.get("joe@r.example") ?? 0;
            world.manager.retryAll();
            await world.clock.advance(0);
            assert((world.begun.get("joe@r.example") ?? 0) - before <= 1);
          }
        }
        await world.act("release", id);
        if (!surveyed) await world.survey();
        await world.clock.advance(0);
        if (world.disk.files()[`/q/queue/info/${id % 23}/${id}`] === undefined) return;
        const due = world.mtime("remote", id)!;
        assert(due > world.clock.seconds && due < heldSeconds);
        const before = world.begun.get("joe@r.example") ?? 0;
        await world.clock.advance(due - world.clock.seconds - 1);
        assertEquals(world.begun.get("joe@r.example") ?? 0, before);
        await world.clock.advance(1);
        assertEquals(world.begun.get("joe@r.example"), before + 1);
      }),
      { numRuns: 150 },
    );
  });

  it("is held for ever, also by a new qmail-send and with SIGALRM, until it is released", async () => {
    using world = new CommandsWorld();
    world.waiting(id, both);
    await world.boot();
    assertEquals((await world.act("hold", id)).detail, "held");
    assertEquals([world.mtime("local", id), world.mtime("remote", id)], [heldSeconds, heldSeconds]);
    world.manager.retryAll();
    await world.clock.advance(100_000);
    await world.restart();
    world.manager.retryAll();
    await world.clock.advance(100_000);
    assertEquals(world.begun.size, 0);
    assertEquals((await world.act("retry", id)).detail, "is held; release it first");
    world.answer = () => "K";
    assertEquals((await world.act("release", id)).detail, "released; due now");
    await world.clock.advance(0);
    assertEquals(world.delivered.toSorted(), both);
    assertEquals(world.disk.files(), {});
  });

  it("expires: one last attempt, then a bounce that tells the real birth; also where a restart comes between", async () => {
    for (const restarts of [false, true]) {
      using world = new CommandsWorld();
      world.waiting(id, both);
      const birth = world.clock.seconds - 60;
      await world.boot();
      assertEquals((await world.act("expire", id)).detail, "its last attempt is due now");
      assertEquals(world.mtime("info", id), world.clock.seconds - lifetimeSeconds - 1);
      if (restarts) await world.restart();
      await world.clock.advance(0);
      assertEquals([...world.begun], [["bob@localhost", 1], ["joe@r.example", 1]]);
      assertEquals(world.bounces.map(({ id, arrivalSeconds }) => [id, arrivalSeconds]), [[id, birth]]);
      assertMatch(world.bounces[0]!.paragraphs, /too long/);
      assertEquals(world.disk.files(), {});
    }
  });

  it("is deleted without a bounce, and its number's next message has its own time", async () => {
    using world = new CommandsWorld();
    world.waiting(id, both, { bounce: "<x@y>:\nno\n\n" });
    await world.boot();
    assertEquals((await world.act("delete", id)).detail, "deleted");
    assertEquals([world.disk.files(), world.bounces], [{}, []]);
    assertEquals(world.manager.status().waitingForRetry, 0);
    world.waiting(id, ["new@r.example"], { atSeconds: world.clock.seconds + 1000 });
    world.manager.found(id, "remote", world.clock.seconds + 1000);
    await world.clock.advance(999);
    assertEquals(world.begun.size, 0);
    await world.clock.advance(1);
    assertEquals([...world.begun], [["new@r.example", 1]]);
  });

  it("is found on the disk where no survey has told of it yet", async () => {
    for (const action of actions) {
      using world = new CommandsWorld();
      world.waiting(id, both);
      await world.boot({ surveyed: false });
      assertEquals((await world.act(action, id)).done, action !== "release");
    }
  });
});

describe("a delete that a crash interrupts", () => {
  it("leaves a message that is held, or none: no bounce and no mail comes of it", async () => {
    for (let n = 0;; n++) {
      using world = new CommandsWorld();
      world.waiting(id, both, { bounce: "<x@y>:\nno\n\n" });
      await world.boot();
      world.disk.stopAt(world.disk.operations.length + n);
      const whole = world.manager.commands.act("delete", id);
      void whole.catch(() => {});
      await world.clock.settle();
      await world.restart();
      await world.clock.advance(lifetimeSeconds + 100);
      // Before the first two it was not held yet: nothing had been done.
      if (n > 1) assertEquals([world.bounces.length, world.begun.size], [0, 0]);
      // A text that belongs to nothing goes when qmail-queue says that it does not write it.
      world.disk.remove(`/q/queue/mess/${id % 23}/${id}`);
      const isLeft = Object.keys(world.disk.files()).length > 0;
      assertEquals((await world.act("delete", id)).done, isLeft);
      assertEquals(Object.keys(world.disk.files()), []);
      // The operations of a delete that nothing interrupts.
      if (!isLeft && n > 8) break;
    }
  });
});
