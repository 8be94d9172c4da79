import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import type { LoadReport } from "../../../../scripts/bench/load.ts";
import { figuresOf } from "../../../../scripts/bench/rows/measure.ts";
import { judgeRow } from "../../../../scripts/bench/rows/report.ts";
import { tableRows } from "../../../../scripts/bench/rows/table_rows.ts";
import { figures, type RunResult } from "../../../../scripts/bench/scenarios.ts";

const load: LoadReport = {
  accepted: 100,
  refused: 0,
  errors: 0,
  unfinished: 0,
  recipientsAccepted: 100,
  recipientsRefused: 0,
  startedAtMs: 0,
  seconds: 2,
  latency: { p50: 1, p95: 2, p99: 3, max: 4 },
  timeline: { stepMs: 1000, accepted: [50, 50], p50: [1, 1], p99: [3, 3] },
  cpuMs: 30,
  firstError: undefined,
};

function runOf(change: Partial<LoadReport>, serverCpuMs: number): RunResult {
  return { ...figures({ ...load, ...change }, 100, undefined), serverCpuMs };
}

describe("figuresOf()", () => {
  it("are medians over the runs in which everything arrived", () => {
    const runs = [runOf({}, 100), runOf({ seconds: 1 }, 300), runOf({ accepted: 1, refused: 99 }, 900)];
    const { "messages/s": rate, "seconds": seconds, "p99 ms": p99, "CPU ms": cpu } = figuresOf(runs);
    assertEquals([rate?.median, seconds?.median, p99?.median, cpu?.median], [75, 1.5, 3, 2]);
  });

  it("are none where no run was whole", () => assertEquals(figuresOf([runOf({ accepted: 0, refused: 100 }, 1)]), {}));
});

describe("judgeRow()", () => {
  it("sets ours beside the peers', and says whether all goals are met", () => {
    const row = tableRows.find(({ title }) => title === "accept, messages/s");
    const measured = ([["own", 300], ["postfix", 100], ["opensmtpd", 200]] as const).map(([contender, median]) => {
      const figures = { "messages/s": { median, min: 0, max: 999 } };
      return { contender, figures, runs: [], syncs: undefined, skipped: undefined };
    });
    assertEquals(row && judgeRow(row, { name: "accept", measured }), {
      title: "accept, messages/s",
      own: 300,
      peers: { postfix: 100, opensmtpd: 200 },
      goals: ["≥ 3× Postfix", "≥ 1× OpenSMTPD"],
      verdict: "met",
    });
  });
});
