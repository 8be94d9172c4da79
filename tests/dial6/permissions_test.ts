import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { manifest } from "../../components/dial6/permissions.ts";
import { flagsOf, instancesOf } from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { homeAt } from "../../config/home.ts";
import type { Controls } from "../../config/schema.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";

const home = homeAt("/q");
const config = (controls: Partial<Controls> = {}) => defaultConfig(home, 0, controls);
const grant = (controls: Partial<Controls> = {}) => manifest.permissions(config(controls));

describe("dial6's grant", () => {
  const rows: { claim: string; controls: Partial<Controls>; connect: string[]; listen?: string[] }[] = [
    { claim: "is the Internet at port 25", controls: { mxps: false }, connect: ["[2000::]/3:25"] },
    {
      claim: "has QMTP's port where an exchanger may speak it",
      controls: { mxps: true },
      connect: ["[2000::]/3:25", "[2000::]/3:209"],
    },
    {
      claim: "has the ports of relays with a name, which may be the site's own, and of no other",
      controls: {
        mxps: false,
        smtproutes: new Map([
          ["a.example", { host: "relay.example", port: 587 }],
          ["b.example", { host: "2001:db8::1", port: 26 }],
          ["c.example", { host: "192.0.2.1", port: 27 }],
          ["d.example", undefined],
        ]),
        qmtproutes: new Map([["e.example", { host: "relay.example", port: 209 }]]),
        authsenders: new Map([["@f.example", { host: "relay.example", port: 465 }]]),
      },
      connect: [
        ...[25, 587, 209, 465].map((port) => `[2000::]/3:${port}`),
        ...[587, 209, 465].map((port) => `[fc00::]/7:${port}`),
      ],
    },
    {
      claim: "has private networks and this machine where control/mxprivate is 1",
      controls: { mxps: false, mxprivate: true, remoteport: 2525 },
      connect: ["[2000::]/3:2525", "[fc00::]/7:2525", "[::1]/128:2525"],
    },
    {
      claim: "has the addresses that mail is to leave from",
      controls: {
        mxps: false,
        outgoingip: ["192.0.2.7", "2001:db8::7"],
        domainips: new Map([["a.example", { addresses: ["2001:db8::8", "192.0.2.8"], helo: undefined }]]),
      },
      connect: ["[2000::]/3:25"],
      listen: ["[2001:db8::7]:0", "[2001:db8::8]:0"],
    },
  ];
  for (const { claim, controls, connect, listen = [] } of rows) {
    it(claim, () => {
      assertEquals(grant(controls), { connect, listen, serves: ["dial6"], broker: "dial6-permissions" });
      assertEquals(breaches([manifest], config(controls)), []);
    });
  }

  it("is none at all without the broker", () => assertEquals(flagsOf(grant(), home), []));

  it("may not name a network of IPv6 without a broker", () => {
    const { broker: _broker, ...flagged } = grant({ mxps: false });
    const found = breaches([{ ...manifest, permissions: () => flagged }], config());
    assertEquals(found, ["dial6: may reach [2000::]/3:25, which takes a broker"]);
  });

  it("is needed where control/ipv6 says so, or this machine has an address", () => {
    assertEquals(instancesOf(manifest, config()), 0);
    assertEquals(instancesOf(manifest, config({ ipv6: "1" })), 1);
    assertEquals(instancesOf(manifest, { ...config(), globalIpv6: true }), 1);
    assertEquals(instancesOf(manifest, { ...config({ ipv6: "0" }), globalIpv6: true }), 0);
  });
});
