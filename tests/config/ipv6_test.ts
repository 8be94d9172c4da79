import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { hasGlobalIpv6, usesIpv6 } from "../../config/ipv6.ts";

describe("hasGlobalIpv6()", () => {
  const rows: { addresses: string[]; want: boolean }[] = [
    { addresses: [], want: false },
    {
      addresses: ["127.0.0.1", "192.0.2.1", "::1", "fe80::1", "fe80::1%eth0", "fd00::2", "::ffff:192.0.2.1"],
      want: false,
    },
    { addresses: ["192.0.2.1", "2001:db8::1"], want: true },
    { addresses: ["2606::1"], want: true },
    { addresses: ["4000::1", "nonsense"], want: false },
  ];
  for (const { addresses, want } of rows) {
    it(`is ${want} for ${addresses.join(", ") || "no address"}`, () => assertEquals(hasGlobalIpv6(addresses), want));
  }
});

describe("control/ipv6", () => {
  for (
    const { ipv6, globalIpv6, want } of [
      { ipv6: "auto", globalIpv6: true, want: true },
      { ipv6: "auto", globalIpv6: false, want: false },
      { ipv6: "auto", globalIpv6: undefined, want: false },
      { ipv6: "1", globalIpv6: false, want: true },
      { ipv6: "0", globalIpv6: true, want: false },
    ] as const
  ) {
    const more = globalIpv6 === undefined ? {} : { globalIpv6 };
    it(`"${ipv6}" means ${want} where the machine ${globalIpv6 === undefined ? "may have an" : globalIpv6 ? "has an" : "has no"} address`, () => {
      assertEquals(usesIpv6({ controls: { ipv6 }, ...more }), want);
    });
  }
});
