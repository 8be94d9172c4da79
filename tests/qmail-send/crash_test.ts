import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Crash } from "../support/fake_disk.ts";
import { type Answer, World } from "./world.ts";

/** What the tests do to one life of qmail-send: it ends at an operation of the disk, a delivery or a bounce. */
interface Life {
  readonly at: "disk" | "spawn" | "bounce";
  readonly n: number;
  /** Seconds it may live when it does not come to that. */
  readonly seconds: number;
}

const anyAnswers = fc.array(fc.constantFrom<Answer>("K", "K", "Z", "D", "lost"), { minLength: 1, maxLength: 6 });
const anyMessages = fc.array(
  fc.record({ count: fc.oneof(fc.nat(6), fc.constantFrom(101, 130)), answers: fc.array(anyAnswers, { minLength: 1 }) }),
  { minLength: 1, maxLength: 3 },
);
const anyLives = fc.array(
  fc.record({
    at: fc.constantFrom("disk", "spawn", "bounce"),
    n: fc.nat(30),
    seconds: fc.constantFrom(0, 1, 100, 2000, 100_000),
  }) as fc.Arbitrary<Life>,
  { maxLength: 6 },
);
type Message = { count: number; answers: Answer[][] };

/** Recipients of message `m`, half of them remote, some to a virtual domain. */
function recipientsOf(m: number, count: number): string[] {
  const domains = ["localhost", "r.example", "virt.example", "s.example"];
  return Array.from({ length: count }, (_, n) => `u${m}-${n}@${domains[n % domains.length]}`);
}

/** A world with the messages in todo; after its list of answers an address is delivered to. */
function worldOf(messages: readonly Message[]): World {
  const lists = new Map<string, readonly Answer[]>();
  for (const [m, { count, answers }] of messages.entries()) {
    for (const [n, address] of recipientsOf(m, count).entries()) lists.set(address, answers[n % answers.length]!);
  }
  const world = new World({
    answer: (address, attempt) => lists.get(address.replace(/^games-/, ""))?.[attempt - 1] ?? "K",
  });
  messages.forEach(({ count }, m) => world.put(23 * (m + 1), recipientsOf(m, count)));
  return world;
}

/** How often each recipient was delivered to or told of in a bounce. */
function outcomes(world: World): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (address: string) => counts.set(address, (counts.get(address) ?? 0) + 1);
  for (const address of world.delivered) count(address.replace(/^games-/, ""));
  for (const { paragraphs } of world.bounces) {
    // Not at a line's beginning alone: a paragraph that was cut by a crash may stand in front (as in qmail).
    for (const [, address] of paragraphs.matchAll(/<([^<>\n]*)>:$/gm)) count(address!);
  }
  return counts;
}

/** Lets one life run its course, and leaves the disk as it was at its end. */
async function live(world: World, life: Life, next: () => World["disk"]): Promise<void> {
  let left = life.n;
  if (life.at === "disk") world.disk.stopAt(world.disk.operations.length + life.n);
  world.dies = (what) => what === life.at && left-- === 0;
  try {
    await world.boot();
    await world.clock.advance(life.seconds);
  } catch (error) {
    // A start that meets the end of the process.
    if (!(error instanceof Crash)) throw error;
  }
  world.dies = () => false;
  await world.kill(next());
}

async function finish(world: World): Promise<void> {
  await world.boot();
  for (let n = 0; n < 5000 && await world.clock.jump(); n++);
}

const all = (messages: readonly Message[]) => messages.flatMap(({ count }, m) => recipientsOf(m, count)).sort();

describe("Manager, without a crash", () => {
  it("delivers to or bounces every recipient exactly once, and leaves an empty queue", async () => {
    await fc.assert(
      fc.asyncProperty(anyMessages, async (messages) => {
        using world = worldOf(messages);
        await finish(world);
        assertEquals([...outcomes(world)].sort(), all(messages).map((address) => [address, 1] as [string, number]));
        assertEquals(world.disk.files(), {});
      }),
      { numRuns: 100 },
    );
  });

  it("repeats nothing that was reported before an orderly end", async () => {
    await fc.assert(
      fc.asyncProperty(anyMessages, fc.array(fc.nat(3000), { maxLength: 4 }), async (messages, stops) => {
        using world = worldOf(messages);
        for (const seconds of stops) {
          await world.boot();
          await world.clock.advance(seconds);
          const stopped = world.manager.stop(1000);
          await world.clock.advance(5);
          await stopped;
          await world.kill();
        }
        await finish(world);
        assertEquals([...outcomes(world)].sort(), all(messages).map((address) => [address, 1] as [string, number]));
      }),
      { numRuns: 80 },
    );
  });
});

describe("Manager, killed again and again", () => {
  it("loses no recipient and leaves an empty queue", async () => {
    await fc.assert(
      fc.asyncProperty(anyMessages, anyLives, async (messages, lives) => {
        using world = worldOf(messages);
        for (const life of lives) await live(world, life, () => world.disk.afterCrash());
        await finish(world);
        assertEquals([...outcomes(world).keys()].sort(), all(messages));
        assertEquals(world.disk.files(), {});
      }),
      { numRuns: 150 },
    );
  });

  it("loses no recipient when the power fails, whatever of the unsynced is kept", async () => {
    const anyKeeps = fc.func(fc.constantFrom<"old" | "new" | "torn">("old", "new", "torn"));
    await fc.assert(
      fc.asyncProperty(anyMessages, anyLives, anyKeeps, async (messages, lives, keeps) => {
        using world = worldOf(messages);
        for (const life of lives) await live(world, life, () => world.disk.afterPowerLoss(keeps));
        await finish(world);
        assertEquals([...outcomes(world).keys()].sort(), all(messages));
      }),
      { numRuns: 100 },
    );
  });

  it("delivers a message of one recipient whichever operation it was killed at", async () => {
    for (const answers of [["K"], ["Z"], ["D"], ["Z", "D"]] as Answer[][]) {
      for (let n = 0; n < 30; n++) {
        using world = worldOf([{ count: 1, answers: [answers] }]);
        await live(world, { at: "disk", n, seconds: 1000 }, () => world.disk.afterCrash());
        await finish(world);
        assertEquals([[...outcomes(world).keys()], world.disk.files()], [all([{ count: 1, answers: [] }]), {}]);
      }
    }
  });
});

describe("Manager on a disk that fails now and then", () => {
  it("loses no recipient, and ends every message once it works again", async () => {
    const anyFailures = fc.array(fc.tuple(fc.nat(120), fc.constantFrom("EIO", "ENOSPC")), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(anyMessages, anyFailures, async (messages, failures) => {
        using world = worldOf(messages);
        for (const [n, code] of failures) world.disk.failAt(n, code);
        try {
          await finish(world);
        } catch (error) {
          // Its start may fail, as a process that the supervisor starts again.
          assert(error instanceof Error && /^(EIO|ENOSPC): /.test(error.message));
          await world.kill();
          await finish(world);
        }
        assertEquals([...outcomes(world).keys()].sort(), all(messages));
        assertEquals(world.disk.files(), {});
        assertEquals(world.disk.open, 0);
      }),
      { numRuns: 100 },
    );
  });
});
