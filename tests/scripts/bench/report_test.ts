import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch } from "@std/assert";
import type { LoadReport } from "../../../scripts/bench/load.ts";
import { type Options, parseOptions } from "../../../scripts/bench/options.ts";
import { formatTable, makeReport } from "../../../scripts/bench/report.ts";
import { figures } from "../../../scripts/bench/scenarios.ts";

const load: LoadReport = {
  accepted: 100,
  refused: 0,
  errors: 0,
  unfinished: 0,
  recipientsAccepted: 200,
  recipientsRefused: 0,
  startedAtMs: 5_000,
  seconds: 2,
  latency: { p50: 1, p95: 2, p99: 3, max: 4 },
  timeline: { stepMs: 1000, accepted: [50, 50], p50: [1, 1], p99: [3, 3] },
  cpuMs: 30,
  firstError: undefined,
};
const filled = {
  deliveries: 200,
  duplicates: 0,
  unnumbered: 0,
  late: 0,
  lastAtMs: 9_000,
  marks: [[6_000, 50], [9_000, 200]] as const,
};
const use = { atRest: undefined, afterwards: undefined, noisyStarts: 0, syncs: undefined };

function optionsOf(...argv: string[]): Options {
  const options = parseOptions(argv);
  if (!options.ok) throw new Error(options.error);
  return options.value;
}

describe("figures()", () => {
  it("ends at the last 250 where only acceptance counts", () => {
    const run = figures(load, 100, undefined);
    assertEquals([run.complete, run.seconds, run.messagesPerSecond, run.delivered], [true, 2, 50, undefined]);
  });

  it("ends at the last delivery where delivery is awaited", () => {
    const run = figures(load, 100, filled);
    assertEquals([run.complete, run.seconds, run.messagesPerSecond, run.recipientsPerSecond], [true, 4, 25, 50]);
  });

  it("tells how deliveries rose from the load's beginning on", () => {
    assertEquals(figures(load, 100, filled).deliveredOverTime, [[1_000, 50], [4_000, 200]]);
  });

  const failures: { name: string; run: ReturnType<typeof figures> }[] = [
    { name: "a message was refused", run: figures({ ...load, accepted: 99, refused: 1 }, 100, filled) },
    { name: "a recipient was refused", run: figures({ ...load, recipientsRefused: 1 }, 100, filled) },
    {
      name: "a filter has not done its work",
      run: figures(load, 100, undefined, { looked: 100, shown: 99, isEnough: false }),
    },
    { name: "a delivery is missing", run: figures(load, 100, { ...filled, deliveries: 199 }) },
  ];
  for (const { name, run } of failures) it(`is not complete when ${name}`, () => assertEquals(run.complete, false));
});

describe("makeReport()", () => {
  it("leaves runs that are not complete out of the figures, and counts them", () => {
    const runs = [figures(load, 100, filled), figures(load, 100, { ...filled, deliveries: 1 })];
    const report = makeReport(optionsOf("local"), runs, use, new Date(0));
    assertEquals(report.failedRuns, 1);
    assertEquals(report.figures["messages/s"], { median: 25, min: 25, max: 25 });
    assertMatch(formatTable(report), /^run 2 failed: 100 accepted.* 199 not delivered$/m);
  });

  it("says of which filter's work the messages show nothing", () => {
    const runs = [figures(load, 100, undefined, { looked: 100, shown: 98, isEnough: false })];
    const text = formatTable(makeReport(optionsOf("accept", "--sign"), runs, use, new Date(0)));
    assertMatch(text, /^accept --sign, dqmail: /);
    assertMatch(
      text,
      /^run 1 failed: 100 accepted.*; of 100 messages looked at in the queue 2 have no signatures by /m,
    );
  });

  it("says what strace counted, and for how many messages and recipients", () => {
    const syncs = { calls: { fsync: 30, fdatasync: 20 }, messages: 10, recipients: 100 };
    const text = formatTable(makeReport(optionsOf("bulk"), [], { ...use, syncs }, new Date(0)));
    assertMatch(text, /^syncs by strace: 30 fsync, 20 fdatasync for 10 messages, 5 a message, 0\.500 a recipient$/m);
  });

  it("divides the server's processor time by the messages accepted", () => {
    const run = { ...figures(load, 100, filled), serverCpuMs: 300 };
    const report = makeReport(optionsOf("local"), [run], use, new Date(0));
    assertEquals(report.figures["server CPU ms/message"]?.median, 3);
    assertEquals(report.figures["server CPU ms/recipient"]?.median, 1.5);
    assertMatch(formatTable(report), /^server CPU ms\/message +3 +3 +3$/m);
  });
});
