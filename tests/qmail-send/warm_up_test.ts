import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { amountAt, WarmUps } from "../../components/qmail-send/warm_up.ts";

const day = 86_400_000;
const fromMs = Date.UTC(2026, 10, 1);
const schedule = { fromMs, amounts: [24, 48] };

describe("amountAt()", () => {
  const rows: readonly (readonly [number, number | undefined])[] = [
    [-5 * day, 24],
    [0, 24],
    [day - 1, 24],
    [day, 48],
    [2 * day - 1, 48],
    [2 * day, undefined],
  ];
  for (const [after, want] of rows) {
    it(`is ${want ?? "without limit"} ${after} ms after the beginning`, () =>
      assertEquals(amountAt(schedule, fromMs + after), want));
  }
});

describe("WarmUps", () => {
  /** Deliveries of `sender` that may leave between two times, when they come back as they are told. */
  const countOf = (warmUps: WarmUps, sender: string, from: number, to: number, waiting: number): number => {
    const times = Array.from({ length: waiting }, () => from);
    let left = 0;
    for (let at = 0; at < times.length; at++) {
      times.sort((a, b) => a - b);
      const answer = warmUps.take(sender, times[at]!);
      if (answer === "now") left++;
      else if (answer < to) times.push(answer);
    }
    return left;
  };

  it("lets a day's amount leave in a day, whoever waits for how long", () => {
    const warmUps = new WarmUps(new Map([["young.example", schedule]]));
    const count = countOf(warmUps, "amy@Young.Example", fromMs, fromMs + day, 100);
    assert(count >= 23 && count <= 25, `${count}`);
  });

  it("counts each domain by itself, those of no line by default, and others not at all", () => {
    const one = { fromMs, amounts: [1] };
    const warmUps = new WarmUps(new Map([["a.example", one], ["default", one]]));
    const takes = (sender: string) => warmUps.take(sender, fromMs) === "now";
    assertEquals([takes("x@a.example"), takes("x@a.example")], [true, false]);
    assertEquals([takes("x@b.example"), takes("x@c.example"), takes("")], [true, false, false]);
    const without = new WarmUps(new Map([["a.example", one]]));
    for (let n = 0; n < 9; n++) assertEquals(without.take("x@b.example", fromMs), "now");
  });

  it("gives back what was not used, and has no limit after its last day or without its line", () => {
    const warmUps = new WarmUps(new Map([["a.example", { fromMs, amounts: [1] }]]));
    assertEquals(warmUps.take("x@a.example", fromMs), "now");
    warmUps.putBack("x@a.example", fromMs);
    assertEquals(warmUps.take("x@a.example", fromMs), "now");
    assertEquals(warmUps.take("x@a.example", fromMs), fromMs + 60_000);
    assertEquals(warmUps.take("x@a.example", fromMs + day), "now");
    warmUps.setSchedules(new Map());
    assertEquals([warmUps.none, warmUps.take("x@a.example", fromMs)], [true, "now"]);
  });
});
