import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { defaultRules, type SiteRules } from "../../components/lib/shaping/shaping_file.ts";
import { Bucket } from "../../components/qmail-send/bucket.ts";
import type { Outcome } from "../../components/qmail-send/outcome.ts";
import { Pace } from "../../components/qmail-send/pace.ts";

const outcomes: readonly Outcome[] = ["answered", "overloaded", "unreachable", "unknown"];
const hour = 3_600_000;

/** A destination's pace, taught by deliveries that begin and end one after the other. */
class Taught {
  readonly pace: Pace;
  started = 0;
  nowMs = 1_795_333_684_000;

  constructor(rules: Partial<SiteRules> = { backoff: undefined }) {
    this.pace = new Pace({ ...defaultRules, ...rules });
  }

  learn(outcome: Outcome, times = 1, { most = 100, startedAt = undefined as number | undefined } = {}): number {
    for (let n = 0; n < times; n++) {
      const latest = ++this.started;
      this.pace.learn(outcome, { startedAt: startedAt ?? latest, latest, most, nowMs: this.nowMs });
    }
    return this.pace.window;
  }

  /** How long nothing may begin. */
  get waitMs(): number {
    return Math.max(0, this.pace.readyAtMs(this.nowMs) - this.nowMs);
  }
}

describe("Pace: the window", () => {
  it("grows by one for each full window of answers", () => {
    const taught = new Taught();
    assertEquals([4, 1, 5, 1, 7].map((answers) => taught.learn("answered", answers)), [5, 6, 6, 7, 8]);
  });

  for (const outcome of ["unreachable", "overloaded"] as const) {
    it(`is halved by a delivery that was ${outcome}, down to one`, () => {
      const taught = new Taught({ start: 20, backoff: undefined });
      assertEquals([1, 1, 1, 1, 1].map((times) => taught.learn(outcome, times)), [10, 5, 2, 1, 1]);
    });
  }

  it("is halved once for all deliveries that were under way", () => {
    const taught = new Taught({ start: 20, backoff: undefined });
    taught.started = 20;
    taught.learn("unreachable", 1, { startedAt: 1 });
    for (let startedAt = 2; startedAt <= 21; startedAt++) taught.learn("unreachable", 1, { startedAt });
    assertEquals(taught.pace.window, 10);
    assertEquals(taught.learn("unreachable"), 5);
  });

  it("belongs to a destination that is unreachable until the next reply, old deliveries' included", () => {
    const taught = new Taught();
    const seen = (["unreachable", "unknown", "answered", "unreachable", "overloaded"] as const).map((outcome) => {
      taught.learn(outcome, 1, { startedAt: 0 });
      return taught.pace.unreachable;
    });
    assertEquals(seen, [true, true, false, true, false]);
  });

  it("is halved from what may be had, not from what once was", () => {
    assertEquals(new Taught({ start: 40, backoff: undefined }).learn("unreachable", 1, { most: 8 }), 4);
  });

  it("never gives more room than the site's own limit, or than one destination may have", () => {
    const taught = new Taught({ concurrency: 7, start: 9 });
    assertEquals([taught.pace.room(100), taught.pace.room(3)], [7, 3]);
    taught.learn("answered", 500);
    assertEquals(taught.pace.room(100), 7);
  });

  it("stays between one and the most one destination may have", () => {
    const anySteps = fc.array(fc.tuple(fc.constantFrom(...outcomes), fc.nat(3)), { maxLength: 200 });
    fc.assert(fc.property(fc.integer({ min: 1, max: 12 }), anySteps, fc.boolean(), (most, steps, pauses) => {
      const start = Math.min(5, most);
      const taught = new Taught(pauses ? { start } : { start, backoff: undefined });
      for (const [outcome, age] of steps) {
        const before = taught.pace.window;
        taught.learn(outcome, 1, { most, startedAt: Math.max(0, taught.started + 1 - age) });
        const { window } = taught.pace;
        assert(window >= 1 && window <= most && window <= before + 1 && window >= Math.floor(before / 2));
        if (outcome === "unknown") assertEquals(window, before);
        assert(taught.pace.room(most) >= 1 && taught.pace.room(most) <= window);
      }
    }));
  });

  it("begins anew after an idle time, where the rules say so, and never grows by that", () => {
    const taught = new Taught({ idleSeconds: 600 });
    taught.learn("answered", 40);
    const grown = taught.pace.window;
    taught.pace.rest(taught.nowMs);
    taught.pace.wake(taught.nowMs + 599_999);
    assertEquals(taught.pace.window, grown);
    taught.pace.wake(taught.nowMs + 600_000);
    assertEquals(taught.pace.window, 5);
    taught.learn("overloaded", 2);
    taught.pace.wake(taught.nowMs + hour);
    assertEquals(taught.pace.window, 1);
  });
});

describe("Pace: pauses", () => {
  it("come after three setbacks in a row, each twice as long as the one before, up to the longest", () => {
    const taught = new Taught({});
    const seconds: number[] = [];
    for (let n = 0; n < 10; n++) {
      taught.learn("overloaded");
      seconds.push(taught.waitMs / 1000);
      taught.nowMs += taught.waitMs;
      assertEquals(taught.pace.room(100) === 1, n >= 2 || taught.pace.window === 1);
    }
    assertEquals(seconds, [0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
  });

  it("do not come of deliveries that were under way at one setback", () => {
    const taught = new Taught({});
    for (let n = 0; n < 50; n++) taught.learn("unreachable", 1, { startedAt: 1 });
    assertEquals([taught.waitMs, taught.pace.probing], [0, false]);
  });

  it("end with an answer, and with them the probing; the next one is short again", () => {
    const taught = new Taught({});
    taught.learn("unreachable", 4);
    assertEquals([taught.waitMs, taught.pace.probing, taught.pace.room(100)], [120_000, true, 1]);
    taught.learn("answered");
    assertEquals([taught.waitMs, taught.pace.probing, taught.pace.mostWaiting], [0, false, Infinity]);
    taught.learn("unreachable", 3);
    assertEquals(taught.waitMs, 60_000);
  });

  it("are over when an operator says so, and the probe remains", () => {
    const taught = new Taught({});
    taught.learn("unreachable", 3);
    taught.pace.endPause();
    assertEquals([taught.waitMs, taught.pace.probing], [0, true]);
  });

  it("are over for a clock that was set back to before them", () => {
    const taught = new Taught({});
    taught.learn("unreachable", 3);
    taught.nowMs -= hour;
    assertEquals([taught.waitMs, taught.pace.pausedUntilMs(taught.nowMs)], [0, undefined]);
  });

  it("send away what is too much for the memory until they end", () => {
    const taught = new Taught({});
    taught.learn("unreachable", 3);
    assertEquals(taught.pace.mostWaiting, 10);
    assertEquals(taught.pace.comeBackAtMs(taught.nowMs), taught.nowMs + 60_000);
  });
});

describe("Pace: a rate", () => {
  it("lets no more begin than it says, whatever the steps of time", () => {
    const anyRate = fc.record({ count: fc.integer({ min: 1, max: 1000 }), perSeconds: fc.constantFrom(1, 60, 3600) });
    fc.assert(fc.property(anyRate, fc.array(fc.nat(5000), { minLength: 1, maxLength: 100 }), (rate, steps) => {
      const taught = new Taught({ rate });
      const from = taught.nowMs;
      let begun = 0;
      for (const step of steps) {
        taught.nowMs += step;
        for (let tries = 0; tries < 2000 && taught.waitMs === 0; tries++) {
          taught.pace.spend(taught.nowMs);
          begun++;
        }
        const perMs = rate.count / rate.perSeconds / 1000;
        assert(begun <= perMs * (taught.nowMs - from) + Math.max(1, perMs * 1000) + 1e-6, `${begun}`);
      }
    }));
  });

  it("is used in full by who comes when told to", () => {
    const taught = new Taught({ rate: { count: 90, perSeconds: 60 } });
    const end = taught.nowMs + 600_000;
    let begun = 0;
    for (; taught.nowMs < end; begun++) {
      taught.pace.spend(taught.nowMs);
      taught.nowMs += taught.waitMs;
    }
    assert(begun >= 899 && begun <= 902, `${begun}`);
  });

  it("keeps a minute of it in memory, and gives the others turns a rate apart, at most an hour away", () => {
    const { pace, nowMs } = new Taught({ rate: { count: 120, perSeconds: 60 } });
    assertEquals(pace.mostWaiting, 120);
    const turns = Array.from({ length: 3 }, () => pace.comeBackAtMs(nowMs) - nowMs);
    assertEquals(turns, [60_000, 60_500, 61_000]);
    for (let n = 0; n < 20_000; n++) pace.comeBackAtMs(nowMs);
    assertEquals(pace.comeBackAtMs(nowMs), nowMs + hour);
  });

  it("loses nothing to a clock that is set back", () => {
    const bucket = new Bucket({ count: 1, perSeconds: 1 }, 1, 10_000);
    bucket.take(10_000);
    assertEquals(bucket.readyAtMs(5000), 6000);
    assertEquals(bucket.readyAtMs(6000), 6000);
  });

  it("changes with the rules at once", () => {
    const taught = new Taught({ rate: { count: 1, perSeconds: 3600 } });
    taught.pace.spend(taught.nowMs);
    assertEquals(taught.waitMs, hour);
    taught.pace.setRules({ ...defaultRules, rate: { count: 10, perSeconds: 1 } });
    assertEquals(taught.waitMs, 0);
    taught.pace.setRules(defaultRules);
    assertEquals([taught.waitMs, taught.pace.rate], [0, undefined]);
  });
});
