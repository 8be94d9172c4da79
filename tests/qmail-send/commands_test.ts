import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { actions } from "../../components/lib/wire/control_protocol.ts";
import type { Verdict } from "../../components/lib/wire/delivery_protocol.ts";
import { heldSeconds } from "../../components/qmail-send/retry_queue.ts";
import { CommandsWorld, lifetimeSeconds } from "./commands_world.ts";

const id = 2189625;
const both = ["bob@localhost", "joe@r.example"];

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

describe("a first attempt", () => {
  for (const place of ["journal", "todo"] as const) {
    it(`from ${place} is held: what runs ends and is recorded, the rest waits, also after a restart`, async () => {
      using world = new CommandsWorld({ concurrency: 1 });
      world[place](id, ["a@r.example", "b@s.example", "c@localhost", "d@localhost"]);
      world.answer = () => "hold";
      await world.boot();
      assertEquals(world.running.map(({ addresses }) => addresses[0]).toSorted(), ["a@r.example", "c@localhost"]);
      assertEquals((await world.act("hold", id)).detail, "held; 2 deliveries already running");
      await world.report("K", 1);
      assertEquals([world.mtime("local", id), world.mtime("remote", id)], [heldSeconds, heldSeconds]);
      await world.report("Z", 1);
      assertEquals(world.delivered.length, 1);
      await world.restart();
      await world.clock.advance(100_000);
      assertEquals([world.begun.size, world.left(id).length, world.inJournal.length], [2, 3, 0]);
      world.answer = () => "K";
      await world.act("release", id);
      await world.clock.advance(0);
      assertEquals(world.delivered.toSorted(), ["a@r.example", "b@s.example", "c@localhost", "d@localhost"]);
      assertEquals(world.disk.files(), {});
    });

    it(`from ${place} is deleted when what runs has ended, without a bounce`, async () => {
      using world = new CommandsWorld({ concurrency: 1 });
      world[place](id, ["a@r.example", "b@s.example"]);
      world.answer = () => "hold";
      await world.boot();
      assertEquals((await world.act("delete", id)).detail, "goes when the delivery that runs has ended");
      await world.report("D");
      assertEquals([...world.begun], [["a@r.example", 1]]);
      assertEquals([world.disk.files(), world.bounces, world.inJournal], [{}, [], []]);
      assertEquals(world.manager.status().messages, 0);
    });

    it(`from ${place} of which nothing runs is deleted at once`, async () => {
      using world = new CommandsWorld({ concurrency: 1 });
      world.todo(id + 1, ["x@r.example"]);
      world.answer = () => "hold";
      await world.boot();
      world[place](id, ["x@r.example"]);
      if (place === "todo") world.manager.arrivals.todo([id]);
      else world.manager.arrivals.journal(world.inJournal);
      assertEquals((await world.act("delete", id)).detail, "deleted");
      assertEquals(world.inJournal, []);
      assertEquals(world.manager.status().messages, 1);
      await world.report("K");
      assertEquals(world.disk.files(), {});
    });

    it(`from ${place} expires: what runs is its last attempt`, async () => {
      using world = new CommandsWorld();
      world[place](id, ["a@r.example"]);
      world.answer = () => "hold";
      await world.boot();
      const birth = world.clock.seconds;
      assertEquals((await world.act("expire", id)).detail, "its last attempt runs");
      assertEquals(world.mtime("info", id), world.clock.seconds - lifetimeSeconds - 1);
      await world.clock.advance(5);
      await world.report("Z");
      assertEquals(world.bounces.map(({ id, arrivalSeconds }) => [id, arrivalSeconds]), [[id, birth]]);
      assertEquals(world.disk.files(), {});
    });

    it(`from ${place} that was released has its rest tried at once`, async () => {
      using world = new CommandsWorld({ concurrency: 1 });
      world[place](id, ["a@r.example", "b@s.example"]);
      world.answer = () => "hold";
      await world.boot();
      await world.act("hold", id);
      assertEquals((await world.act("hold", id)).done, true);
      assertEquals((await world.act("retry", id)).detail, "is held; release it first");
      assertEquals((await world.act("release", id)).detail, "released; due now");
      await world.report("K");
      await world.clock.advance(0);
      assertEquals(world.running.map(({ addresses }) => addresses), [["b@s.example"]]);
    });
  }

  it("with more than a hundred recipients, just being written down, is held", async () => {
    using world = new CommandsWorld();
    world.journal(id, Array.from({ length: 101 }, (_, n) => `u${n}@localhost`));
    world.answer = () => "hold";
    const booted = world.boot();
    const held = booted.then(() => world.act("hold", id));
    assertEquals((await held).done, true);
    await world.report("Z");
    await world.clock.advance(100_000);
    assertEquals(world.begun.size, 20);
    assertEquals(world.mtime("local", id), heldSeconds);
  });

  it("whose bounce is just being queued is not written down to be bounced again", async () => {
    using world = new CommandsWorld();
    world.journal(id, ["a@r.example"]);
    world.answer = () => "D";
    const booted = world.boot();
    await booted;
    assertEquals(world.bounces.length, 1);
    assertEquals(await world.act("hold", id), { message: id, done: false, gone: true, detail: "no such message" });
  });

  it("leaves the journal when it is to be emptied, and goes on", async () => {
    using world = new CommandsWorld({ concurrency: 1 });
    world.journal(id, ["a@r.example", "b@s.example"]);
    world.answer = () => "hold";
    await world.boot();
    assertEquals(world.manager.journalMessages, 1);
    world.manager.vacateAll();
    await world.clock.settle();
    assertEquals([world.manager.journalMessages, world.inJournal.length], [0, 0]);
    world.answer = () => "K";
    await world.report("K");
    await world.clock.advance(0);
    assertEquals(world.delivered, ["a@r.example", "b@s.example"]);
    assertEquals(world.disk.files(), {});
  });
});

describe("a message of which one channel is being delivered to", () => {
  it("is deleted, its other channel's time forgotten", async () => {
    using world = new CommandsWorld();
    world.waiting(id, both, { atSeconds: world.clock.seconds + 10 });
    world.answer = (address) => address.endsWith("localhost") ? "hold" : "Z";
    await world.boot();
    await world.clock.advance(10);
    assertEquals(world.running.length, 1);
    assertEquals((await world.act("delete", id)).detail, "goes when the delivery that runs has ended");
    await world.clock.advance(1000);
    assertEquals(world.begun.get("joe@r.example"), 1);
    await world.report("Z");
    assertEquals([world.disk.files(), world.bounces], [{}, []]);
    assertEquals(world.manager.status().messages, 0);
  });

  it("expires on both", async () => {
    using world = new CommandsWorld();
    world.waiting(id, both, { atSeconds: world.clock.seconds + 10 });
    world.answer = (address) => address.endsWith("localhost") ? "hold" : "Z";
    await world.boot();
    await world.clock.advance(10);
    await world.act("expire", id);
    await world.clock.advance(0);
    assertEquals(world.begun.get("joe@r.example"), 2);
    await world.report("Z");
    assertEquals(world.bounces.length, 1);
    assertEquals(world.bounces[0]!.paragraphs.match(/too long/g)?.length, 2);
    assertEquals(world.disk.files(), {});
  });
});

describe("Commands", () => {
  it("says where there is nothing to do, or nothing to do it to", async () => {
    using world = new CommandsWorld();
    world.waiting(id, both);
    await world.boot();
    const details = [];
    for (const action of actions) details.push((await world.act(action, 46)).detail);
    assertEquals(new Set(details), new Set(["no such message"]));
    assertEquals((await world.act("release", id)).detail, "is not held");
    await world.act("hold", id);
    assertEquals((await world.act("hold", id)).detail, "is held already");
  });

  it("finds messages by sender and by the domains of those who are left, wherever they stand", async () => {
    using world = new CommandsWorld({ concurrency: 1 });
    world.waiting(23, ["bob@localhost"]);
    world.waiting(24, ["joe@R.example"]);
    world.journal(25, ["joe@r.example", "bob@localhost"], "Eve@x.example");
    world.todo(26, ["joe@s.example"], "");
    world.answer = () => "hold";
    await world.boot();
    const find = async (selection: { sender?: string; domain?: string }) => {
      const found = new Set<number>();
      for (let part = 0; part <= 23; part++) {
        const memory = { ...world.manager.inMemory, todo: [] };
        const ids = await world.manager.commands.find(part, selection, memory, () => Promise.resolve());
        for (const id of ids) found.add(id);
      }
      return [...found].toSorted();
    };
    assertEquals(await find({}), [23, 24, 25, 26]);
    assertEquals(await find({ domain: "r.example" }), [24, 25]);
    assertEquals(await find({ domain: "localhost" }), [23, 25]);
    assertEquals(await find({ sender: "eve@x.example" }), [25]);
    assertEquals(await find({ sender: "" }), [26]);
    assertEquals(await find({ sender: "amy@localhost", domain: "localhost" }), [23]);
  });

  it("deletes a message at its end whose bounce nobody takes", async () => {
    using world = new CommandsWorld();
    world.takesBounces = false;
    world.waiting(id, ["bob@localhost"], { atSeconds: world.clock.seconds });
    world.answer = () => "D";
    await world.boot();
    await world.clock.advance(0);
    assertEquals((await world.act("retry", id)).detail, "is at its end already");
    assertEquals((await world.act("delete", id)).done, true);
    await world.clock.advance(5);
    assertEquals(world.disk.files(), {});
  });
});

describe("commands and deliveries at the same moment", () => {
  const verdict = fc.constantFrom<Verdict>("K", "Z", "D");
  const event = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("act" as const), action: fc.constantFrom(...actions) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("report" as const), verdict }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ max: 900, min: 0 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("vacate" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("turn" as const), microtasks: fc.integer({ max: 9, min: 1 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
  );
  const recipients = ["a@r.example", "b@s.example", "c@localhost"];

  it("neither lose nor repeat a recipient, send at most one bounce, and none after a delete", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("journal", "todo", "waiting"),
        fc.integer({ min: 1, max: 3 }),
        fc.array(event, { maxLength: 14 }),
        async (place, concurrency, events) => {
          using world = new CommandsWorld({ concurrency });
          world[place as "journal" | "todo" | "waiting"](id, recipients);
          world.answer = () => "hold";
          await world.boot();
          const pending: Promise<unknown>[] = [];
          let deleted = false;
          let restarted = false;
          const failed = new Set<string>();
          for (const event of events) {
            switch (event.kind) {
              case "act":
                // Not waited for: whatever comes next comes at the same moment.
                pending.push(
                  world.manager.commands.act(event.action, id).then(({ done, detail }) =>
                    // The bounce of a message at its end may be on its way: it says so.
                    deleted ||= done && event.action === "delete" && !detail.includes("bounce")
                  ),
                );
                break;
              case "report": {
                const delivery = world.running.shift();
                if (event.verdict === "D") delivery?.addresses.forEach((address) => failed.add(address));
                delivery?.report(event.verdict);
                break;
              }
              case "wait":
                await world.clock.advance(event.seconds);
                break;
              case "vacate":
                world.manager.vacateAll();
                break;
              case "turn":
                for (let n = 0; n < event.microtasks; n++) await Promise.resolve();
                break;
              case "restart":
                await world.clock.settle();
                await world.restart();
                restarted = true;
            }
          }
          await world.clock.settle();
          await Promise.all(pending);
          // From here on everybody is delivered to.
          world.answer = () => "K";
          for (let round = 0; round < 4; round++) {
            await world.report("K");
            await world.clock.advance(1);
            await world.act("release", id);
            await world.act("retry", id);
            await world.clock.advance(1);
          }
          assertEquals(world.disk.files(), {}, "nothing is left");
          assertEquals(world.inJournal, []);
          assertEquals(world.manager.status().messages, 0);
          const counts = new Map<string, number>();
          for (const address of world.delivered) counts.set(address, (counts.get(address) ?? 0) + 1);
          // A restart in a first attempt repeats what was delivered in it.
          if (!restarted) assert([...counts.values()].every((count) => count === 1), "nobody has it twice");
          assert(world.bounces.length <= (restarted ? 2 : 1), "one bounce at the most");
          if (deleted && !restarted) assertEquals(world.bounces, [], "no bounce after a delete");
          if (deleted) return;
          const bounced = world.bounces.map(({ paragraphs }) => paragraphs).join("");
          for (const address of recipients) {
            assert(counts.has(address) || bounced.includes(`<${address}>`), `${address} has it, or its sender knows`);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
