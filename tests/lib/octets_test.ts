import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { fromOctets, putOctets, toOctets } from "../../components/lib/octets.ts";

const octetString = fc.array(fc.oneof(fc.nat(127), fc.nat(255)), { maxLength: 40 }).map((codes) =>
  String.fromCharCode(...codes)
);

describe("octet strings", () => {
  it("are the same after the way to octets and back", () => {
    fc.assert(fc.property(octetString, (text) => assertEquals(fromOctets(toOctets(text)), text)));
  });

  it("become the same octets in any memory, with room for them or without", () => {
    fc.assert(fc.property(octetString, fc.nat(60), (text, room) => {
      assertEquals(fromOctets(putOctets(text, new Uint8Array(room).fill(0x58))), text);
    }));
    // As long in UTF-8, cut where the memory ends, as the text has chars.
    assertEquals(fromOctets(putOctets("abc\xff", new Uint8Array(4))), "abc\xff");
  });
});
