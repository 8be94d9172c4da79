import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { defaultShaping, parseShaping, type Shaping } from "../../components/lib/shaping/shaping_file.ts";
import { mostForDestination } from "../../components/qmail-send/shares.ts";
import { type Added, Dispatcher, type Job } from "../../components/qmail-send/dispatcher.ts";
import type { Outcome, Told } from "../../components/qmail-send/outcome.ts";
import { Sites } from "../../components/qmail-send/sites.ts";
import { remoteJobs } from "./bench.ts";

const at = (site: string): Told => ({ site, code: 0, error: undefined });
const shapingOf = (text: string): Shaping => {
  const parsed = parseShaping(text);
  assert(parsed.ok);
  return parsed.value;
};

/** A dispatcher on a clock that the test moves. */
class Timed {
  readonly dispatcher: Dispatcher<number>;
  readonly running: Job<number>[] = [];
  nowMs = 1_795_333_684_000;

  constructor(shaping: Shaping = defaultShaping, remote = 20) {
    this.dispatcher = new Dispatcher({ local: 1, remote }, shaping);
  }

  add(message: number, ...domains: readonly string[]): Added<number> {
    return this.dispatcher.add("remote", remoteJobs(message, domains), this.nowMs);
  }

  /** Starts what can be; answers how many. */
  start(): number {
    this.dispatcher.tick(this.nowMs);
    let count = 0;
    for (let job = this.dispatcher.next(this.nowMs); job !== undefined; job = this.dispatcher.next(this.nowMs)) {
      this.running.push(job);
      count++;
    }
    return count;
  }

  end(outcome: Outcome = "answered", site = "", place = 0): Job<number> | undefined {
    const [job] = this.running.splice(place, 1);
    if (job !== undefined) this.dispatcher.ended(job, outcome, at(site), this.nowMs);
    return job;
  }

  /** Every destination as `name running/window+waiting`, sites in capitals. */
  views(): string[] {
    return this.dispatcher.destinations(100, this.nowMs).map(({ name, site, running, window, waiting }) =>
      `${site ? name.toUpperCase() : name} ${running}/${window}+${waiting}`
    ).toSorted();
  }
}

const many = (count: number, ...domains: string[]) => Array.from({ length: count }, () => domains).flat();

describe("Sites", () => {
  it("remembers what is used, and forgets the rest within its bounds", () => {
    const sites = new Sites(100);
    for (let n = 0; n < 1000; n++) {
      sites.set(`d${n}`, "@s");
      assertEquals(sites.get("d0"), "@s");
      assert(sites.size <= 100);
    }
    assertEquals([sites.get("d999"), sites.get("d500"), sites.get("__proto__")], ["@s", undefined, undefined]);
  });
});

describe("Dispatcher: sites", () => {
  it("are domains by themselves until a report tells, and share one window then", () => {
    const timed = new Timed();
    timed.add(1, ...many(4, "a.example", "b.example", "c.example"));
    assertEquals([timed.start(), timed.views()], [12, ["a.example 4/5+0", "b.example 4/5+0", "c.example 4/5+0"]]);
    timed.add(2, ...many(10, "a.example", "b.example"));
    assertEquals(timed.start(), 2);
    timed.end("answered", "provider.example", 0);
    assertEquals(timed.views(), ["PROVIDER.EXAMPLE 4/5+9", "b.example 5/5+9", "c.example 4/5+0"]);
    timed.end("answered", "provider.example", 0);
    assertEquals(timed.views(), ["PROVIDER.EXAMPLE 8/5+18", "c.example 4/5+0"]);
    assertEquals(timed.start(), 0);
    while (timed.running.length > 0) timed.end("answered", "provider.example");
    timed.start();
    assert(/^PROVIDER.EXAMPLE [67]\/[67]/.test(timed.views()[0]!), timed.views()[0]);
    assertEquals(timed.views().length, 1);
  });

  it("hand their first domain's pace on, and keep theirs when others join", () => {
    const timed = new Timed();
    timed.add(1, "a.example");
    timed.start();
    timed.end("unreachable", "s.example");
    timed.add(2, "b.example");
    timed.start();
    timed.add(3, "a.example");
    timed.end("answered", "s.example");
    assertEquals(timed.views(), ["S.EXAMPLE 0/2+1"]);
  });

  it("are halved once by the deliveries of all their domains that were under way", () => {
    const timed = new Timed(shapingOf("*: start=8 backoff=0\n"));
    timed.add(1, "a.example", "b.example", "c.example", "d.example");
    timed.start();
    timed.add(2, "a.example");
    while (timed.running.length > 0) timed.end("overloaded", "s.example");
    assertEquals(timed.views(), ["S.EXAMPLE 0/4+1"]);
  });

  it("leave out a domain that a line of its own names, and one that an operator paused", () => {
    const timed = new Timed(shapingOf("own.example: concurrency=2\n"));
    for (const domain of ["own.example", "held.example"]) {
      timed.add(1, domain);
      timed.start();
      timed.end("answered", "s.example");
    }
    timed.dispatcher.pause("held.example");
    timed.add(2, ...many(4, "own.example", "held.example"));
    assertEquals([timed.start(), timed.views()], [2, ["OWN.EXAMPLE 2/2+2", "held.example 0/5+4"]]);
  });

  it("count one message's deliveries to all their domains as one place in the line", () => {
    const timed = new Timed(shapingOf("*: concurrency=1\n"));
    const domains = Array.from({ length: 50 }, (_, n) => `d${n}.example`);
    for (const domain of domains) {
      timed.add(0, domain);
      timed.start();
      timed.end("answered", "s.example");
    }
    timed.add(1, ...domains);
    timed.add(2, "d7.example");
    timed.start();
    timed.end("answered", "s.example");
    timed.start();
    assertEquals(timed.running.map(({ message }) => message), [2]);
  });

  it("keep to their rate, however often they are asked, and to a new one at once", () => {
    const timed = new Timed(shapingOf("*: rate=60/m start=100\n"), 1000);
    timed.add(1, ...many(50, "a.example"));
    assertEquals([timed.start(), timed.start(), timed.dispatcher.wakeAtMs - timed.nowMs], [1, 0, 1000]);
    timed.nowMs += 999;
    assertEquals(timed.start(), 0);
    timed.nowMs += 1;
    assertEquals(timed.start(), 1);
    timed.dispatcher.setShaping(shapingOf("*: start=100\n"), timed.nowMs);
    assertEquals(timed.start(), 48);
  });

  it("are paused after setbacks, probed by one delivery, and go on when it is answered", () => {
    const timed = new Timed();
    timed.add(1, ...many(60, "a.example"));
    for (let n = 0; n < 3; n++) {
      timed.start();
      while (timed.running.length > 0) timed.end("overloaded", "s.example");
    }
    const [view] = timed.dispatcher.destinations(1, timed.nowMs);
    assertEquals([view!.pausedUntilMs, timed.start(), timed.dispatcher.wakeAtMs], [
      timed.nowMs + 60_000,
      0,
      timed.nowMs + 60_000,
    ]);
    timed.nowMs += 60_000;
    assertEquals(timed.start(), 1);
    timed.end("overloaded", "s.example");
    timed.nowMs += 119_999;
    assertEquals(timed.start(), 0);
    timed.nowMs += 1;
    assertEquals(timed.start(), 1);
    timed.end("answered", "s.example");
    assertEquals(timed.start(), 2);
    timed.end("answered", "s.example");
    timed.end("answered", "s.example");
    assertEquals(timed.start(), 3);
  });

  it("have no more than a few wait in memory while paused: large messages' go first, then the last comers", () => {
    const timed = new Timed();
    for (let n = 0; n < 3; n++) {
      timed.add(0, "a.example");
      timed.start();
      timed.end("unreachable", "s.example");
    }
    assertEquals(timed.running.length, 0);
    timed.add(1, ...many(100, "a.example"));
    for (let message = 2; message < 6; message++) timed.add(message, "a.example");
    const taken = timed.dispatcher.takeBack(timed.nowMs);
    assertEquals(taken.length, 94);
    assertEquals(new Set(taken.map(({ job }) => job.message)), new Set([1]));
    assertEquals(new Set(taken.map(({ atMs }) => atMs)), new Set([timed.nowMs + 60_000]));
    for (let message = 6; message < 30; message++) timed.add(message, "a.example");
    const late = timed.dispatcher.takeBack(timed.nowMs).map(({ job }) => job.message);
    assert(late.includes(29) && !late.includes(2), late.join(" "));
    assertEquals(timed.dispatcher.takeBack(timed.nowMs), []);
  });

  it("may be crowded, have everything removed, and be there again before somebody looks", () => {
    const timed = new Timed();
    for (let n = 0; n < 3; n++) {
      timed.add(0, "a.example");
      timed.start();
      timed.end("unreachable", "s.example");
    }
    timed.dispatcher.remove("remote", timed.add(1, ...many(30, "a.example")), timed.nowMs);
    timed.add(2, "a.example");
    assertEquals([timed.dispatcher.takeBack(timed.nowMs), timed.views()], [[], ["S.EXAMPLE 0/1+1"]]);
  });

  it("are tried at once when an operator has everything tried", () => {
    const timed = new Timed();
    timed.add(1, ...many(9, "a.example"));
    for (let n = 0; n < 3; n++) {
      timed.start();
      while (timed.running.length > 0) timed.end("unreachable", "s.example");
    }
    assertEquals(timed.start(), 0);
    timed.dispatcher.endPauses(timed.nowMs);
    assertEquals(timed.start(), 1);
  });
});

type Step =
  | { readonly kind: "add"; readonly to: readonly number[] }
  | { readonly kind: "start" | "take back" | "end pauses" }
  | { readonly kind: "remove"; readonly place: number }
  | { readonly kind: "end"; readonly place: number; readonly outcome: Outcome; readonly site: number }
  | { readonly kind: "pass"; readonly seconds: number }
  | { readonly kind: "pause" | "resume" | "shaping"; readonly which: number };

describe("Dispatcher: sites that are learnt, in any order of events", () => {
  const kind = <K extends string>(name: K) => fc.constant(name);
  const anyStep: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: kind("add"), to: fc.array(fc.nat(5), { maxLength: 30 }) }) },
    { weight: 6, arbitrary: fc.record({ kind: kind("start") }) },
    {
      weight: 10,
      arbitrary: fc.record({
        kind: kind("end"),
        place: fc.nat(20),
        outcome: fc.constantFrom<Outcome>("answered", "answered", "overloaded", "unreachable", "unknown"),
        // 0: none is told.
        site: fc.nat(3),
      }),
    },
    fc.record({ kind: kind("remove"), place: fc.nat(20) }),
    fc.record({ kind: kind("take back") }),
    fc.record({ kind: kind("end pauses") }),
    { weight: 3, arbitrary: fc.record({ kind: kind("pass"), seconds: fc.nat(200) }) },
    fc.record({ kind: fc.constantFrom("pause" as const, "resume" as const, "shaping" as const), which: fc.nat(3) }),
  );
  const shapings = ["", "*: start=3 rate=30/m\n", "*: backoff=5..20 failures=1\n", "d1: concurrency=1\n.x: rate=1/s\n"]
    .map(shapingOf);
  const names = ["d0", "d1", "s1", "s2"];

  it("neither lose a delivery nor make one twice, keep limits, and come to an end", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 200, size: "max" }), (steps) => {
        const timed = new Timed(shapings[0], 8);
        const { dispatcher } = timed;
        /** Added, and neither started nor taken back. */
        const waiting = new Set<Job<number>>();
        const handles: { message: number; added: Added<number> }[] = [];
        const started: Job<number>[] = [];
        let expected = 0;
        const gone = (job: Job<number>) => {
          assert(waiting.delete(job), "taken back, or started, what was not there");
        };
        const start = () => {
          const before = timed.running.length;
          timed.start();
          for (const job of timed.running.slice(before)) {
            gone(job);
            assert(!dispatcher.paused.has(job.destination), "started although its domain is paused");
            started.push(job);
          }
          return timed.running.length - before;
        };
        const compare = () => {
          const views = dispatcher.destinations(100, timed.nowMs);
          const sum = (of: (view: (typeof views)[number]) => number) =>
            views.reduce((total, view) => total + of(view), 0);
          assertEquals(sum(({ running }) => running), timed.running.length);
          assertEquals(sum(({ waiting }) => waiting), waiting.size);
          assert(timed.running.length <= 8);
          for (const { window, paused, running, waiting } of views) {
            // One that is paused is shown without deliveries, too.
            const least = paused && running + waiting === 0 ? 0 : 1;
            assert(window >= least && window <= mostForDestination(8));
          }
        };
        for (const [message, step] of steps.entries()) {
          switch (step.kind) {
            case "add": {
              const jobs = remoteJobs(message, step.to.map((domain) => `d${domain}`));
              for (const job of jobs) waiting.add(job);
              expected += jobs.length;
              handles.push({ message, added: dispatcher.add("remote", jobs, timed.nowMs) });
              break;
            }
            case "start":
              start();
              break;
            case "end":
              timed.end(
                step.outcome,
                step.site === 0 ? "" : `s${step.site}`,
                step.place % Math.max(1, timed.running.length),
              );
              break;
            case "remove": {
              const handle = handles.at(-1 - step.place);
              if (handle === undefined) break;
              const removed = dispatcher.remove("remote", handle.added, timed.nowMs);
              const mine = [...waiting].filter((job) => job.message === handle.message);
              assertEquals(new Set(removed), new Set(mine));
              removed.forEach(gone);
              expected -= removed.length;
              break;
            }
            case "take back":
            case "pause": {
              const taken = step.kind === "pause"
                ? dispatcher.pause(names[step.which]!, timed.nowMs)
                : dispatcher.takeBack(timed.nowMs);
              taken.forEach(({ job, atMs }) => {
                gone(job);
                assert(atMs >= timed.nowMs);
              });
              expected -= taken.length;
              break;
            }
            case "end pauses":
              dispatcher.endPauses(timed.nowMs);
              break;
            case "pass":
              timed.nowMs += step.seconds * 1000;
              break;
            case "shaping":
              dispatcher.setShaping(shapings[step.which]!, timed.nowMs);
              break;
            default:
              dispatcher[step.kind](names[step.which]!);
          }
          compare();
        }
        for (const name of names) dispatcher.resume(name);
        // Whatever is known by then: everything is made, and some time is enough.
        for (let turn = 0; waiting.size > 0 || timed.running.length > 0; turn++) {
          assert(turn < 10_000, `${waiting.size} wait for ever`);
          if (start() === 0 && timed.running.length === 0) {
            assert(dispatcher.wakeAtMs < Infinity, `${waiting.size} wait for nothing`);
            timed.nowMs = Math.max(timed.nowMs + 100, dispatcher.wakeAtMs);
          }
          while (timed.running.length > 0) timed.end("answered", "s1");
          compare();
        }
        assertEquals([started.length, new Set(started).size], [expected, expected]);
        assertEquals(dispatcher.destinations(9), []);
      }),
      { numRuns: 300 },
    );
  });
});
