import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatXtext, parseXtext } from "../../../components/lib/smtp/xtext.ts";

/** Octet strings. */
const anyOctets = fc.uint8Array({ maxLength: 200 }).map((octets) => String.fromCharCode(...octets));

describe("formatXtext()", () => {
  for (
    const [octets, want] of [["", ""], ["a@b", "a@b"], ["+=", "+2B+3D"], ["\0\r\n \x7f\xff", "+00+0D+0A+20+7F+FF"]]
  ) it(`writes ${JSON.stringify(octets)} as ${want}`, () => assertEquals(formatXtext(octets!), want));

  it("writes printable ASCII only, without blank and =", () => {
    fc.assert(fc.property(anyOctets, (octets) => assert(/^[!-<>-~]*$/.test(formatXtext(octets)))));
  });
});

describe("parseXtext()", () => {
  it("is its inverse", () => {
    fc.assert(fc.property(anyOctets, (octets) => {
      assertEquals(parseXtext(formatXtext(octets)), { ok: true, value: octets });
    }));
  });

  for (const text of ["+", "+0", "+0a", "+0g", "a b", "a=b", "\n", "\xe4", "++2B", "a\0"]) {
    it(`refuses ${JSON.stringify(text)}`, () => assertEquals(parseXtext(text).ok, false));
  }

  it("ends on any octets", () => {
    fc.assert(fc.property(anyOctets, (octets) => void parseXtext(octets)));
  });
});
