import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { isListedMx } from "../../../components/lib/sts/mx_match.ts";

describe("isListedMx() (RFC 8461 §4.1)", () => {
  const rows: readonly (readonly [readonly string[], string, boolean])[] = [
    [["mx.example"], "mx.example", true],
    [["mx.example"], "MX.Example.", true],
    [["mx.example"], "a.mx.example", false],
    [["*.mx.example"], "a.mx.example", true],
    [["*.mx.example"], "mx.example", false],
    [["*.mx.example"], "a.b.mx.example", false],
    [["*.mx.example"], ".mx.example", false],
    [["a.example", "*.b.example"], "c.b.example", true],
    [["*.example"], "aexample", false],
    [[], "mx.example", false],
    [["*."], "mx.", false],
  ];
  for (const [patterns, host, want] of rows) {
    it(`${host} is ${want ? "" : "not "}one of ${patterns.join(", ") || "none"}`, () => {
      assertEquals(isListedMx(patterns, host), want);
    });
  }
});
