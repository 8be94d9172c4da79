import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { destinationOf, findRoute, groupByDomain } from "../../components/qmail-rspawn/route.ts";
import type { Routes } from "../../config/values.ts";

const relay = { host: "relay.example", port: 25 };
const inner = { host: "192.0.2.1", port: 2525 };
const smarthost = { host: "smart.example", port: 587 };

const routes: Routes = new Map([
  ["example.org", relay],
  [".example.org", inner],
  ["direct.example.org", undefined],
  [".own.example.org", undefined],
  ["[192.0.2.9]", relay],
  ["constructor", relay],
]);
const withDefault: Routes = new Map([...routes, ["", smarthost]]);

describe("findRoute()", () => {
  const rows = [
    { domain: "example.org", want: relay, orElse: relay },
    { domain: "a.example.org", want: inner, orElse: inner },
    { domain: "a.b.example.org", want: inner, orElse: inner },
    { domain: "direct.example.org", want: undefined, orElse: undefined },
    { domain: "x.own.example.org", want: undefined, orElse: undefined },
    { domain: "own.example.org", want: inner, orElse: inner },
    { domain: "[192.0.2.9]", want: relay, orElse: relay },
    { domain: "constructor", want: relay, orElse: relay },
    { domain: "notexample.org", want: undefined, orElse: smarthost },
    { domain: "org", want: undefined, orElse: smarthost },
    { domain: "__proto__", want: undefined, orElse: smarthost },
    { domain: "", want: undefined, orElse: smarthost },
  ];
  for (const { domain, want, orElse } of rows) {
    it(`sends "${domain}" to ${want?.host ?? "its MX"}, with a default route to ${orElse?.host ?? "its MX"}`, () => {
      assertEquals(findRoute(routes, domain), want);
      assertEquals(findRoute(withDefault, domain), orElse);
    });
  }
});

describe("groupByDomain()", () => {
  it("takes what stands behind the last @, in lower case, and keeps places", () => {
    assertEquals(groupByDomain(["a@X.example", "b@y@x.EXAMPLE", "noat", "c@z.example", "d@"]), [
      { domain: "x.example", places: [0, 1] },
      { domain: undefined, places: [2] },
      { domain: "z.example", places: [3] },
      { domain: "", places: [4] },
    ]);
  });

  it("leaves octets over 127 as they are", () => {
    assertEquals(groupByDomain(["a@b\xc3\x84.example"]), [{ domain: "b\xc3\x84.example", places: [0] }]);
  });
});

describe("destinationOf()", () => {
  const controls = {
    helohost: "me.example",
    mxprivate: false,
    remoteport: 2626,
    smtproutes: routes,
    timeoutconnect: 60,
    timeoutremote: 999_999_999_999_999,
  };

  it("gives the relay and its port where there is a route, else remoteport", () => {
    const byRoute = destinationOf("a.example.org", controls);
    assertEquals([byRoute.relayHost, byRoute.port], ["192.0.2.1", 2525]);
    const byMx = destinationOf("direct.example.org", controls);
    assertEquals([byMx.relayHost, byMx.port], [undefined, 2626]);
  });

  it("keeps every limit within what a timer takes", () => {
    const { connectTimeoutMs, timeoutMs } = destinationOf("a.example", controls);
    assertEquals([connectTimeoutMs, timeoutMs], [60_000, 2_147_483_647]);
  });
});
