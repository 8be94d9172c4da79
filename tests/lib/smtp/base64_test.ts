import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { decodeBase64, encodeBase64 } from "../../../components/lib/smtp/base64.ts";

describe("decodeBase64()", () => {
  const refused = [
    "A",
    "AA",
    "AAA",
    "A===",
    "=",
    "====",
    "AA=",
    "AA==A",
    "AA==AA==",
    "AB==",
    "A-_A",
    "AA A",
    "AAAA\n",
    "AAA\u00e9",
  ];
  for (const text of refused) it(`refuses ${JSON.stringify(text)}`, () => assertEquals(decodeBase64(text), undefined));

  it("is the inverse of encodeBase64(), for no octets as well", () => {
    fc.assert(fc.property(fc.uint8Array(), (octets) => assertEquals(decodeBase64(encodeBase64(octets)), octets)));
    assertEquals(decodeBase64(""), new Uint8Array(0));
  });

  it("takes nothing that it would not write itself", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."AQgw/+=-_ "), maxLength: 8 }), (text) => {
      const octets = decodeBase64(text);
      if (octets !== undefined) assertEquals(encodeBase64(octets), text);
    }));
  });
});
