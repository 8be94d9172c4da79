import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  countDeliveries,
  deliveredToLine,
  hasHeaderLine,
  headerEnd,
  returnPathLine,
} from "../../components/qmail-local/message_head.ts";
import { toOctets } from "../../components/lib/octets.ts";

describe("returnPathLine(), deliveredToLine()", () => {
  const rows = [
    { line: returnPathLine("joe@localhost"), want: "Return-Path: <joe@localhost>\n" },
    { line: returnPathLine(""), want: "Return-Path: <>\n" },
    { line: returnPathLine("#@[]"), want: "Return-Path: <#@[]>\n" },
    { line: returnPathLine("a b@c.example"), want: 'Return-Path: <"a b"@c.example>\n' },
    { line: deliveredToLine("games-info@virt.example"), want: "Delivered-To: games-info@virt.example\n" },
  ];
  for (const { line, want } of rows) it(JSON.stringify(want), () => assertEquals(line, want));

  it("are one line each, whatever the address", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", "@", "\n", '"', "\\", "\xff", "<") }), (address) => {
      for (const line of [returnPathLine(address), deliveredToLine(address)]) {
        assertEquals(line.indexOf("\n"), line.length - 1);
      }
    }));
  });
});

describe("headerEnd()", () => {
  const rows = [
    { message: "A: b\n\nbody\n", want: 5 },
    { message: "\nbody\n", want: 0 },
    { message: "A: b\nB: c\n", want: -1 },
    { message: "", want: -1 },
    { message: "A: b\r\n\r\nbody", want: -1 },
  ];
  for (const { message, want } of rows) {
    it(`of ${JSON.stringify(message)} is ${want}`, () => assertEquals(headerEnd(toOctets(message)), want));
  }
});

describe("countDeliveries()", () => {
  const rows = [
    { header: "", want: 0 },
    { header: "Delivered-To: a\nX-Delivered-To: b\nDelivered-To: c\n", want: 2 },
    { header: "Subject: x\n Delivered-To: a\n", want: 0 },
  ];
  for (const { header, want } of rows) {
    it(`of ${JSON.stringify(header)} is ${want}`, () => assertEquals(countDeliveries(toOctets(header)), want));
  }
});

describe("hasHeaderLine()", () => {
  const line = deliveredToLine("joe@localhost");
  const rows = [
    { header: line, want: true, why: "the first line" },
    { header: `A: b\n${line}C: d\n`, want: true, why: "a later line" },
    { header: `X-${line}`, want: false, why: "the end of another" },
    { header: `X-${line}${line}`, want: true, why: "after one that ends like it" },
    { header: line.toLowerCase(), want: false, why: "another case, as in qmail" },
    { header: line.slice(0, -1), want: false, why: "without its end" },
    { header: deliveredToLine("joe@localhost.example"), want: false, why: "a longer address" },
  ];
  for (const { header, want, why } of rows) {
    it(`${want ? "finds" : "does not take"} ${why}`, () => assertEquals(hasHeaderLine(toOctets(header), line), want));
  }

  it("takes no long for a header that nearly matches everywhere", () => {
    assert(!hasHeaderLine(toOctets("Delivered-To: joe@localhos\n".repeat(40_000)), line));
  });
});
