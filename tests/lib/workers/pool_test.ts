import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { idleMs, mostWorkers, Pool, type Worker } from "../../../components/lib/workers/pool.ts";

class FakeWorker implements Worker {
  underWay = 0;
  closed = false;
}

/** A pool with what it started and ended. */
function world() {
  const pool = new Pool<FakeWorker>();
  const started: FakeWorker[] = [];
  const ended: FakeWorker[] = [];
  const start = () => {
    const worker = new FakeWorker();
    started.push(worker);
    return worker;
  };
  const end = (worker: FakeWorker) => {
    ended.push(worker);
    worker.closed = true;
  };
  return { started, ended, end, take: (key: string, nowMs = 0) => pool.take(key, nowMs, start, end), pool };
}

describe("Pool", () => {
  it("has one process for each user, used again", () => {
    const { take, started } = world();
    assert(take("1:1") === take("1:1"));
    assert(take("1:1") !== take("2:2"));
    assertEquals(started.length, 2);
  });

  it("starts another when the one has died", () => {
    const { take } = world();
    const first = take("1:1")!;
    first.closed = true;
    assert(take("1:1") !== first);
  });

  it("ends what has been idle for a minute, and nothing that delivers", () => {
    const { take, ended, end, pool } = world();
    const idle = take("1:1", 0)!;
    const busy = take("2:2", 0)!;
    busy.underWay = 1;
    pool.endIdle(idleMs - 1, end);
    assertEquals(ended, []);
    pool.endIdle(idleMs, end);
    assert(ended.length === 1 && ended[0] === idle);
    busy.underWay = 0;
    pool.endIdle(2 * idleMs - 1, end);
    assertEquals(ended.length, 1);
    pool.endIdle(2 * idleMs, end);
    assertEquals(ended.length, 2);
  });

  it("ends the one that was idle the longest when there are too many, and refuses when none is idle", () => {
    const { take, ended } = world();
    for (let n = 0; n < mostWorkers; n++) take(`${n}`, n)!.underWay = n === 5 || n === 9 ? 0 : 1;
    assert(take("new", 1000) !== undefined);
    assert(ended.length === 1);
    take("new", 1000)!.underWay = 1;
    take("newer", 1000)!.underWay = 1;
    assertEquals([ended.length, take("newest", 1000)], [2, undefined]);
  });

  it("never has more than its cap, nor ends one that delivers", () => {
    const anyStep = fc.tuple(fc.nat(60), fc.constantFrom("take", "done", "idle"), fc.nat(idleMs));
    fc.assert(fc.property(fc.array(anyStep, { maxLength: 200 }), (steps) => {
      const { started, pool } = world();
      let nowMs = 0;
      const end = (worker: FakeWorker) => {
        assertEquals(worker.underWay, 0);
        worker.closed = true;
      };
      for (const [user, kind, ms] of steps) {
        nowMs += ms;
        if (kind === "take") {
          const worker = pool.take(`${user}`, nowMs, () => {
            const fresh = new FakeWorker();
            started.push(fresh);
            return fresh;
          }, end);
          if (worker !== undefined) worker.underWay++;
        } else if (kind === "idle") pool.endIdle(nowMs, end);
        else {
          const worker = started[user];
          if (worker !== undefined && worker.underWay > 0) worker.underWay--;
        }
        assert(started.filter((worker) => !worker.closed).length <= mostWorkers);
      }
    }));
  });

  it("ends all", () => {
    const { take, ended, end, pool } = world();
    for (const key of ["1:1", "2:2", "3:3"]) take(key);
    pool.endAll(end);
    assertEquals(ended.length, 3);
  });
});
