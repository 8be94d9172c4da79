import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { formatPause, parseDestinations } from "../../../scripts/queue/pause.ts";
import { formatShown } from "../../../scripts/queue/show.ts";

describe("parseDestinations()", () => {
  it("takes sites and domains in any case, each once", () =>
    assertEquals(parseDestinations(["B.Example", "b.example", "\u00fc.example"]), ["b.example", "\xc3\xbc.example"]));

  for (const word of ["", "a b", "a@b.example", "x".repeat(256), "a\nb"]) {
    it(`refuses ${JSON.stringify(word.slice(0, 20))}`, () =>
      assertEquals(parseDestinations(["ok.example", word]), { wrong: word }));
  }
});

describe("formatPause()", () => {
  const result = { destination: "\xc3\xbc.example", changed: true, paused: [] };
  for (
    const [op, changed, want] of [
      ["pause", true, "\u00fc.example: paused; "],
      ["pause", false, "\u00fc.example: is paused already\n"],
      ["resume", true, "\u00fc.example: resumed; "],
      ["resume", false, "\u00fc.example: is not paused\n"],
    ] as const
  ) {
    it(`says of ${op} ${changed ? "what it did" : "that it was so"}`, () =>
      assertStringIncludes(formatPause(op, { ...result, changed }), want));
  }
});

describe("formatShown()", () => {
  it("tells since when a message is held, and what was said last, harmless for a terminal", () => {
    const error = { attempts: 2, lastSeconds: 60, lastError: "no\x1b[2J\nmore" };
    const text = formatShown(
      {
        ...{ message: 7, sender: "a@a", birthSeconds: 0, sizeBytes: 1, journal: false, state: "held", failures: "" },
        channels: [{
          ...{ channel: "remote", left: 1, done: 1, nextSeconds: 4_102_444_800, held: true, heldSinceSeconds: 3600 },
          recipients: [{ address: "b@b", done: false, ...error }, { address: "c@b", done: true, ...error }],
        }],
      },
      new Uint8Array(),
      7200,
    );
    assertStringIncludes(text, "  remote: 1 left, 1 done; held since 1 Jan 1970 01:00:00 GMT\n");
    assertStringIncludes(
      text,
      "    left  b@b\n          2 attempts lately, 1 Jan 1970 00:01:00 GMT: no_[2J_more\n    done  c@b\n",
    );
  });
});
