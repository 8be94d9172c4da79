import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { toOctets } from "../../../components/lib/octets.ts";
import { longestRecord, RecordSplitter } from "../../../components/lib/queue/record_splitter.ts";

function split(...pieces: readonly string[]): { records: string[]; defect: string | undefined } {
  const splitter = new RecordSplitter();
  const records = pieces.flatMap((piece) => [...splitter.push(toOctets(piece))]);
  return { records, defect: splitter.defect };
}

describe("RecordSplitter", () => {
  const whole = "x".repeat(longestRecord);
  const tooLong = `a record of more than ${longestRecord} octets`;
  const rows = [
    { name: "nothing", input: "", records: [], defect: undefined },
    { name: "one record", input: "Fa@b\0", records: ["Fa@b"], defect: undefined },
    { name: "empty records", input: "\0\0", records: ["", ""], defect: undefined },
    { name: "octets over 127", input: "T\xe9\xff\0", records: ["T\xe9\xff"], defect: undefined },
    { name: "an end without NUL", input: "Ta\0Tb", records: ["Ta"], defect: "the last record is not ended" },
    { name: "the longest record", input: `${whole}\0a\0`, records: [whole, "a"], defect: undefined },
    { name: "a longer one", input: `a\0${whole}x\0b\0`, records: ["a"], defect: tooLong },
    { name: "a longer one without end", input: `${whole}xx`, records: [], defect: tooLong },
  ];
  for (const { name, input, records, defect } of rows) {
    it(`cuts ${name}`, () => assertEquals(split(input), { records, defect }));
  }

  it("keeps nothing of a record once it is too long", () => {
    assertEquals(split(whole, "x", whole, "\0", "a\0"), { records: [], defect: tooLong });
  });

  it("cuts the same wherever the pieces end", () => {
    const octets = fc.string({ unit: fc.constantFrom("T", "\0", "\xff"), maxLength: 40 });
    fc.assert(fc.property(fc.array(octets), (pieces) => assertEquals(split(...pieces), split(pieces.join("")))));
  });
});
