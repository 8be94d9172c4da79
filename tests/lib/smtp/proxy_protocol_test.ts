import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { longestRemainder, parseProxyHeader, type ProxyHeader } from "../../../components/lib/smtp/proxy_protocol.ts";
import { bytes, text } from "../octets.ts";

const signature = "\r\n\r\n\0\r\nQUIT\n";
const own: ProxyHeader = { kind: "own" };

function proxied(source: string, sourcePort: number, destination: string, destinationPort: number): ProxyHeader {
  return {
    kind: "proxied",
    source: { ip: source, port: sourcePort },
    destination: { ip: destination, port: destinationPort },
  };
}

/** A header of version 2 with these octets behind the fixed part, announced as they are or as `length`. */
function binary(command: number, family: number, remainder: string, length = remainder.length): string {
  return `${signature}${String.fromCharCode(command, family, length >> 8, length & 0xff)}${remainder}`;
}

const tcp4 = "\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x00\x19";
const tcp6 = `\x20\x01\x0d\xb8${"\0".repeat(11)}\x01${"\0".repeat(15)}\x01\x01\x00\xff\xff`;
const unix = "\0".repeat(216);
const isTcp4 = proxied("192.0.2.1", 56324, "198.51.100.1", 25);

const headers: readonly (readonly [what: string, octets: string, header: ProxyHeader])[] = [
  ["v1 over IPv4", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n", isTcp4],
  ["v1 of the shortest words", "PROXY TCP6 :: :: 0 0\r\n", proxied("::", 0, "::", 0)],
  [
    "v1 of the longest words",
    `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`,
    proxied(`${"ffff:".repeat(7)}ffff`, 65535, `${"ffff:".repeat(7)}ffff`, 65535),
  ],
  ["v1 of an unknown client", "PROXY UNKNOWN\r\n", own],
  ["v1 of an unknown client with words", `PROXY UNKNOWN ${"x".repeat(91)}\r\n`, own],
  ["v2 over IPv4", binary(0x21, 0x11, tcp4), isTcp4],
  ["v2 over IPv6", binary(0x21, 0x21, tcp6), proxied("2001:db8::1", 256, "::1", 65535)],
  ["v2 with additions", binary(0x21, 0x11, `${tcp4}\x04\x00\x02ab`), isTcp4],
  ["v2 with as many additions as are taken", binary(0x21, 0x11, tcp4 + "\0".repeat(longestRemainder - 12)), isTcp4],
  ["v2 LOCAL", binary(0x20, 0x00, ""), own],
  ["v2 LOCAL with addresses that count for nothing", binary(0x20, 0x11, tcp4), own],
  ["v2 LOCAL of a family there is not", binary(0x20, 0xff, "abc"), own],
  ["v2 of an unknown family", binary(0x21, 0x00, ""), own],
  ["v2 of a Unix socket", binary(0x21, 0x31, unix), own],
];

const errors: readonly (readonly [what: string, octets: string, reason: string])[] = [
  ["SMTP", "EHLO client.example\r\n", "no header"],
  ["TLS", "\x16\x03\x01\x02\x00", "no header"],
  ["an empty line", "\r\nEHLO", "no header"],
  ["v1 in lower case", "proxy tcp4", "no header"],
  ["v1 without a blank", "PROXY\r\n", "no header"],
  ["v1 with LF alone", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\n", "line end"],
  ["v1 with CR alone", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\rEHLO", "line end"],
  ["v1 with CR in the midst", "PROXY TCP4 192.0.2.1\r198.51.100.1 56324 25\r\n", "line end"],
  ["v1 unknown with LF alone", "PROXY UNKNOWN\n", "line end"],
  ["v1 of 108 octets", `PROXY UNKNOWN ${"x".repeat(92)}\r\n`, "line without end"],
  ["v1 without end", "PROXY TCP4 ".padEnd(200, "1"), "line without end"],
  ["v1 over UDP", "PROXY UDP4 192.0.2.1 198.51.100.1 56324 25\r\n", "words"],
  ["v1 without addresses", "PROXY TCP4\r\n", "words"],
  ["v1 with a word more", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25 x\r\n", "words"],
  ["v1 with two blanks", "PROXY TCP4  192.0.2.1 198.51.100.1 56324 25\r\n", "words"],
  ["v1 with a blank behind", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25 \r\n", "words"],
  ["v1 with a tab", "PROXY TCP4\t192.0.2.1 198.51.100.1 56324 25\r\n", "words"],
  ["v1 of the other family", "PROXY TCP4 2001:db8::1 ::1 56324 25\r\n", "words"],
  ["v1 over IPv6 of the other family", "PROXY TCP6 192.0.2.1 198.51.100.1 56324 25\r\n", "words"],
  ["v1 with an octal address", "PROXY TCP4 0300.0.2.1 198.51.100.1 56324 25\r\n", "words"],
  ["v1 with a short address", "PROXY TCP4 127.1 198.51.100.1 56324 25\r\n", "words"],
  ["v1 with a zone", "PROXY TCP6 fe80::1%eth0 ::1 56324 25\r\n", "words"],
  ["v1 with a name", "PROXY TCP4 localhost 198.51.100.1 56324 25\r\n", "words"],
  ["v1 with port 65536", "PROXY TCP4 192.0.2.1 198.51.100.1 65536 25\r\n", "words"],
  ["v1 with port 025", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 025\r\n", "words"],
  ["v1 with a port below zero", "PROXY TCP4 192.0.2.1 198.51.100.1 -1 25\r\n", "words"],
  ["v1 with NUL", "PROXY TCP4 192.0.2.1\0 198.51.100.1 56324 25\r\n", "words"],
  ["half of v2's first octets", "\r\n\r\n\0\r\nQUIT\r", "no header"],
  ["version 1 in the form of 2", binary(0x11, 0x11, tcp4), "version or command"],
  ["v2 with a command there is not", binary(0x22, 0x11, tcp4), "version or command"],
  ["v2 of 65,535 octets", binary(0x21, 0x11, tcp4, 65_535), "length"],
  ["v2 LOCAL of 65,535 octets", binary(0x20, 0x00, "", 65_535), "length"],
  ["v2 of one addition too many", binary(0x21, 0x11, "", longestRemainder + 1), "length"],
  ["v2 over IPv4 without room for its addresses", binary(0x21, 0x11, tcp4.slice(1)), "length"],
  ["v2 over IPv6 with IPv4's length", binary(0x21, 0x21, tcp4), "length"],
  ["v2 of a Unix socket without its paths", binary(0x21, 0x31, tcp4), "length"],
  ["v2 over UDP", binary(0x21, 0x12, tcp4), "family"],
  ["v2 over IPv4 without transport", binary(0x21, 0x10, tcp4), "family"],
  ["v2 of a family there is not", binary(0x21, 0x41, tcp4), "family"],
];

describe("parseProxyHeader()", () => {
  for (const [what, octets, header] of headers) {
    it(`takes ${what}, and leaves what follows`, () => {
      for (const rest of ["", "EHLO x\r\n", octets]) {
        assertEquals(parseProxyHeader(bytes(octets + rest)), { kind: "header", header, rest: bytes(rest) });
      }
    });

    it(`asks on at every octet of ${what}, for no octet behind it`, () => {
      for (let length = 0; length < octets.length; length++) {
        const step = parseProxyHeader(bytes(octets.slice(0, length)));
        assert(step.kind === "more", `${length}: ${JSON.stringify(step)}`);
        assert(step.least >= 1 && step.least <= octets.length - length, `${length}: ${step.least}`);
      }
    });
  }

  for (const [what, octets, reason] of errors) {
    it(`refuses ${what}`, () => {
      assertEquals(parseProxyHeader(bytes(octets)), { kind: "error", reason });
      assertEquals(parseProxyHeader(bytes(`${octets}EHLO x\r\n`)), { kind: "error", reason });
    });
  }

  it("of a second header is only what follows the first", () => {
    const first = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n";
    const second = "PROXY TCP4 127.0.0.1 198.51.100.1 1 25\r\n";
    const step = parseProxyHeader(bytes(first + second));
    assert(step.kind === "header");
    assertEquals([step.header, text(step.rest)], [isTcp4, second]);
  });

  it("decides on any octets within a bound, once and for all, and never throws", () => {
    const starts = ["", "PROXY ", "PROXY TCP4 ", "PROXY UNKNOWN", signature, `${signature}\x21\x11\x00\x0c`];
    const octet = fc.constantFrom(..."PROXYTCP46 .:0125\r\n\0\x11\x21\xff".split(""));
    const anyOctets = fc.tuple(fc.constantFrom(...starts), fc.string({ unit: octet, maxLength: 140 }));
    fc.assert(fc.property(anyOctets, ([start, more]) => {
      const all = bytes(start + more);
      let decided: string | undefined;
      for (let length = 0; length <= all.length; length++) {
        const step = parseProxyHeader(all.subarray(0, length));
        if (step.kind === "more") {
          assert(decided === undefined && step.least >= 1 && length + step.least <= 16 + longestRemainder);
          continue;
        }
        const now = JSON.stringify(step.kind === "header" ? step.header : step);
        decided ??= now;
        assertEquals(now, decided);
      }
    }));
  });
});
