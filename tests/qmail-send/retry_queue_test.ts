import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { heldSeconds } from "../../components/lib/queue/held.ts";
import { type Retry, RetryQueue } from "../../components/qmail-send/retry_queue.ts";

const now = 1_795_333_684;

function drain(queue: RetryQueue, nowSeconds: number): Retry[] {
  const taken: Retry[] = [];
  for (let retry = queue.takeDue(nowSeconds); retry !== undefined; retry = queue.takeDue(nowSeconds)) taken.push(retry);
  return taken;
}

describe("RetryQueue", () => {
  const kept = [
    { input: { atSeconds: now, id: 1, channel: "local" }, want: now },
    { input: { atSeconds: now, id: 1, channel: "remote" }, want: now },
    { input: { atSeconds: now, id: Number.MAX_SAFE_INTEGER, channel: "local" }, want: now },
    { input: { atSeconds: now, id: Number.MAX_SAFE_INTEGER, channel: "remote" }, want: now },
    { input: { atSeconds: heldSeconds, id: 2189625, channel: "remote" }, want: heldSeconds },
    { input: { atSeconds: now - 0.5, id: 2, channel: "local" }, want: now },
    { input: { atSeconds: 0, id: 3, channel: "remote" }, want: 0 },
    { input: { atSeconds: -5, id: 4, channel: "local" }, want: 0 },
    { input: { atSeconds: 253_402_300_799, id: 5, channel: "remote" }, want: 2 ** 32 - 1 },
  ] as const;
  for (const { input, want } of kept) {
    it(`gives ${input.channel}/${input.id} of ${input.atSeconds} back as of ${want}, and not before`, () => {
      const queue = new RetryQueue();
      queue.add(input);
      assertEquals([queue.size, queue.earliest, queue.takeDue(want - 1)], [1, want, undefined]);
      assertEquals(queue.takeDue(want), { ...input, atSeconds: want });
      assertEquals([queue.size, queue.earliest, queue.takeDue(Infinity)], [0, undefined, undefined]);
    });
  }

  it("holds for the operator from 2100 on", () => assertEquals(heldSeconds, Date.UTC(2100, 0) / 1000));

  it("makes everything due at once but what is held", () => {
    const queue = new RetryQueue();
    const times = [now + 1, heldSeconds, now - 7, heldSeconds - 1, heldSeconds + 1, now];
    times.forEach((atSeconds, id) => queue.add({ atSeconds, id, channel: "local" }));
    queue.allDue(now);
    assertEquals(drain(queue, now).map(({ id }) => id).sort(), [0, 2, 3, 5]);
    assertEquals(drain(queue, heldSeconds + 1).map(({ id }) => id), [1, 4]);
  });

  it("takes a million and gives them in order", () => {
    const queue = new RetryQueue();
    const count = 1_000_000;
    // A step that is prime to the count goes through all of them.
    for (let n = 0; n < count; n++) {
      const at = n * 618_033 % count;
      queue.add({ atSeconds: now + at, id: 2 ** 40 + at, channel: at % 3 === 0 ? "remote" : "local" });
    }
    assertEquals([queue.size, queue.slots], [count, 2 ** 20]);
    for (let at = 0; at < count; at++) {
      const { atSeconds, id, channel } = queue.takeDue(now + at)!;
      if (atSeconds === now + at && id === 2 ** 40 + at && (channel === "remote") === (at % 3 === 0)) continue;
      throw new Error(`not number ${at}: ${atSeconds} ${channel}/${id}`);
    }
    assertEquals([queue.size, queue.earliest], [0, undefined]);
  });

  it("has at most twice the slots it needs while it grows, and gives them back as it empties", () => {
    const queue = new RetryQueue();
    const least = queue.slots;
    for (let id = 0; id < 100_000; id++) {
      queue.add({ atSeconds: id, id, channel: "local" });
      assert(queue.slots <= Math.max(least, 2 * queue.size));
    }
    while (queue.takeDue(Infinity)) assert(queue.slots <= Math.max(least, 4 * queue.size));
    assertEquals(queue.slots, least);
  });

  it("passes none over for ever when all that is taken is added again for a second later", () => {
    fc.assert(fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 40 }), (times) => {
      const queue = new RetryQueue();
      times.forEach((atSeconds, id) => queue.add({ atSeconds, id, channel: "local" }));
      const lastTaken = new Map(times.map((_, id) => [id, 0]));
      for (let turn = 0; turn < 20 * times.length; turn++) {
        // All are due all the time, there is room for one each second.
        const { id, channel } = queue.takeDue(20 + turn)!;
        assert(turn - lastTaken.get(id)! <= 2 * times.length + 20, `${id} waited from ${lastTaken.get(id)} to ${turn}`);
        lastTaken.set(id, turn);
        queue.add({ atSeconds: 20 + turn + 1, id, channel });
      }
      assert([...lastTaken.values()].every((turn) => turn > 0));
    }));
  });

  it("agrees with sorting, whatever is added, taken and made due in between", () => {
    const anyTime = fc.oneof(fc.nat(60), fc.integer({ min: heldSeconds - 2, max: heldSeconds + 2 }));
    const anyStep = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ does: fc.constant("add" as const), atSeconds: anyTime, local: fc.boolean() }),
      },
      { weight: 3, arbitrary: fc.record({ does: fc.constant("take" as const), atSeconds: anyTime }) },
      { weight: 1, arbitrary: fc.record({ does: fc.constant("allDue" as const), atSeconds: anyTime }) },
    );
    fc.assert(fc.property(fc.array(anyStep, { maxLength: 200 }), (steps) => {
      const queue = new RetryQueue();
      let model: Retry[] = [];
      const take = (atSeconds: number) => {
        const taken = queue.takeDue(atSeconds);
        const earliest = model.filter((retry) => retry.atSeconds === model[0]!.atSeconds);
        if (model.length === 0 || model[0]!.atSeconds > atSeconds) return assertEquals(taken, undefined);
        // Among those of one time any may come.
        const same = earliest.find(({ id }) => id === taken!.id);
        assertEquals(taken, same);
        model = model.filter((retry) => retry !== same);
      };
      for (const [id, step] of steps.entries()) {
        const { atSeconds } = step;
        if (step.does === "add") {
          const retry: Retry = { atSeconds, id, channel: step.local ? "local" : "remote" };
          queue.add(retry);
          model.push(retry);
        } else if (step.does === "take") take(atSeconds);
        else {
          queue.allDue(atSeconds);
          model = model.map((retry) =>
            retry.atSeconds >= heldSeconds ? retry : { ...retry, atSeconds: Math.min(retry.atSeconds, atSeconds) }
          );
        }
        model.sort((a, b) => a.atSeconds - b.atSeconds);
        assertEquals([queue.size, queue.earliest], [model.length, model[0]?.atSeconds]);
      }
      while (model.length > 0) take(Infinity);
      assertEquals(queue.takeDue(Infinity), undefined);
    }));
  });
});
