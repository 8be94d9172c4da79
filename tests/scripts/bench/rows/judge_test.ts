import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { describeGoal, judge, judgeAll, ratio, type Verdict } from "../../../../scripts/bench/rows/judge.ts";
import { tableRows } from "../../../../scripts/bench/rows/table_rows.ts";
import { type Goal } from "../../../../scripts/bench/rows/table_rows.ts";
import { measurementNames } from "../../../../scripts/bench/rows/measurements.ts";

const threeTimes: Goal = { kind: "atLeast", times: 3, peer: "postfix" };
const ahead: Goal = { kind: "atLeast", times: 1, peer: "opensmtpd" };
const lessThanHalf: Goal = { kind: "atMost", times: 0.4, peer: "postfix" };
const limit: Goal = { kind: "limit", atMost: 200 };

describe("judge()", () => {
  const rows: { goal: Goal; own: number | undefined; postfix?: number; want: Verdict }[] = [
    { goal: threeTimes, own: 3000, postfix: 1000, want: "met" },
    { goal: threeTimes, own: 2999, postfix: 1000, want: "missed" },
    { goal: threeTimes, own: 3000, want: "open" },
    { goal: threeTimes, own: undefined, postfix: 1000, want: "open" },
    { goal: lessThanHalf, own: 4, postfix: 10, want: "met" },
    { goal: lessThanHalf, own: 4.1, postfix: 10, want: "missed" },
    { goal: limit, own: 200, want: "met" },
    { goal: limit, own: 201, want: "missed" },
    { goal: limit, own: undefined, want: "open" },
  ];
  for (const { goal, own, postfix, want } of rows) {
    it(`says "${want}" to ${describeGoal(goal)} with ${own} beside ${postfix}`, () => {
      assertEquals(judge(goal, { own, peers: postfix === undefined ? {} : { postfix } }), want);
    });
  }
});

describe("judgeAll()", () => {
  const rows: { goals: Goal[]; peers: { postfix?: number; opensmtpd?: number }; want: Verdict }[] = [
    { goals: [threeTimes, ahead], peers: { postfix: 10, opensmtpd: 29 }, want: "met" },
    { goals: [threeTimes, ahead], peers: { postfix: 10, opensmtpd: 31 }, want: "missed" },
    { goals: [threeTimes, ahead], peers: { postfix: 10 }, want: "open" },
    { goals: [threeTimes, ahead], peers: { postfix: 11 }, want: "missed" },
    { goals: [], peers: {}, want: "open" },
  ];
  for (const { goals, peers, want } of rows) {
    it(`says "${want}" to [${goals.map(describeGoal)}] with 30 beside ${JSON.stringify(peers)}`, () => {
      assertEquals(judgeAll(goals, { own: 30, peers }), want);
    });
  }
});

describe("ratio()", () => {
  it("is ours divided by theirs, and nothing where either is missing", () => {
    assertEquals(ratio({ own: 30, peers: { postfix: 10 } }, "postfix"), 3);
    assertEquals(ratio({ own: 30, peers: {} }, "postfix"), undefined);
    assertEquals(ratio({ own: undefined, peers: { postfix: 10 } }, "postfix"), undefined);
    assertEquals(ratio({ own: 30, peers: { postfix: 0 } }, "postfix"), undefined);
  });
});

describe("the table's rows", () => {
  it("have every measurement in one of them at least, and a goal each", () => {
    const used = new Set(tableRows.map((row) => row.measurement));
    assertEquals(measurementNames.filter((name) => !used.has(name)), []);
    assertEquals(tableRows.filter((row) => row.goals.length === 0), []);
  });
});
