import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatOptionsFile, knownByBytes, parseOptionsFile } from "../../../components/lib/queue/options_file.ts";
import { toOctets } from "../../../components/lib/octets.ts";

const options = "dqo1\nENVID=QQ314159\n";
const received = "Received: (qmail 4896 invoked from network); 22 Nov 2026 07:48:04 -0000\n";
const text = toOctets(`${received}Subject: a\n\nhello\n`);
const file = formatOptionsFile(options, text);

describe("parseOptionsFile()", () => {
  it("is the inverse of formatOptionsFile()", () => assertEquals(parseOptionsFile(file, text), options));

  it("knows the message by its first line, wherever the rest of it is cut", () => {
    for (let end = received.length; end <= text.length; end++) {
      assertEquals(parseOptionsFile(file, text.subarray(0, end)), options);
    }
    const long = toOctets("x".repeat(knownByBytes + 10));
    assertEquals(parseOptionsFile(formatOptionsFile(options, long), long.subarray(0, knownByBytes)), options);
  });

  const others = [
    ...["", "\n", received.replace("4896", "4897"), received.replace("07:48:04", "07:48:05"), `x${received}`],
    ...[received.slice(0, -2), received.replace("network", "uid 7")],
  ];
  for (const other of others) {
    it(`is nobody's for ${JSON.stringify(other)}`, () =>
      assertEquals(parseOptionsFile(file, toOctets(other)), undefined));
  }

  it("knows no file of which an octet has changed, or the end is missing", () => {
    fc.assert(fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = file.slice();
      changed[at]! ^= change;
      assertEquals(parseOptionsFile(changed, text), undefined);
      assertEquals(parseOptionsFile(file.subarray(0, at), text), undefined);
    }));
  });

  it("ends on any octets", () => {
    fc.assert(fc.property(fc.uint8Array(), (octets) => assertEquals(parseOptionsFile(octets, text), undefined)));
  });
});
