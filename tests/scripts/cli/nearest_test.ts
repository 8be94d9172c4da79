import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { distance, nearest, unknownWord } from "../../../scripts/cli/nearest.ts";

const known = ["start", "stop", "status", "queue", "user", "explain", "doctor", "config", "trace"];

describe("nearest()", () => {
  const rows = [
    { word: "statsu", want: "status" },
    { word: "queu", want: "queue" },
    { word: "STATUS", want: "status" },
    { word: "doc", want: "doctor" },
    { word: "confg", want: "config" },
    { word: "frobnicate", want: undefined },
    { word: "", want: undefined },
    { word: "x", want: undefined },
    { word: "s".repeat(100_000), want: undefined },
  ];
  for (const { word, want } of rows) {
    it(`means ${want} by ${JSON.stringify(word.slice(0, 20))}`, () => assertEquals(nearest(word, known), want));
  }

  it("answers a known word, or nothing, whatever it is given", () => {
    fc.assert(fc.property(fc.string(), (word) => {
      const meant = nearest(word, known);
      assert(meant === undefined || known.includes(meant));
    }));
  });
});

describe("distance()", () => {
  const short = fc.string({ maxLength: 12 });

  it("is the same both ways, and 0 for a word and itself alone", () => {
    fc.assert(fc.property(short, short, (one, other) => {
      assertEquals(distance(one, other), distance(other, one));
      assertEquals(distance(one, other) === 0, one === other);
    }));
  });

  it("counts two letters that changed places once", () => assertEquals(distance("statsu", "status"), 1));
});

describe("unknownWord()", () => {
  it("keeps the dashes of an option, and shows no control characters", () => {
    assertEquals(unknownWord("--hom=x", ["home", "json"]), "--hom=x is not known; did you mean --home?");
    assertEquals(unknownWord("\x1b[2Jq", known), "?[2Jq is not known");
  });
});
