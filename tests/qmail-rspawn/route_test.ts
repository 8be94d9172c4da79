import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  destinationOf,
  findRoute,
  groupByDomain,
  groupByWay,
  type RemoteControls,
} from "../../components/qmail-rspawn/route.ts";
import type { LeavesBy } from "../../components/lib/routing/local_addresses.ts";
import { defaultTlsWish, type TlsWish } from "../../components/lib/tls/client_policy.ts";
import type { Route, Routes } from "../../components/lib/routing/route.ts";

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
  const controls: RemoteControls = {
    authsenders: new Map(),
    domainips: new Map(),
    helohost: "me.example",
    moreipme: [],
    mxprivate: false,
    mxps: false,
    notipme: [],
    outgoingip: [],
    qmtproutes: new Map(),
    remoteport: 2626,
    smtproutes: routes,
    timeoutconnect: 60,
    timeoutremote: 999_999_999_999_999,
    tlsclientca: "built in",
    tlsdestinations: new Map(),
  };
  const sender = "s@s.example";

  describe("and groupByWay()", () => {
    const recipients = [
      "a@one.example",
      "b@two.example",
      "c@direct.example.org",
      "d@three.example",
      "e@one.example",
      "f",
    ];
    const groupsWith = (more: Partial<RemoteControls>, from = sender) =>
      groupByWay(recipients, from, { ...controls, smtproutes: withDefault, ...more }).map(({ domain, places }) =>
        `${domain} ${places.join("")}`
      );

    it("have all go together that one relay takes, and each domain by itself that goes by MX", () => {
      assertEquals(groupsWith({}), ["one.example 0413", "direct.example.org 2", "undefined 5"]);
      assertEquals(groupsWith({ smtproutes: new Map() }).length, 5);
    });

    it("part relays", () => {
      const smtproutes = new Map([...withDefault, ["two.example", { ...smarthost }]]);
      assertEquals(groupsWith({ smtproutes }), [
        "one.example 043",
        "two.example 1",
        "direct.example.org 2",
        "undefined 5",
      ]);
    });

    it("part what has to have another TLS", () => {
      const tlsdestinations = new Map([["three.example", { ...defaultTlsWish, level: "verify" as const }]]);
      const parted = ["one.example 041", "direct.example.org 2", "three.example 3", "undefined 5"];
      assertEquals(groupsWith({ tlsdestinations }), parted);
      assertEquals(groupsWith({ tlsdestinations, tlsclientca: [] }), parted);
    });

    it("do not where the route itself says which TLS", () => {
      const tlsdestinations = new Map([["three.example", { ...defaultTlsWish, level: "verify" as const }]]);
      const smtproutes = new Map([...routes, ["", { ...smarthost, tls: defaultTlsWish }]]);
      assertEquals(groupsWith({ tlsdestinations, smtproutes }), [
        "one.example 0413",
        "direct.example.org 2",
        "undefined 5",
      ]);
    });

    it("have all of a sender with a relay of his own go there", () => {
      const authsenders = new Map([["amy@s.example", smarthost]]);
      assertEquals(groupsWith({ authsenders }, "amy@s.example"), ["one.example 04123", "undefined 5"]);
    });
  });

  it("gives the relay and its port where there is a route, else remoteport", () => {
    const byRoute = destinationOf("a.example.org", sender, controls);
    assertEquals([byRoute.relayHost, byRoute.port], ["192.0.2.1", 2525]);
    const byMx = destinationOf("direct.example.org", sender, controls);
    assertEquals([byMx.relayHost, byMx.port], [undefined, 2626]);
  });

  it("tells which addresses are this host's only where the operator knows better", () => {
    assertEquals("own" in destinationOf("a.example", sender, controls), false);
    const told = destinationOf("a.example", sender, { ...controls, moreipme: ["192.0.2.1"], notipme: ["::1"] });
    assertEquals(told.own, { more: ["192.0.2.1"], fewer: ["::1"] });
  });

  it("keeps every limit within what a timer takes", () => {
    const { connectTimeoutMs, timeoutMs } = destinationOf("a.example", sender, controls);
    assertEquals([connectTimeoutMs, timeoutMs], [60_000, 2_147_483_647]);
  });

  describe("by route", () => {
    const viaSender = { host: "sender.example", port: 587, login: { user: "amy", password: "secret" } };
    const viaDomain = { host: "domain.example", port: 25 };
    const viaNull = { host: "bounces.example", port: 26 };
    const viaQmtp = { host: "qmtp.example", port: 209, protocol: "qmtp" as const };
    const all = {
      ...controls,
      authsenders: new Map([["amy@s.example", viaSender], ["@t.example", viaDomain]]),
      qmtproutes: new Map<string, Route | undefined>([["q.example", viaQmtp], ["example.org", undefined]]),
      smtproutes: new Map<string, Route | undefined>([...routes, ["!@", viaNull], ["q.example", relay]]),
    };
    const rows = [
      { from: "amy@s.example", to: "example.org", want: viaSender.host },
      { from: "AMY@S.Example", to: "q.example", want: viaSender.host },
      { from: "bob@s.example", to: "example.org", want: relay.host },
      { from: "bob@t.example", to: "example.org", want: viaDomain.host },
      { from: "t.example", to: "nowhere.example", want: undefined },
      { from: "", to: "example.org", want: viaNull.host },
      { from: "#@[]", to: "example.org", want: viaNull.host },
      { from: "bob@s.example", to: "q.example", want: viaQmtp.host },
      { from: "bob@s.example", to: "example.org", want: relay.host },
    ];
    for (const { from, to, want } of rows) {
      it(`sends mail of <${from}> for ${to} to ${want ?? "its MX"}`, () => {
        assertEquals(destinationOf(to, from, all).relayHost, want);
      });
    }

    it("tells the password only to its relay", () => {
      assertEquals(destinationOf("a.example", "amy@s.example", all).login, viaSender.login);
      assertEquals(destinationOf("a.example", "bob@s.example", all).login, undefined);
    });

    it("speaks what the relay speaks", () => {
      assertEquals(destinationOf("q.example", sender, all).protocol, "qmtp");
      assertEquals(destinationOf("example.org", sender, all).protocol, "smtp");
    });
  });

  describe("with TLS", () => {
    const verify = { ...defaultTlsWish, level: "verify" as const, isDefault: false };
    const encrypt = { ...defaultTlsWish, level: "encrypt" as const, isDefault: false };
    const none = { ...defaultTlsWish, level: "none" as const, isDefault: false };
    const all = {
      ...controls,
      tlsdestinations: new Map<string, TlsWish>([["a.example", verify], ["relay.example", encrypt]]),
      smtproutes: new Map<string, Route | undefined>([
        ["a.example", relay],
        ["b.example", relay],
        ["c.example", { ...relay, tls: none }],
      ]),
    };
    const rows = [
      { domain: "a.example", want: "verify", why: "the domain's own line comes before its relay's" },
      { domain: "b.example", want: "encrypt", why: "else the relay's line counts" },
      { domain: "c.example", want: "none", why: "the route's word comes first" },
      { domain: "d.example", want: "may", why: "nothing is said" },
    ];
    for (const { domain, want, why } of rows) {
      it(`wishes ${want} for ${domain}: ${why}`, () =>
        assertEquals(destinationOf(domain, sender, all).tls.level, want));
    }

    it("tells which authorities count, where control/tlsclientca is there", () => {
      const own = { ...all, tlsclientca: ["PEM"] };
      assertEquals(["b.example", "c.example"].map((domain) => destinationOf(domain, sender, own).tls.authorities), [
        ["PEM"],
        ["PEM"],
      ]);
    });
  });

  describe("leaving", () => {
    const all = {
      ...controls,
      outgoingip: ["192.0.2.1"],
      domainips: new Map([
        ["s.example", { addresses: ["192.0.2.2", "2001:db8::2"], helo: "s.example" }],
        ["t.example", { addresses: [], helo: "t.example" }],
      ]),
    };
    const rows = [
      { from: "a@S.example", addresses: ["192.0.2.2", "2001:db8::2"], helo: "s.example" },
      { from: "a@t.example", addresses: ["192.0.2.1"], helo: "t.example" },
      { from: "a@x.example", addresses: ["192.0.2.1"], helo: "me.example" },
      { from: "", addresses: ["192.0.2.1"], helo: "me.example" },
    ];
    for (const { from, addresses, helo } of rows) {
      it(`mail of <${from}> leaves from ${addresses.join(" and ")} as ${helo}`, () => {
        const destination = destinationOf("a.example", from, all);
        assertEquals([destination.localAddresses, destination.helo], [addresses, helo]);
      });
    }

    it("mail of others leaves by the line for all, where there is one", () => {
      const domainips = new Map<string, LeavesBy>([...all.domainips, ["", {
        addresses: ["192.0.2.9"],
        helo: undefined,
      }]]);
      assertEquals(destinationOf("a.example", "a@x.example", { ...all, domainips }).localAddresses, ["192.0.2.9"]);
    });
  });
});
