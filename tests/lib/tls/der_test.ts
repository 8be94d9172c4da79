import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { element, oid, readElements, tags } from "../../../components/lib/tls/der.ts";

describe("readElements()", () => {
  const table: readonly { name: string; octets: number[]; want: [number, number[]][] | undefined }[] = [
    { name: "nothing", octets: [], want: [] },
    { name: "two short elements", octets: [2, 1, 7, 4, 0], want: [[2, [7]], [4, []]] },
    { name: "a long length", octets: [4, 0x81, 2, 9, 8], want: [[4, [9, 8]]] },
    { name: "a tag alone", octets: [2], want: undefined },
    { name: "a content that is cut", octets: [2, 2, 7], want: undefined },
    { name: "a length that is cut", octets: [2, 0x82, 1], want: undefined },
    { name: "an open length, which is BER", octets: [0x30, 0x80, 0, 0], want: undefined },
    { name: "a length of five octets", octets: [4, 0x85, 0, 0, 0, 0, 1, 7], want: undefined },
    { name: "four gigabytes to come", octets: [4, 0x84, 0xff, 0xff, 0xff, 0xff, 1], want: undefined },
  ];
  for (const { name, octets, want } of table) {
    it(`reads ${name}`, () => {
      const got = readElements(Uint8Array.from(octets))?.map(({ tag, content }) => [tag, [...content]]);
      assertEquals(got, want);
    });
  }

  it("reads what element() wrote", () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 5 }), (contents) => {
      const octets = contents.map((content) => element(tags.octetString, content));
      const read = readElements(Uint8Array.from(octets.flatMap((one) => [...one])));
      assertEquals(read?.map(({ content }) => [...content]), contents.map((content) => [...content]));
    }));
  });

  it("throws at no octets", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (octets) => {
      const read = readElements(octets);
      assert(read === undefined || read.length <= octets.length);
    }));
  });
});

describe("oid()", () => {
  it("writes arcs of several octets", () => {
    assertEquals([...oid("1.2.840.113549")], [6, 6, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]);
  });
});
