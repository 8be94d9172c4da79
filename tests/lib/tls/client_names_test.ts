import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { hasName, namesFit } from "../../../components/lib/tls/client_names.ts";
import type { PeerCertificate } from "../../../components/lib/tls/client_peer_certificate.ts";

const certificate: PeerCertificate = {
  publicKey: new Uint8Array(),
  dnsNames: [],
  addresses: [],
  commonName: undefined,
  isAuthority: false,
  authoritiesBelow: 0,
  isForServers: true,
  isStrange: false,
};

describe("namesFit()", () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ["mx.test", "mx.test", true],
    ["MX.Test", "mx.test.", true],
    ["mx.test", "my.test", false],
    ["mx.test", "a.mx.test", false],
    ["*.example.test", "mx.example.test", true],
    ["mx.example.test", "*.example.test", true],
    ["*.example.test", "*.example.test", true],
    ["*.example.test", "a.mx.example.test", false],
    ["*.example.test", "example.test", false],
    ["*.example.test", ".example.test", false],
    ["*.test", "example.test", false],
    ["*", "test", false],
    ["*.*.test", "a.b.test", false],
    ["m*.example.test", "mx.example.test", false],
    ["", "", false],
    [".", ".", false],
  ];
  for (const [presented, wanted, want] of table) {
    it(`${want ? "fits" : "does not fit"} ${presented} to ${wanted}`, () => {
      assertEquals([namesFit(presented, wanted), namesFit(wanted, presented)], [want, want]);
    });
  }
});

describe("hasName()", () => {
  it("takes one of several names", () => {
    const both = { ...certificate, dnsNames: ["a.test", "b.test"] };
    assertEquals([hasName(both, ["c.test", "b.test"]), hasName(both, ["c.test"]), hasName(both, [])], [
      true,
      false,
      false,
    ]);
  });

  it("takes a common name only where that is asked for and there is no other", () => {
    const common = { ...certificate, commonName: "mx.test" };
    assertEquals(hasName(common, ["mx.test"]), false);
    assertEquals(hasName(common, ["mx.test"], { commonName: true }), true);
    assertEquals(hasName({ ...common, dnsNames: ["b.test"] }, ["mx.test"], { commonName: true }), false);
  });

  it("compares addresses with addresses only, in any form", () => {
    const addressed = { ...certificate, addresses: ["192.0.2.1", "2001:db8::1"] };
    assertEquals(hasName(addressed, ["192.0.2.1"]), true);
    assertEquals(hasName(addressed, ["2001:0DB8:0::1"]), true);
    assertEquals(hasName(addressed, ["192.0.2.2"]), false);
    assertEquals(hasName({ ...certificate, dnsNames: ["192.0.2.1"] }, ["192.0.2.1"]), false);
  });
});
