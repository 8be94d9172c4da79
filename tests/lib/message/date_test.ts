import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { formatQmailDate } from "../../../components/lib/message/date.ts";

describe("formatQmailDate()", () => {
  const table: { seconds: number; want: string }[] = [
    { seconds: 0, want: "1 Jan 1970 00:00:00 -0000" },
    { seconds: 1795333684, want: "22 Nov 2026 07:48:04 -0000" },
    { seconds: 1795333684.9, want: "22 Nov 2026 07:48:04 -0000" },
    { seconds: 1709164799, want: "28 Feb 2024 23:59:59 -0000" },
    { seconds: 1709164800, want: "29 Feb 2024 00:00:00 -0000" },
    { seconds: 2 ** 31, want: "19 Jan 2038 03:14:08 -0000" },
    { seconds: 2 ** 32 + 1, want: "7 Feb 2106 06:28:17 -0000" },
  ];
  for (const { seconds, want } of table) {
    it(`writes ${seconds} as ${want}`, () => assertEquals(formatQmailDate(seconds), want));
  }

  it("writes the other zone when asked", () => assertEquals(formatQmailDate(0, "+0000"), "1 Jan 1970 00:00:00 +0000"));

  it("is read back by other programs as the same second", () => {
    fc.assert(fc.property(fc.nat(253_402_300_799), (seconds) => {
      assertEquals(Date.parse(formatQmailDate(seconds, "+0000")) / 1000, seconds);
    }));
  });

  it("throws for what is no date", () => {
    for (const seconds of [NaN, Infinity, -1, 1e13]) assertThrows(() => formatQmailDate(seconds));
  });
});
