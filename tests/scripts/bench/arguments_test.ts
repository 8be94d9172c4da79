import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { readArguments } from "../../../scripts/bench/arguments.ts";

const known = { numbers: { many: 0, some: 1 }, texts: ["name"], flags: ["json"] } as const;

describe("readArguments()", () => {
  it("answers words, numbers, texts and flags, and what is absent", () => {
    const got = readArguments(["word", "--many", "0", "--name=a b", "--json"], known);
    const args = got.ok ? got.value : undefined;
    assertEquals(args?.words, ["word"]);
    assertEquals([args?.number("many", 5), args?.number("some", 5)], [0, 5]);
    assertEquals([args?.text("name"), args?.flag("json")], ["a b", true]);
    assertEquals([args?.has("many"), args?.has("some")], [true, false]);
  });

  const refusals = [
    { argv: ["--lots", "3"], error: 'Unknown option "--lots"' },
    { argv: ["--some", "0"], error: "--some takes a whole number from 1 on" },
    { argv: ["--many", "1e3"], error: '--many takes a whole number from 0 on, got "1e3"' },
    { argv: ["--many"], error: "--many takes a whole number" },
  ];
  for (const { argv, error } of refusals) {
    it(`refuses ${argv.join(" ")}`, () => {
      const got = readArguments(argv, known);
      assertStringIncludes(got.ok ? "accepted" : got.error, error);
    });
  }
});
