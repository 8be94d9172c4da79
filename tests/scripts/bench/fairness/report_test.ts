import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch } from "@std/assert";
import { freshFigures, type SituationFigures } from "../../../../scripts/bench/fairness/measure.ts";
import { parseFairnessOptions } from "../../../../scripts/bench/fairness/options.ts";
import { formatFairness, makeFairnessReport } from "../../../../scripts/bench/fairness/report.ts";
import type { Situation } from "../../../../scripts/bench/fairness/situations.ts";

const sent = [1, 2].map((running) => ({ running, recipient: "u4@localhost", acceptedAtMs: 1000, acceptMs: 3 }));

function figuresOf(situation: Situation, ms: number): SituationFigures {
  const fresh = freshFigures(sent, new Map([[1, 1000 + ms], [2, 1000 + ms]]), 9000);
  const rest = {
    loads: [],
    seconds: 20,
    deliveriesPerSecond: 10,
    messagesLeft: 0,
    slowestAnswerMs: 4,
    noisyStart: false,
  };
  return { situation, local: fresh, remote: fresh, ...rest };
}

describe("freshFigures()", () => {
  it("counts what did not arrive as if it had when the waiting ended", () => {
    const { missing, latency } = freshFigures(sent, new Map([[1, 1005]]), 9000);
    assertEquals([missing, latency.p50, latency.max], [1, 5, 8000]);
  });
});

describe("makeFairnessReport()", () => {
  const options = parseFairnessOptions([]);
  if (!options.ok) throw new Error(options.error);
  const situations = [figuresOf("idle", 10), figuresOf("many local", 30), figuresOf("dead host", 31)];
  const report = makeFairnessReport(options.value, situations, new Date(0));

  it("compares each kind with the idle system, and says whether the goal is met", () => {
    const rows = report.rows.map(({ situation, kind, timesIdle, within }) => [situation, kind, timesIdle.p95, within]);
    assertEquals(rows, [
      ["idle", "local", 1, true],
      ["idle", "remote", 1, true],
      ["many local", "local", 3, true],
      ["many local", "remote", 3, true],
      ["dead host", "local", 3.1, false],
      ["dead host", "remote", 3.1, false],
    ]);
  });

  it("prints a line for each", () => {
    assertMatch(formatFairness(report), /^dead host +remote +2 +31\.0 +31\.0 +31\.0 +31\.0 +3\.1 +3\.1 +no +3\.0 +0$/m);
  });
});
