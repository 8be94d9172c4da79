import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { defaultTlsWish, type TlsWish } from "../../../components/lib/tls/client_policy.ts";
import { parseRemoteRequest } from "../../../components/lib/wire/delivery_protocol.ts";
import { parseTlsDestinations, tlsWishOf } from "../../../components/lib/tls/destinations_file.ts";

const digest = "ab".repeat(32);
const colons = Array.from({ length: 32 }, () => "AB").join(":");

function wish(level: TlsWish["level"], more: Partial<TlsWish> = {}): TlsWish {
  return { ...defaultTlsWish, level, isDefault: false, ...more };
}

function read(text: string): unknown {
  const parsed = parseTlsDestinations(text);
  return parsed.ok ? Object.fromEntries(parsed.value) : parsed.error;
}

describe("parseTlsDestinations()", () => {
  const lines: readonly (readonly [string, string, TlsWish])[] = [
    ["example.test:none", "example.test", wish("none")],
    ["Example.TEST:may", "example.test", wish("may")],
    [".example.test:encrypt", ".example.test", wish("encrypt")],
    ["*:dane", "*", wish("dane")],
    ["example.test:verify", "example.test", wish("verify")],
    ["example.test: verify \t", "example.test", wish("verify")],
    [
      "example.test:verify name=MX.test name=*.mail.test",
      "example.test",
      wish("verify", { names: ["mx.test", "*.mail.test"] }),
    ],
    [`example.test:verify fingerprint=${digest}`, "example.test", wish("verify", { fingerprints: [digest] })],
    [`example.test:verify fingerprint=${colons}`, "example.test", wish("verify", { fingerprints: [digest] })],
    [
      `example.test:verify authority=${colons} name=mx.test`,
      "example.test",
      wish("verify", { anchors: [digest], names: ["mx.test"] }),
    ],
    ["example.test:encrypt implicit", "example.test", wish("encrypt", { implicit: true })],
    ["[192.0.2.1]:encrypt", "[192.0.2.1]", wish("encrypt")],
    ["[IPv6:2001:db8::1]:encrypt", "[ipv6:2001:db8::1]", wish("encrypt")],
    // s/qmail's.
    ["!example.test:", "example.test", wish("none")],
    ["-example.test:", "example.test", wish("encrypt")],
    ["-*:", "*", wish("encrypt")],
    ["+*:", "*", wish("encrypt")],
    ["=example.test:", "example.test", wish("verify")],
    ["~example.test:", "example.test", wish("verify")],
    ["*:", "*", wish("verify")],
    ["example.test:", "example.test", wish("verify")],
    [`%example.test:=${colons}`, "example.test", wish("verify", { fingerprints: [digest] })],
  ];
  for (const [line, key, want] of lines) {
    it(`reads ${line.slice(0, 60)}`, () => assertEquals(read(`# a comment\n\n${line}\n`), { [key]: want }));
  }

  const level = "a level of none, may, encrypt, verify, dane (no files, ciphers or ports are taken)";
  const key = "a domain, .domain or *, and a colon in front of the level";
  const words = "implicit, name=, fingerprint= or authority= behind the level";
  const only = "name=, fingerprint= and authority= behind verify only";
  const hex = "a SHA-256, 64 hex digits, as a certificate's fingerprint";
  const wrong: readonly (readonly [string, string])[] = [
    ["example.test", key],
    [":may", key],
    ["exa mple.test:may", key],
    ["..test:may", key],
    ["[nowhere]:may", key],
    ["example.test:maybe", level],
    ["example.test:Verify", level],
    ["example.test:/etc/ssl/ca.pem", level],
    ["example.test:|HIGH|3;465", level],
    ["example.test:encrypt always", words],
    ["example.test:encrypt name=mx.test", only],
    [`example.test:dane fingerprint=${digest}`, only],
    ["example.test:verify name=", "a host's name behind name="],
    ["example.test:verify name=*", "a host's name behind name="],
    ["example.test:verify fingerprint=abcd", hex],
    [`example.test:verify authority=${digest}00`, hex],
    [`example.test:verify fingerprint=${digest} name=mx.test`, "fingerprint= alone, for it says it all"],
    ["example.test:none implicit", "no TLS, or TLS from the first octet on, not both"],
    ["!example.test:may", "nothing behind the colon of a key with !"],
    [`%example.test:${"ab".repeat(20)}`, words],
    [`%example.test:=${"ab".repeat(20)}`, hex],
  ];
  for (const [line, want] of wrong) {
    it(`refuses ${line.slice(0, 60)}`, () => {
      assertEquals(read(`a.test:may\n${line}\n`), `expected ${want}, got ${JSON.stringify(line)}`);
    });
  }

  it("lets the last of equal keys win", () => {
    assertEquals(read("a.test:may\nA.test:none\n"), { "a.test": wish("none") });
  });

  it("throws at no text", () => {
    fc.assert(fc.property(fc.string(), (text) => void parseTlsDestinations(text)));
  });
});

describe("tlsWishOf()", () => {
  const parsed = parseTlsDestinations("mx.test:none\n.test:may\n.b.test:encrypt\n*:verify\n");
  assert(parsed.ok);
  const destinations = parsed.value;

  it("takes the whole name, then the longest suffix, then *", () => {
    const domains = ["mx.test", "a.mx.test", "test", "a.b.test", "x.a.b.test", "b.test", "", "[192.0.2.1]"];
    assertEquals(
      domains.map((domain) => tlsWishOf(destinations, domain).level),
      ["none", "may", "verify", "encrypt", "encrypt", "may", "verify", "verify"],
    );
  });

  it("is the default where nothing is said", () => {
    assertEquals(tlsWishOf(new Map(), "mx.test"), defaultTlsWish);
  });

  it("comes whole through a request to qmail-remote", () => {
    const wishes = [
      defaultTlsWish,
      wish("verify", { anchors: [digest], names: ["mx.test"], authorities: ["PEM"] }),
      wish("verify", { fingerprints: [digest], implicit: true }),
    ];
    for (const tls of wishes) {
      const head = {
        ...{ op: "deliver", id: 1, sizeBytes: 9, sender: "", recipients: ["a@b.test"], domain: "b.test", port: 25 },
        ...{ helo: "me", connectTimeoutMs: 1, timeoutMs: 2, privateAddresses: false, protocol: "smtp", mxps: false },
        ...{ ipv6: false, localAddresses: [], tls },
      };
      assertEquals(parseRemoteRequest({ head, body: new Uint8Array() }).tls, tls);
    }
  });

  it("tells the operator's authorities along, also by default", () => {
    assertEquals(tlsWishOf(new Map(), "mx.test", ["PEM"]), { ...defaultTlsWish, authorities: ["PEM"] });
    assertEquals(tlsWishOf(destinations, "mx.test", "built in"), wish("none"));
  });
});
