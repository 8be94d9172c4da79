import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  parseXclient,
  type XclientAttributes,
  type XclientError,
  xclientNames,
} from "../../../components/lib/smtp/xclient.ts";

function known<T>(value: T): { kind: "known"; value: T } {
  return { kind: "known", value };
}
const none = { kind: "unavailable", temporary: false } as const;
const notNow = { kind: "unavailable", temporary: true } as const;

const takes: readonly (readonly [string, XclientAttributes])[] = [
  [
    "NAME=spike.porcupine.org ADDR=168.100.189.2",
    { name: known("spike.porcupine.org"), addr: known("168.100.189.2") },
  ],
  ["addr=192.0.2.1", { addr: known("192.0.2.1") }],
  ["ADDR=IPV6:2001:DB8::1 PORT=56324", { addr: known("2001:db8::1"), port: known(56324) }],
  ["ADDR=ipv6:::1", { addr: known("::1") }],
  ["ADDR=2001:db8::1", { addr: known("2001:db8::1") }],
  ["NAME=[UNAVAILABLE] ADDR=[unavailable] HELO=[TempUnavail]", { name: none, addr: none, helo: notNow }],
  ["PROTO=esmtp  HELO=c.example ", { proto: known("ESMTP"), helo: known("c.example") }],
  ["LOGIN=joe+40example.com+2B", { login: known("joe@example.com+") }],
  ["LOGIN=[UNAVAILABLE]", { login: none }],
  ["DESTADDR=198.51.100.1 DESTPORT=25", { destaddr: known("198.51.100.1"), destport: known(25) }],
  ["PORT=0 DESTPORT=65535", { port: known(0), destport: known(65535) }],
  ["NAME=+5BUNAVAILABLE+5D", { name: none }],
];

const refuses: readonly (readonly [string, XclientError])[] = [
  ["", "no attribute"],
  ["   ", "no attribute"],
  ["NAME", "unknown attribute"],
  ["=x", "unknown attribute"],
  ["__proto__=x", "unknown attribute"],
  ["constructor=x", "unknown attribute"],
  ["REVERSE_NAME=x.example", "unknown attribute"],
  ["ADDR=192.0.2.1 ADDR=192.0.2.1", "attribute given twice"],
  ["ADDR=192.0.2.1\tNAME=x", "bad value"],
  ["NAME=", "bad value"],
  [`HELO=${"x".repeat(256)}`, "bad value"],
  ["HELO=a+20b", "bad value"],
  ["HELO=a+0D+0Ab", "bad value"],
  ["LOGIN=a+00", "bad value"],
  ["HELO=+7F", "bad value"],
  ["HELO=+E4", "bad value"],
  ["HELO=a+", "bad value"],
  ["HELO=a+4", "bad value"],
  ["HELO=a+4x", "bad value"],
  ["HELO=a+4a", "bad value"],
  ["ADDR=localhost", "bad value"],
  ["ADDR=127.1", "bad value"],
  ["ADDR=0177.0.0.1", "bad value"],
  ["ADDR=IPV6:127.0.0.1", "bad value"],
  ["ADDR=IPV6:fe80::1%25eth0", "bad value"],
  ["ADDR=[::1]", "bad value"],
  ["PORT=65536", "bad value"],
  ["PORT=-1", "bad value"],
  ["PORT=0x19", "bad value"],
  ["PROTO=LMTP", "bad value"],
  ["PROTO=HTTP", "bad value"],
];

describe("parseXclient()", () => {
  for (const [argument, value] of takes) {
    it(`takes ${JSON.stringify(argument)}`, () => assertEquals(parseXclient(argument), { ok: true, value }));
  }

  for (const [argument, error] of refuses) {
    it(`refuses ${JSON.stringify(argument.slice(0, 40))}`, () => {
      assertEquals(parseXclient(argument), { ok: false, error });
    });
  }

  it("gives words of printable ASCII alone, whatever was sent, and never throws", () => {
    const piece = fc.constantFrom(...xclientNames, "=", " ", "+", "+41", "+0A", "a", ".", ":", "1", "\xe4", "\0", "[");
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const parsed = parseXclient(pieces.join(""));
      if (!parsed.ok) return;
      for (const attribute of Object.values(parsed.value)) {
        if (attribute?.kind === "known") assert(/^[\x21-\x7e]+$/.test(String(attribute.value)));
      }
    }));
  });
});
