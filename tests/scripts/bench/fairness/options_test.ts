import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type FairnessOptions, parseFairnessOptions } from "../../../../scripts/bench/fairness/options.ts";

describe("parseFairnessOptions()", () => {
  const rows: { argv: string; want: Partial<FairnessOptions> }[] = [
    { argv: "", want: { recipients: 100_000, domains: 1000, delayMs: 50, waiting: 2000, everyMs: 100, dir: "/tmp" } },
    { argv: "--seconds 3 --every-ms 50 --settle 0 --json", want: { seconds: 3, everyMs: 50, settleMs: 0, json: true } },
  ];
  for (const { argv, want } of rows) {
    it(`reads ${JSON.stringify(argv)}`, () => {
      const got = parseFairnessOptions(argv.split(" ").filter((word) => word !== ""));
      assertEquals(got.ok && { ...got.value, ...want }, got.ok && got.value);
      assertEquals(got.ok, true);
    });
  }

  const refusals: { argv: string; error: string }[] = [
    { argv: "more", error: 'Expected options only, got "more"' },
    { argv: "--waiting 0", error: "--waiting takes a whole number from 1 on" },
    { argv: "--seconds 1 --every-ms 600", error: "no time for two messages" },
    { argv: "--messages 3", error: 'Unknown option "--messages"' },
  ];
  for (const { argv, error } of refusals) {
    it(`refuses ${argv}`, () => {
      const got = parseFairnessOptions(argv.split(" "));
      assertStringIncludes(got.ok ? "accepted" : got.error, error);
    });
  }
});
