import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { heldSeconds } from "../../components/lib/queue/held.ts";
import { type Retry } from "../../components/qmail-send/retry_queue.ts";
import { mostPerTurn, RetryTimer } from "../../components/qmail-send/retry_timer.ts";
import { FakeClock } from "../support/fake_clock.ts";

const day = 86_400;

/** A timer whose attempts take one of `room` places until {@link Attempts.end}. */
class Attempts implements Disposable {
  readonly clock = new FakeClock();
  readonly start = this.clock.seconds;
  /** What was due: id and seconds since the start. */
  readonly due: [number, number][] = [];
  running = 0;
  room: number;
  readonly timer: RetryTimer = new RetryTimer({
    nowSeconds: () => this.clock.seconds,
    onDue: (retry) => this.onDue(retry),
    ready: () => this.running < this.room,
  });
  onDue = ({ id }: Retry): void => {
    this.running++;
    this.due.push([id, this.clock.seconds - this.start]);
  };

  constructor(room = Infinity) {
    this.room = room;
  }

  get ids(): number[] {
    return this.due.map(([id]) => id);
  }

  add(afterSeconds: number, id: number): void {
    this.timer.add({ atSeconds: this.start + afterSeconds, id, channel: "remote" });
  }

  end(count: number): void {
    this.running -= count;
    this.timer.resume();
  }

  [Symbol.dispose](): void {
    this.timer.stop();
    this.clock[Symbol.dispose]();
  }
}

describe("RetryTimer", () => {
  it("tells of each when it is due, whatever the order they came in", async () => {
    using attempts = new Attempts();
    for (const [after, id] of [[300, 3], [100, 1], [40 * day, 4], [200, 2], [0, 0], [-50, 9]] as const) {
      attempts.add(after, id);
    }
    await attempts.clock.advance(41 * day);
    assertEquals(attempts.due, [[9, 0], [0, 0], [1, 100], [2, 200], [3, 300], [4, 40 * day]]);
    assertEquals([attempts.timer.size, attempts.clock.waiting], [0, 0]);
  });

  it("takes so many in a turn, and lets others run before the next", async () => {
    using attempts = new Attempts();
    const count = 3 * mostPerTurn + 1;
    for (let id = 0; id < count; id++) attempts.add(0, id);
    const turns: number[] = [];
    while (await attempts.clock.jump()) turns.push(attempts.due.length);
    assertEquals(turns, [mostPerTurn, 2 * mostPerTurn, 3 * mostPerTurn, count]);
    assertEquals(new Set(attempts.ids).size, count);
    assertEquals(attempts.clock.seconds, attempts.start);
  });

  it("takes no more than there is room for, and goes on when there is", async () => {
    using attempts = new Attempts(2);
    for (let id = 0; id < 5; id++) attempts.add(id, id);
    await attempts.clock.advance(10);
    assertEquals([attempts.ids, attempts.clock.waiting], [[0, 1], 0]);
    attempts.end(1);
    await attempts.clock.advance(0);
    assertEquals(attempts.ids, [0, 1, 2]);
    attempts.end(2);
    await attempts.clock.advance(0);
    assertEquals([attempts.ids, attempts.timer.size], [[0, 1, 2, 3, 4], 0]);
  });

  it("waits for room without looking again, whatever is added or made due", async () => {
    using attempts = new Attempts(0);
    attempts.add(0, 0);
    await attempts.clock.advance(1);
    attempts.add(-100, 1);
    attempts.add(1, 2);
    attempts.timer.allDue();
    assertEquals(attempts.clock.waiting, 0);
    attempts.room = 9;
    attempts.timer.resume();
    await attempts.clock.advance(0);
    assertEquals([...attempts.ids].sort(), [0, 1, 2]);
  });

  it("asks for room only when something is due, though it looks once a day", async () => {
    using attempts = new Attempts(0);
    attempts.add(2 * day, 0);
    await attempts.clock.advance(1.5 * day);
    attempts.room = 1;
    await attempts.clock.advance(day);
    assertEquals(attempts.due, [[0, 2 * day]]);
  });

  it("makes everything due but what is held, and its next attempts come in their own time", async () => {
    using attempts = new Attempts();
    attempts.add(3 * day, 1);
    attempts.add(heldSeconds - attempts.start, 2);
    const first = attempts.onDue;
    attempts.onDue = (retry) => {
      first(retry);
      attempts.add(500, retry.id);
      attempts.onDue = first;
    };
    await attempts.clock.advance(100);
    attempts.timer.allDue();
    await attempts.clock.advance(7 * day);
    assertEquals([attempts.due, attempts.timer.size], [[[1, 100], [1, 500]], 1]);
  });

  it("tells of nothing after its stop, even in the middle of a turn", async () => {
    using attempts = new Attempts();
    for (let id = 0; id < 3; id++) attempts.add(10, id);
    const first = attempts.onDue;
    attempts.onDue = (retry) => {
      first(retry);
      attempts.timer.stop();
    };
    await attempts.clock.advance(20);
    attempts.add(0, 7);
    attempts.timer.allDue();
    attempts.timer.resume();
    await attempts.clock.advance(day);
    assertEquals([attempts.ids.length, attempts.clock.waiting], [1, 0]);
  });

  it("loses and repeats none, is never early and never beyond the room, whatever ends when", async () => {
    const anyStep = fc.record({
      adds: fc.array(fc.integer({ min: -20, max: 60 }), { maxLength: 8 }),
      ends: fc.nat(6),
      seconds: fc.nat(20),
      alarm: fc.nat(9).map((n) => n === 0),
    });
    const anySteps = fc.array(anyStep, { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(anySteps, fc.integer({ min: 1, max: 5 }), async (steps, room) => {
        using attempts = new Attempts(room);
        const earliest = new Map<number, number>();
        for (const { adds, ends, seconds, alarm } of steps) {
          const elapsed = attempts.clock.seconds - attempts.start;
          for (const after of adds) {
            earliest.set(earliest.size, elapsed + after);
            attempts.add(elapsed + after, earliest.size - 1);
          }
          if (alarm) {
            attempts.timer.allDue();
            for (const [id, after] of earliest) earliest.set(id, Math.min(after, elapsed));
          }
          attempts.end(Math.min(ends, attempts.running));
          await attempts.clock.advance(seconds);
          assert(attempts.running <= room);
        }
        while (attempts.ids.length < earliest.size) {
          attempts.end(attempts.running);
          assert(await attempts.clock.jump(), "something waits, and no timer");
        }
        assertEquals([...attempts.ids].sort((a, b) => a - b), [...earliest.keys()]);
        for (const [id, after] of attempts.due) assert(after >= earliest.get(id)!, `${id} came early`);
      }),
      { numRuns: 50 },
    );
  });
});
