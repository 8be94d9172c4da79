import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { actions } from "../../components/lib/wire/control_protocol.ts";
import { heldSeconds } from "../../components/lib/queue/held.ts";
import { both, CommandsWorld, id, lifetimeSeconds } from "./commands_world.ts";

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
    assertEquals(world.begun.size, 15);
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
