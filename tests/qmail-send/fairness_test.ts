import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Outcome } from "../../components/qmail-send/outcome.ts";
import { Dispatcher, type Job, jobsOf, pendingRecipient } from "../../components/qmail-send/dispatcher.ts";
import { Bench, domains } from "./bench.ts";

describe("Dispatcher: one destination", () => {
  it("gets five deliveries at first, then one more for each window of answers; no message gets the last place", () => {
    const bench = new Bench<string>(20);
    bench.add("bulk", domains(1, 100));
    bench.add("other", domains(1, 100));
    assertEquals(bench.start().length, 5);
    for (let n = 0; n < 5; n++) bench.end();
    assertEquals(bench.start().length, 6);
    assertEquals(bench.view("d0"), {
      ...{ name: "d0", site: false, running: 6, waiting: 189, window: 6, unreachable: false, paused: false },
      ...{ rate: "", pausedUntilMs: 0, lastCode: 0, lastError: "" },
    });
  });

  it("has a place for a fresh message at once, however long another keeps it busy", () => {
    const bench = new Bench<string>(20);
    bench.add("bulk", domains(1, 1000));
    for (let n = 0; n < 300; n++) {
      bench.start();
      const { running, window } = bench.view("d0")!;
      assertEquals(running, Math.min(window - 1, Math.ceil(window * 7 / 8)));
      bench.add("fresh", ["d0"]);
      assertEquals(bench.start(), ["d0"]);
      bench.end("answered", bench.running.length - 1);
      bench.start();
      bench.end();
    }
    assertEquals(bench.started.filter(({ message }) => message === "fresh").length, 300);
  });

  it("never holds every slot, nor does one message", () => {
    const bench = new Bench<string>(20);
    bench.add("bulk", domains(1, 1000));
    const run = (most: number) => {
      for (let n = 0; n < 500; n++) {
        bench.start();
        assert(bench.running.length <= most);
        bench.end();
      }
      bench.start();
      assertEquals(bench.running.length, most);
    };
    run(15);
    bench.add("another", domains(1, 1000));
    run(17);
    bench.add("fresh", ["other"]);
    assertEquals(bench.start(), ["other"]);
  });

  it("holds nothing back but deliveries to itself", () => {
    const bench = new Bench<string>(20);
    bench.add("bulk", [...domains(1, 50), "a", "b"]);
    bench.add("fresh", ["d0", "c"]);
    assertEquals(bench.start().toSorted(), ["a", "b", "c", "d0", "d0", "d0", "d0", "d0"]);
  });

  it("can be paused and resumed, before it has deliveries or while it has", () => {
    const bench = new Bench<string>(20);
    bench.dispatcher.pause("d0");
    bench.add("m", [...domains(2, 2), "d2", "d2"]);
    bench.dispatcher.pause("d1");
    assertEquals([...bench.dispatcher.paused], ["d0", "d1"]);
    assertEquals(bench.start(), ["d2", "d2"]);
    assertEquals(bench.view("d1")?.paused, true);
    bench.dispatcher.resume("d0");
    assertEquals(bench.start(), ["d0", "d0"]);
    bench.dispatcher.resume("d1");
    bench.dispatcher.resume("never paused");
    assertEquals(bench.start(), ["d1", "d1"]);
    assertEquals([...bench.dispatcher.paused], []);
  });

  it("keeps its room when a limit falls, and starts nothing until it is below", () => {
    const bench = new Bench<string>(20);
    bench.add("m", domains(1, 29));
    bench.add("n", ["d0"]);
    assertEquals(bench.start().length, 5);
    bench.dispatcher.setLimits({ local: 1, remote: 4 });
    bench.end();
    bench.end();
    assertEquals(bench.start(), []);
    bench.end();
    assertEquals(bench.start(), ["d0"]);
    bench.dispatcher.setLimits({ local: 1, remote: 0 });
    bench.drain();
    assertEquals([bench.start(), bench.dispatcher.running.remote], [[], 0]);
    bench.dispatcher.setLimits({ local: 1, remote: 20 });
    bench.start();
    bench.drain();
    assertEquals(bench.started.length, 30);
  });

  it("ends a delivery once", () => {
    const bench = new Bench<string>(1);
    bench.add("m", ["a"]);
    bench.start();
    const job = bench.end()!;
    assertThrows(() => bench.dispatcher.ended(job, "answered"));
  });
});

describe("Dispatcher: unreachable destinations", () => {
  it("hold half of the slots together, and take turns for them", () => {
    const bench = new Bench<string>(20);
    bench.add("bulk", domains(100, 5));
    for (let n = 0; n < 2000 && bench.started.length < 400; n++) {
      bench.start();
      bench.end("unreachable");
    }
    bench.start();
    assertEquals(bench.running.length, 10);
    const counts = Map.groupBy(bench.started, ({ destination }) => destination);
    const most = [...counts.values()].map((jobs) => jobs.length);
    assert(Math.max(...most) - Math.min(...most) <= 2, most.join(" "));
    bench.add("fresh", domains(20, 1, "alive"));
    assertEquals(bench.start().length, 10);
  });

  it("are tried again with all they may have once one delivery is answered", () => {
    const bench = new Bench<string>(4);
    bench.add("m", domains(1, 10));
    bench.start();
    for (let n = 0; n < 3; n++) bench.end("unreachable");
    assertEquals([bench.start().length, bench.view("d0")?.unreachable], [1, true]);
    bench.end("answered");
    assertEquals([bench.start().length, bench.view("d0")?.unreachable], [2, false]);
  });

  it("cost nobody a search: 10,000 messages wait for one while others go on", () => {
    const bench = new Bench<number>(20);
    bench.dispatcher.pause("dead");
    for (let message = 0; message < 10_000; message++) bench.add(message, ["dead", "alive"]);
    bench.start();
    bench.drain();
    assertEquals(bench.started.length, 10_000);
    bench.dispatcher.resume("dead");
    bench.drain(() => "unreachable");
    assertEquals(bench.started.slice(10_000).map(({ message }) => message), [...Array(10_000).keys()]);
  });
});

describe("Dispatcher: whose turn it is", () => {
  it("delays a fresh message to a free destination by one turn of each other message at the most", () => {
    const anyBulk = fc.record({ domains: fc.integer({ min: 1, max: 30 }), times: fc.integer({ min: 1, max: 5 }) });
    fc.assert(fc.property(
      fc.array(anyBulk, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 2, max: 12 }),
      fc.nat(60),
      (bulks, limit, warmUp) => {
        const bench = new Bench<string>(limit);
        bulks.forEach((bulk, n) => bench.add(`bulk ${n}`, domains(bulk.domains, bulk.times)));
        for (let n = 0; n < warmUp; n++) {
          bench.start();
          bench.end();
        }
        bench.start();
        const from = bench.started.length;
        bench.add("fresh", ["elsewhere"]);
        bench.runUntilStarted("fresh");
        const before = bench.started.slice(from).findIndex(({ message }) => message === "fresh");
        assert(before <= bulks.length, `${before} deliveries before it`);
      },
    ));
  });

  it("does so with 100,000 recipients in one domain, and in 1,000", () => {
    for (const many of [1, 1000]) {
      const bench = new Bench<string>(20);
      bench.add("bulk", domains(many, 100_000 / many));
      for (let n = 0; n < 100; n++) {
        bench.start();
        bench.end();
      }
      bench.start();
      bench.end();
      bench.end();
      bench.add("fresh", ["elsewhere"]);
      assertEquals(bench.start().indexOf("elsewhere"), 1);
    }
  });

  it("delays a fresh message to a busy destination by one delivery of each that waits there", () => {
    fc.assert(fc.property(
      fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 2, max: 12 }),
      fc.nat(30),
      fc.array(fc.nat(3), { maxLength: 40 }),
      (bulks, limit, warmUp, later) => {
        const bench = new Bench<string>(limit);
        bulks.forEach((bulk, n) => bench.add(`bulk ${n}`, bulk.map((domain) => `d${domain}`)));
        for (let n = 0; n < warmUp; n++) {
          bench.start();
          bench.end();
        }
        bench.start();
        const from = bench.started.length;
        const done = Map.groupBy(bench.started.filter(({ destination }) => destination === "d0"), (job) => job.message);
        const waiting = bulks.filter((bulk, n) =>
          bulk.filter((domain) => domain === 0).length > (done.get(`bulk ${n}`)?.length ?? 0)
        ).length;
        bench.add("fresh", ["d0"]);
        bench.start();
        // Whatever comes after it changes nothing.
        const pending = [...later];
        bench.runUntilStarted("fresh", () => {
          const domain = pending.pop();
          if (domain !== undefined) bench.add(`later ${pending.length}`, ["d0", `d${domain}`]);
        });
        const before = bench.started.slice(from).filter(({ destination }) => destination === "d0")
          .findIndex(({ message }) => message === "fresh");
        assert(before <= waiting, `${before} deliveries before it, ${waiting} messages`);
      },
    ));
  });

  it("gives those that lost their room their places back, at the destination and in the order of turns", () => {
    const bench = new Bench<string>(4);
    // One slot is left, and one destination may have three.
    bench.add("long", ["h0", "h1", "h2"]);
    bench.start();
    for (const [message, domain] of [["a", "d0"], ["b", "d0"], ["c", "e"], ["d", "e"]] as const) {
      bench.add(message, [domain]);
    }
    bench.dispatcher.pause("d0");
    bench.start();
    bench.add("f", ["d0"]);
    bench.dispatcher.resume("d0");
    bench.end("answered", 3);
    while (bench.start().length > 0) bench.end("answered", 3);
    assertEquals(bench.started.slice(3).map(({ message }) => message).join(""), "cabdf");
  });

  it("lets no message wait for ever while fresh ones keep coming, whatever becomes of them", () => {
    const anyOutcome = fc.constantFrom<Outcome>("answered", "unreachable", "unknown");
    fc.assert(fc.property(
      fc.array(anyOutcome, { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 2, max: 30 }),
      (outcomes, places, limit, many) => {
        const bench = new Bench<string>(limit);
        for (let n = 0; n < many; n++) bench.add(`early ${n}`, ["d0", `d${n % 4}`, `e${n}`]);
        bench.add("patient", ["d0"]);
        for (let n = 0; !bench.started.some(({ message }) => message === "patient"); n++) {
          assert(n < 100 * many, `not started after ${n} deliveries`);
          bench.add(`fresh ${n}`, ["d0", `d${n % 4}`]);
          bench.start();
          bench.end(outcomes[n % outcomes.length], places[n % places.length]! % Math.max(1, bench.running.length));
        }
      },
    ));
  });

  it("comes to the end of 100,000 deliveries to 1,000 domains, and of as many messages to one", () => {
    const bulk = new Bench<string>(20);
    bulk.add("bulk", domains(1000, 100));
    bulk.start();
    bulk.drain((job) => job.destination.endsWith("7") ? "unreachable" : "answered");
    assertEquals(new Set(bulk.started).size, 100_000);
    const many = new Bench<number>(20);
    for (let message = 0; message < 100_000; message++) many.add(message, ["d0"]);
    many.start();
    many.drain();
    assertEquals(many.started.map(({ message }) => message), [...Array(100_000).keys()]);
  });
});

describe("Dispatcher: the local channel", () => {
  it("gives a message three quarters of the slots while it is alone, and a quarter beside others' mail", () => {
    const dispatcher = new Dispatcher<string>({ local: 40, remote: 1 });
    const running: Job<string>[] = [];
    const start = (nowMs: number) => {
      for (let job = dispatcher.next(nowMs); job !== undefined; job = dispatcher.next(nowMs)) running.push(job);
    };
    const add = (message: string, count: number, nowMs: number) => {
      const recipients = Array.from({ length: count }, (_, n) => pendingRecipient(`u${n}@h`));
      dispatcher.add("local", jobsOf(message, "local", recipients, undefined), nowMs);
      start(nowMs);
    };
    /** Ends the delivery of `message` that has run longest. */
    const end = (message: string, nowMs: number) => {
      const [job] = running.splice(running.findIndex((one) => one.message === message), 1);
      dispatcher.ended(job!, "answered", undefined, nowMs);
      start(nowMs);
    };
    const runningOf = (message: string) => running.filter((job) => job.message === message).length;
    add("bulk", 1000, 0);
    assertEquals(runningOf("bulk"), 30);
    add("fresh", 1, 1000);
    assertEquals(runningOf("fresh"), 1);
    end("fresh", 1000);
    for (let n = 0; n < 100; n++) end("bulk", 1000 + n);
    assertEquals(runningOf("bulk"), 10);
    end("bulk", 60_999);
    assertEquals(runningOf("bulk"), 10);
    end("bulk", 61_000);
    assertEquals(runningOf("bulk"), 30);
  });
});
