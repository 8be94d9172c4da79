import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { wrap, wrapList } from "../../../scripts/cli/wrap.ts";

const words = fc.array(fc.stringMatching(/^[a-z]{1,20}$/), { minLength: 1 });

describe("wrap()", () => {
  it("keeps every word in its place, and each line below the width unless it is one word", () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 10, max: 60 }), fc.integer({ min: 0, max: 8 }), (given, columns, indent) => {
        const lines = wrap(given.join(" "), columns, indent).split("\n");
        assertEquals(lines.join(" ").trim().split(/ +/), given);
        for (const line of lines) {
          assert(line.startsWith(" ".repeat(indent)), line);
          assert(line.length <= columns || !line.trim().includes(" "), line);
        }
      }),
    );
  });
});

describe("wrapList()", () => {
  it("puts meanings below each other, and a long term on a line of its own", () => {
    assertEquals(
      wrapList([["a", "one two three"], ["bb", "four"], ["c".repeat(27), "five"]], 16),
      `  a   one two\n      three\n  bb  four\n  ${"c".repeat(27)}\n      five`,
    );
    assertEquals(wrapList([], 80), "");
  });
});
