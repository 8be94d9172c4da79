/**
 * The survey at the start, which runs while mail comes and goes.
 * @module
 */
import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { heldSeconds } from "../../components/lib/queue/held.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { home } from "../support/queue_disk.ts";
import { type Answer, World } from "./world.ts";

/** A message in S5, each channel's recipient due so many seconds from now. */
function putSplit(world: World, id: number, due: { readonly local?: number; readonly remote?: number }): void {
  world.put(id, []);
  world.disk.remove(queueFile(home, "todo", id));
  world.disk.put(queueFile(home, "info", id), toOctets("Fjoe@localhost\0"));
  for (const [channel, seconds] of Object.entries(due) as ["local" | "remote", number][]) {
    const octets = toOctets(`T${channel}${id}@${channel === "local" ? "localhost" : "r.example"}\0`);
    world.disk.put(queueFile(home, channel, id), octets, world.clock.seconds + seconds);
  }
}

/** A world that holds back what is listed in todo until the promise settles. */
function delayListing(world: World): () => void {
  const listed = Promise.withResolvers<void>();
  world.disk.listLong = async () => {
    await listed.promise;
    return [];
  };
  return listed.resolve;
}

describe("Surveyor", () => {
  it("tells once of a message that was deferred while todo was listed at the start", async () => {
    using world = new World({ segments: 4, answer: (_, attempt) => attempt === 1 ? "Z" : "K" });
    const goOn = delayListing(world);
    const booted = world.boot();
    await world.clock.settle();
    await world.accept(["z@localhost"]);
    goOn();
    await booted;
    assertEquals(world.manager.status().waitingForRetry, 1);
    await world.clock.advance(100);
    assertEquals([world.delivered, world.manager.status().messages], [["z@localhost"], 0]);
  });

  it("finds what waits, what is due, and what only has to be finished", async () => {
    using world = new World();
    putSplit(world, 23, { local: -5, remote: 50 });
    putSplit(world, 46, { remote: 90 });
    putSplit(world, 69, {});
    world.disk.put(queueFile(home, "bounce", 69), toOctets("<a@b.example>:\nno\n\n"));
    await world.boot();
    await world.clock.advance(0);
    assertEquals([world.delivered, world.bounces.map(({ id }) => id)], [["local23@localhost"], [69]]);
    assertEquals(world.manager.status().waitingForRetry, 2);
    await world.clock.advance(50);
    assertEquals(world.delivered, ["local23@localhost", "remote23@r.example"]);
    await world.clock.advance(40);
    assertEquals([world.delivered.at(-1), world.files()], ["remote46@r.example", {}]);
  });

  it("leaves what is held to the operator, and so does SIGALRM", async () => {
    using world = new World();
    putSplit(world, 23, { local: heldSeconds - world.clock.seconds, remote: 500 });
    await world.boot();
    world.manager.retryAll();
    await world.clock.advance(0);
    assertEquals(world.delivered, ["remote23@r.example"]);
    await world.clock.advance(1000);
    assertEquals([world.attempts.length, world.file("local", 23)], [1, "Tlocal23@localhost\0"]);
  });

  it("takes up a second survey where the first did not end, and tells of nothing twice", async () => {
    using world = new World({ segments: 4 });
    for (let id = 23; id < 230; id += 7) putSplit(world, id, { local: 500 });
    let breaths = 0;
    world.breathe = () => {
      // It waits for the second survey.
      if (++breaths === 30) void world.bootQueue();
      return Promise.resolve();
    };
    await world.bootSend();
    assertEquals(world.manager.status().waitingForRetry, 30);
  });

  type Event =
    | { readonly kind: "accept"; readonly local: boolean }
    | { readonly kind: "pass"; readonly seconds: number }
    | { readonly kind: "alarm" }
    | { readonly kind: "vacate" };
  const anyEvent: fc.Arbitrary<Event> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("accept" as const), local: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("pass" as const), seconds: fc.constantFrom(1, 30, 100, 400) }),
    },
    fc.constantFrom<Event>({ kind: "alarm" }, { kind: "vacate" }),
  );
  const anySeconds = fc.constantFrom(undefined, -1000, 0, 1, 20, 300);
  const anyPast = fc.array(fc.record({ local: anySeconds, remote: anySeconds, todo: fc.boolean() }), { maxLength: 12 });
  const anyEvents = fc.array(fc.tuple(fc.nat(250), anyEvent), { maxLength: 20 });
  const anyAnswers = fc.array(fc.constantFrom<Answer>("K", "Z", "Z", "D", "lost"), { minLength: 1, maxLength: 5 });

  it("has nobody forgotten, and nobody attempted twice at a time or after he is done, whatever comes meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(anyPast, anyEvents, anyAnswers, fc.nat(40), async (past, events, answers, takes) => {
        const addresses: string[] = [];
        const answer = (address: string, attempt: number) =>
          answers[(addresses.indexOf(address) + attempt) % answers.length]!;
        using world = new World({
          segments: 4,
          answer: (address, attempt) => attempt > 5 ? "K" : answer(address, attempt),
          seconds: () => takes,
        });
        for (const [n, { local, remote, todo }] of past.entries()) {
          const id = 7 * (n + 1);
          if (todo) {
            world.put(id, [`todo${id}@localhost`]);
            addresses.push(`todo${id}@localhost`);
            continue;
          }
          const due = { ...(local === undefined ? {} : { local }), ...(remote === undefined ? {} : { remote }) };
          putSplit(world, id, due);
          if (local !== undefined) addresses.push(`local${id}@localhost`);
          if (remote !== undefined) addresses.push(`remote${id}@r.example`);
        }
        let breaths = 0;
        const happen = async (event: Event) => {
          if (event.kind === "alarm") world.manager.retryAll();
          else if (event.kind === "pass") await world.clock.advance(event.seconds);
          else if (event.kind === "vacate") world.queue.vacateAll();
          else {
            const address = `new${addresses.length}@${event.local ? "localhost" : "r.example"}`;
            addresses.push(address);
            await world.accept([address]);
          }
        };
        world.breathe = async () => {
          const now = breaths++;
          for (const [at, event] of events) if (at === now) await happen(event);
        };
        await world.boot();
        for (let n = 0; n < 5000 && await world.clock.jump(); n++);
        const bounced = world.bounces.flatMap(({ paragraphs }) =>
          Array.from(paragraphs.matchAll(/<(.*)>:\n/g), ([, address]) => address!)
        );
        assertEquals([...world.delivered, ...bounced].toSorted(), addresses.toSorted());
        assertEquals([world.doubled, world.files(), world.manager.status().messages], [[], {}, 0]);
      }),
      { numRuns: 150 },
    );
  });
});
