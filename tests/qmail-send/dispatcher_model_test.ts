import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  mostForDestination,
  mostForMessage,
  mostForUnreachable,
  mostOfRoom,
} from "../../components/qmail-send/shares.ts";
import type { Added, Job } from "../../components/qmail-send/dispatcher.ts";
import type { Outcome } from "../../components/qmail-send/outcome.ts";
import { Bench, remoteJobs } from "./bench.ts";

/** The rules, told plainly: every question is answered by looking at all there is. */
class Model {
  limit = 4;
  readonly waiting = new Set<Job<number>>();
  readonly running = new Map<Job<number>, number>();
  readonly destinations = new Map<
    string,
    { window: number; answered: number; halvings: number; unreachable: boolean; paused: boolean }
  >();

  of(name: string) {
    const known = this.destinations.get(name);
    if (known !== undefined) return known;
    const fresh = { window: 5, answered: 0, halvings: 0, unreachable: false, paused: false };
    this.destinations.set(name, fresh);
    return fresh;
  }

  window(name: string): number {
    return Math.min(this.of(name).window, mostForDestination(this.limit));
  }

  runningTo(name: string): number {
    return [...this.running.keys()].filter((job) => job.destination === name).length;
  }

  waitingFor(name: string): number {
    return [...this.waiting].filter((job) => job.destination === name).length;
  }

  /** Whether a message has as many deliveries under way as one may have. */
  isFull(message: number): boolean {
    return [...this.running.keys()].filter((job) => job.message === message).length >= mostForMessage(this.limit);
  }

  /** Whether a message has as many deliveries to a destination under way as one may have. */
  isFullAt(name: string, message: number): boolean {
    const there = [...this.running.keys()].filter((job) => job.message === message && job.destination === name);
    return there.length >= mostOfRoom(this.window(name));
  }

  /** Whether room at the job's destination may be kept for a message that has all it may have: it comes to its turn later. */
  isHeldUp({ destination }: Job<number>): boolean {
    const { unreachable } = this.of(destination);
    return [...this.waiting].some((other) =>
      this.isFull(other.message) &&
      (other.destination === destination || unreachable && this.of(other.destination).unreachable)
    );
  }

  mayStart({ destination, message }: Job<number>): boolean {
    if (this.isFull(message) || this.isFullAt(destination, message)) return false;
    const { unreachable, paused } = this.of(destination);
    const toUnreachable = [...this.running.keys()].filter((job) => this.of(job.destination).unreachable).length;
    return this.running.size < this.limit && !paused && this.runningTo(destination) < this.window(destination) &&
      (!unreachable || toUnreachable < mostForUnreachable(this.limit));
  }

  start(job: Job<number>): void {
    assert(this.waiting.has(job), "started twice, or never added");
    assert(this.mayStart(job), `${job.destination} has no room`);
    this.waiting.delete(job);
    this.running.set(job, this.of(job.destination).halvings);
  }

  end(job: Job<number>, outcome: Outcome): void {
    const { destination } = job;
    const standing = this.of(destination);
    const window = this.window(destination);
    if (outcome === "answered") {
      standing.unreachable = false;
      if (++standing.answered >= window) {
        standing.answered = 0;
        if (standing.window < mostForDestination(this.limit)) standing.window++;
      }
    } else if (outcome === "unreachable") {
      standing.unreachable = true;
      if (this.running.get(job) === standing.halvings) {
        standing.halvings++;
        standing.answered = 0;
        standing.window = Math.max(1, Math.floor(window / 2));
      }
    }
    this.running.delete(job);
    this.restWhenIdle(destination);
  }

  /** Takes back what waits of a message; answers it. */
  remove(message: number): Job<number>[] {
    const removed = [...this.waiting].filter((job) => job.message === message);
    for (const job of removed) this.waiting.delete(job);
    for (const { destination } of removed) this.restWhenIdle(destination);
    return removed;
  }

  restWhenIdle(destination: string): void {
    if (this.runningTo(destination) + this.waitingFor(destination) === 0) this.of(destination).answered = 0;
  }
}

type Step =
  | { readonly kind: "add"; readonly to: readonly number[] }
  | { readonly kind: "next" }
  | { readonly kind: "remove"; readonly place: number }
  | { readonly kind: "end"; readonly place: number; readonly outcome: Outcome }
  | { readonly kind: "limit"; readonly limit: number }
  | { readonly kind: "pause" | "resume"; readonly domain: number };

describe("Dispatcher: any order of events", () => {
  const kind = <K extends string>(name: K) => fc.constant(name);
  const anyStep: fc.Arbitrary<Step> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: kind("add"), to: fc.array(fc.nat(4), { maxLength: 12 }) }) },
    { weight: 8, arbitrary: fc.record({ kind: kind("next") }) },
    {
      weight: 7,
      arbitrary: fc.record({
        kind: kind("end"),
        place: fc.nat(20),
        outcome: fc.constantFrom<Outcome>("answered", "answered", "unreachable", "unknown"),
      }),
    },
    fc.record({ kind: kind("remove"), place: fc.nat(20) }),
    fc.record({ kind: kind("limit"), limit: fc.nat(12) }),
    fc.record({ kind: fc.constantFrom("pause" as const, "resume" as const), domain: fc.nat(4) }),
  );

  it("starts every delivery once that is not taken back, within limits and windows, and leaves no slot idle that could be used", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 250, size: "max" }), (steps) => {
        const model = new Model();
        const bench = new Bench<number>(model.limit);
        const { dispatcher } = bench;
        const handles: { message: number; added: Added<number> }[] = [];
        let added = 0;
        const remove = ({ message, added: handle }: (typeof handles)[number]) => {
          const removed = dispatcher.remove("remote", handle);
          assertEquals(new Set(removed), new Set(model.remove(message)));
          added -= removed.length;
        };
        const next = (): boolean => {
          const job = dispatcher.next();
          if (job === undefined) {
            const idle = [...model.waiting].some((other) => model.mayStart(other) && !model.isHeldUp(other));
            assert(!idle, "a slot is idle");
            return false;
          }
          model.start(job);
          bench.started.push(job);
          bench.running.push(job);
          return true;
        };
        const end = (place: number, outcome: Outcome) => {
          const job = bench.end(outcome, place);
          if (job !== undefined) model.end(job, outcome);
        };
        const compare = () => {
          assertEquals(dispatcher.running, { local: 0, remote: model.running.size });
          // Those that are paused are told of without deliveries as well.
          const seen = dispatcher.destinations(100).filter(({ running, waiting }) => running + waiting > 0);
          for (const { name, running, waiting, window, unreachable, paused } of seen) {
            const standing = model.of(name);
            assertEquals(
              { running, waiting, window, unreachable, paused },
              {
                ...{ running: model.runningTo(name), waiting: model.waitingFor(name), window: model.window(name) },
                ...{ unreachable: standing.unreachable, paused: standing.paused },
              },
            );
          }
          const busy = new Set([...model.running.keys(), ...model.waiting].map((job) => job.destination));
          assertEquals(new Set(seen.map(({ name }) => name)), busy);
        };
        for (const [message, step] of steps.entries()) {
          if (step.kind === "add") {
            const jobs = remoteJobs(message, step.to.map((domain) => `d${domain}`));
            for (const job of jobs) model.waiting.add(job);
            added += jobs.length;
            handles.push({ message, added: dispatcher.add("remote", jobs) });
          } else if (step.kind === "next") next();
          else if (step.kind === "remove") {
            // What was taken back already, or has all been started, may be taken back again.
            const handle = handles.at(-1 - step.place);
            if (handle !== undefined) remove(handle);
          } else if (step.kind === "end") end(step.place % Math.max(1, bench.running.length), step.outcome);
          else if (step.kind === "limit") dispatcher.setLimits({ local: 1, remote: model.limit = step.limit });
          else {
            dispatcher[step.kind](`d${step.domain}`);
            model.of(`d${step.domain}`).paused = step.kind === "pause";
          }
          compare();
        }
        for (let domain = 0; domain <= 4; domain++) {
          dispatcher.resume(`d${domain}`);
          model.of(`d${domain}`).paused = false;
        }
        dispatcher.setLimits({ local: 1, remote: model.limit = Math.max(1, model.limit) });
        do {
          while (bench.running.length > 0) end(0, "unreachable");
        } while (next());
        compare();
        assertEquals([bench.started.length, new Set(bench.started).size], [added, added]);
      }),
      { numRuns: 300 },
    );
  });
});
