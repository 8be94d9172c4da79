import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { cutReport, longestReport, mostOfOneAccount } from "../../components/qmail-lspawn/request.ts";

describe("cutReport()", () => {
  it("leaves a short one as it is, without what only qmail-lspawn has to know", () => {
    assertEquals(cutReport({ verdict: "Z", text: "a\n", needsPrograms: true }), { verdict: "Z", text: "a\n" });
  });
  it("says at the end of a long one that it was cut", () => {
    fc.assert(fc.property(fc.integer({ min: longestReport - 2, max: 3 * longestReport }), (length) => {
      const { text } = cutReport({ verdict: "D", text: "x".repeat(length) });
      assertEquals(text.length, Math.min(length, longestReport));
      assertEquals(text.endsWith("\nError report too long, sorry.\n"), length > longestReport);
    }));
  });
});

describe("mostOfOneAccount()", () => {
  it("is a quarter, and one at the least", () => {
    assertEquals([0, 1, 7, 10, 20, 255].map(mostOfOneAccount), [1, 1, 1, 2, 5, 63]);
  });
});
