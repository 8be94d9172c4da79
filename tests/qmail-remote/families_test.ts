import fc from "fast-check";
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import type { Dialled } from "../../components/qmail-remote/dial.ts";
import {
  type Clock,
  connectFirst,
  Families,
  type First,
  headStartMs,
  restMs,
} from "../../components/qmail-remote/families.ts";

const [six, six2, six3, four, four2] = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2"] as const;

describe("Families.order()", () => {
  it("takes the families in turn, IPv6 first", () => {
    assertEquals(new Families().order([four, four2, six, six2, six3], 0), [six, four, six2, four2, six3]);
  });

  it("leaves one address, and one family, as it is", () => {
    assertEquals(new Families().order([four], 0), [four]);
    assertEquals(new Families().order([four2, four], 0), [four2, four]);
  });

  it("puts an address that failed last, for ten minutes", () => {
    const families = new Families();
    families.failed(six, 1000);
    assertEquals(families.order([six, four, six2], 1000), [six2, four, six]);
    assertEquals(families.order([six, four, six2], 999 + restMs), [six2, four, six]);
    assertEquals(families.order([six, four, six2], 1000 + restMs), [six, four, six2]);
  });

  it("puts a family last when three of its addresses failed in a row", () => {
    const families = new Families();
    for (const address of [six, six2]) families.failed(address, 0);
    assertEquals(families.order([four, six3], 0), [six3, four]);
    families.failed("2001:db8::9", 0);
    assertEquals(families.order([four, six3], 1), [four, six3]);
    assertEquals(families.order([four, six3], restMs), [six3, four]);
  });

  it("does not count one address three times", () => {
    const families = new Families();
    for (let time = 0; time < 5; time++) families.failed(six, time);
    assertEquals(families.order([four, six2], 5), [six2, four]);
  });

  it("forgets it when one of the family answers", () => {
    const families = new Families();
    for (const address of [six, six2, six3]) families.failed(address, 0);
    families.worked(six2);
    assertEquals(families.order([four, "2001:db8::9", six2, six], 1), ["2001:db8::9", four, six2, six]);
  });

  it("prefers IPv6 where both families are broken", () => {
    const families = new Families();
    for (const at of [1, 2, 3]) {
      families.failed(`2001:db8::${at}`, 0);
      families.failed(`192.0.2.${at}`, 0);
    }
    assertEquals(families.order(["192.0.2.9", "2001:db8::9"], 1), ["2001:db8::9", "192.0.2.9"]);
  });

  it("loses and repeats no address, whatever has failed", () => {
    const address = fc.constantFrom(six, six2, six3, four, four2);
    fc.assert(fc.property(fc.array(address), fc.uniqueArray(address), (failed, addresses) => {
      const families = new Families();
      failed.forEach((one, at) => families.failed(one, at));
      assertEquals([...families.order(addresses, 10)].sort(), [...addresses].sort());
    }));
  });

  it("remembers a thousand addresses at the most", () => {
    const families = new Families();
    for (let at = 0; at < 1001; at++) families.failed(`192.0.2.${at}`, at);
    families.worked("192.0.2.7");
    assertEquals(families.order(["192.0.2.1", "192.0.2.0"], 2000), ["192.0.2.0", "192.0.2.1"]);
  });
});

type Connection = Extract<Dialled, { kind: "connected" }>["connection"];

/** A world of servers that a test opens one by one. */
class World {
  readonly families = new Families();
  readonly dialled: string[] = [];
  readonly closed: string[] = [];
  readonly #answers = new Map<string, (dialled: Dialled) => void>();
  #nowMs = 0;
  #timer: { atMs: number; run: () => void } | undefined;
  timers = 0;

  readonly clock: Clock = {
    nowMs: () => this.#nowMs,
    after: (delayMs, run) => {
      this.timers++;
      const timer = { atMs: this.#nowMs + delayMs, run };
      this.#timer = timer;
      return () => {
        if (this.#timer === timer) this.#timer = undefined;
      };
    },
  };

  readonly dialOne = (address: string): Promise<Dialled> => {
    this.dialled.push(address);
    return new Promise((resolve) => this.#answers.set(address, resolve));
  };

  connect(addresses: readonly string[]): Promise<First> {
    return connectFirst(addresses, this.dialOne, this);
  }

  async answer(address: string, how: Dialled["kind"] | "unreachable"): Promise<void> {
    const answer = this.#answers.get(address)!;
    if (how === "connected") {
      const connection = { close: () => this.closed.push(address) } as unknown as Connection;
      answer({ kind: "connected", connection });
    } else answer(how === "unreachable" ? { kind: "refused", unreachable: true } : { kind: how });
    await Promise.resolve();
    await Promise.resolve();
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    const timer = this.#timer;
    if (timer === undefined || timer.atMs > this.#nowMs) return;
    this.#timer = undefined;
    timer.run();
  }

  get waits(): boolean {
    return this.#timer !== undefined;
  }
}

async function told(first: Promise<First>): Promise<{ kind: string; address?: string; rest?: readonly string[] }> {
  const { kind, ...more } = await first;
  return "address" in more ? { kind, address: more.address, rest: more.rest } : { kind };
}

describe("connectFirst()", () => {
  it("sets no timer for one address, or for one family", async () => {
    const world = new World();
    const first = world.connect([four]);
    await world.answer(four, "connected");
    assertEquals(await told(first), { kind: "connected", address: four, rest: [] });
    const second = world.connect([four, four2]);
    await world.answer(four, "timeout");
    await world.answer(four2, "connected");
    assertEquals(await told(second), { kind: "connected", address: four2, rest: [] });
    assertEquals(world.timers, 0);
  });

  it("waits a quarter of a second before it tries the other family beside the first", async () => {
    const world = new World();
    const first = world.connect([four, six]);
    assertEquals(world.dialled, [six]);
    world.pass(headStartMs - 1);
    assertEquals(world.dialled, [six]);
    world.pass(1);
    assertEquals(world.dialled, [six, four]);
    await world.answer(four, "connected");
    assertEquals(await told(first), { kind: "connected", address: four, rest: [six] });
    assertEquals(world.families.order([four, six], 300), [four, six]);
  });

  it("closes the connection that came second, and knows that its address works", async () => {
    const world = new World();
    const first = world.connect([four, six]);
    world.pass(headStartMs);
    await world.answer(four, "connected");
    await first;
    await world.answer(six, "connected");
    assertEquals(world.closed, [six]);
    assertEquals(world.families.order([four, six], 300), [six, four]);
  });

  it("tries the next at once when one fails, and leaves no timer behind", async () => {
    const world = new World();
    const first = world.connect([four, six]);
    assert(world.waits);
    await world.answer(six, "refused");
    assertEquals(world.dialled, [six, four]);
    assert(!world.waits);
    await world.answer(four, "connected");
    assertEquals(await told(first), { kind: "connected", address: four, rest: [] });
  });

  it("has never more than two attempts under way, and those of two families", async () => {
    const world = new World();
    const first = world.connect([six, six2, six3, four, four2]);
    world.pass(headStartMs);
    world.pass(10 * headStartMs);
    assertEquals(world.dialled, [six, four]);
    await world.answer(six, "timeout");
    assertEquals(world.dialled, [six, four, six2]);
    await world.answer(four, "connected");
    assertEquals(await told(first), { kind: "connected", address: four, rest: [four2, six3, six2] });
  });

  it("answers none once every address has failed", async () => {
    const world = new World();
    const first = world.connect([four, six]);
    world.pass(headStartMs);
    await world.answer(four, "not granted");
    await world.answer(six, "unreachable");
    assertEquals(await told(first), { kind: "none" });
    assertEquals(await told(world.connect([])), { kind: "none" });
  });

  it("costs a quarter of a second for three servers, and then nothing, where IPv6 leads nowhere", async () => {
    const world = new World();
    for (const at of [1, 2, 3]) {
      const first = world.connect([`192.0.2.${at}`, `2001:db8::${at}`]);
      world.pass(headStartMs);
      await world.answer(`192.0.2.${at}`, "connected");
      await first;
    }
    const before = world.dialled.length;
    const next = world.connect([four2, "2001:db8::9"]);
    assertEquals(world.dialled.slice(before), [four2]);
    await world.answer(four2, "connected");
    assertEquals(await told(next), { kind: "connected", address: four2, rest: ["2001:db8::9"] });
    assertEquals(world.dialled.slice(before), [four2]);
  });

  it("dials each address once at the most and ends, whatever they answer", async () => {
    const kinds = fc.constantFrom("connected", "refused", "timeout", "unreachable", "not granted");
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.constantFrom(six, six2, six3, four, four2)),
        fc.array(kinds, { minLength: 5, maxLength: 5 }),
        fc.boolean(),
        async (addresses, hows, wait) => {
          const world = new World();
          const first = world.connect(addresses);
          for (let at = 0; at < world.dialled.length; at++) {
            if (wait) world.pass(headStartMs);
            await world.answer(world.dialled[at]!, hows[at]!);
          }
          const { kind } = await first;
          assertEquals(new Set(world.dialled).size, world.dialled.length);
          assertEquals(kind === "connected", world.dialled.some((_, at) => hows[at] === "connected"));
        },
      ),
    );
  });
});
