import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import type { OwnAddresses } from "../../components/lib/routing/local_addresses.ts";
import { findAddresses } from "../../components/qmail-remote/find_addresses.ts";
import { exchangersOf, hostsOf, lookupOf, meansQmtp } from "../../components/qmail-remote/mx.ts";
import type {
  DnsRecord,
  RecordType,
  ResolveReply,
  ResolveStatus,
} from "../../components/lib/wire/resolver_protocol.ts";

type Zone = Readonly<Record<string, ResolveStatus | readonly (string | DnsRecord)[]>>;

function answer(found: Zone[string] | undefined): ResolveReply {
  if (found === undefined) return { status: "nodata", authenticated: false, records: [] };
  if (typeof found === "string") return { status: found, authenticated: false, records: [] };
  const records = found.map((record) => typeof record === "string" ? { value: record } : record);
  return { status: "ok", authenticated: false, records };
}

function mx(preference: number, value: string): DnsRecord {
  return { preference, value };
}

interface Options {
  readonly relayHost?: string;
  readonly privateAddresses?: boolean;
  readonly ipv6?: boolean;
  readonly randoms?: readonly number[];
  readonly own?: OwnAddresses;
}

/** The addresses joined by blanks, or the report. */
async function find(domain: string, zone: Zone, options: Options = {}): Promise<string> {
  const randoms = [...options.randoms ?? []];
  const found = await findAddresses({
    domain,
    relayHost: options.relayHost,
    privateAddresses: options.privateAddresses ?? false,
    ipv6: options.ipv6 ?? false,
    ...(options.own === undefined ? {} : { own: options.own }),
  }, {
    resolve: (name: string, type: RecordType) => Promise.resolve(answer(zone[`${name} ${type}`])),
    random: () => randoms.shift() ?? 0,
    ownAddresses: () => new Set(["127.0.0.1", "198.51.100.1", "9.9.9.9", "::1", "2001:4860::9"]),
  });
  return found.ok
    ? found.value.flatMap(({ addresses }) => addresses).join(" ")
    : found.error.verdict + found.error.text;
}

const bestIsMe = "DSorry. Although I'm listed as a best-preference MX or A for that host,\n" +
  "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n";
const trouble = "ZSorry, I couldn't find any host by that name. (#4.1.2)\n";
const noHost = (name: string) => `DSorry, I couldn't find any host named ${name}. (#5.1.2)\n`;
const noAddress = "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n";
const noPublic = "DSorry, that host's mail exchangers have no public IP address. (#5.4.4)\n";

interface Row extends Options {
  readonly name: string;
  readonly domain?: string;
  readonly zone: Zone;
  readonly want: string;
}

const rows: readonly Row[] = [
  {
    name: "sorts by preference",
    zone: {
      "d.example MX": [mx(20, "b.example"), mx(10, "a.example")],
      "a.example A": ["8.0.0.1", "8.0.0.2"],
      "b.example A": ["8.0.0.3"],
    },
    want: "8.0.0.1 8.0.0.2 8.0.0.3",
  },
  {
    name: "lets the random numbers decide among equals",
    zone: {
      "d.example MX": [mx(10, "a.example"), mx(10, "b.example"), mx(5, "c.example")],
      "a.example A": ["8.0.0.1"],
      "b.example A": ["8.0.0.2"],
      "c.example A": ["8.0.0.3"],
    },
    randoms: [0.9, 0.1, 0.99],
    want: "8.0.0.3 8.0.0.2 8.0.0.1",
  },
  { name: "takes the domain's own address without MX", zone: { "d.example A": ["8.0.0.1"] }, want: "8.0.0.1" },
  { name: "takes an address literal", domain: "[8.0.0.1]", zone: {}, want: "8.0.0.1" },
  { name: "takes a bare address", domain: "8.0.0.1", zone: {}, want: "8.0.0.1" },
  { name: "has no way to IPv6 literals", domain: "[IPv6:2001:db8::1]", zone: {}, want: noAddress },
  {
    name: "refuses a null MX",
    zone: { "d.example MX": [mx(0, "")], "d.example A": ["8.0.0.1"] },
    want: "DSorry, d.example accepts no mail. (#5.1.10)\n",
  },
  {
    name: "refuses a null MX written as a dot",
    zone: { "d.example MX": [mx(0, ".")] },
    want: "DSorry, d.example accepts no mail. (#5.1.10)\n",
  },
  {
    name: "passes over a null MX among others",
    zone: { "d.example MX": [mx(0, ""), mx(1, "a.example")], "a.example A": ["8.0.0.1"] },
    want: "8.0.0.1",
  },
  {
    name: "fails a domain that does not exist",
    zone: { "d.example MX": "nxdomain" },
    want: "DSorry, I couldn't find any host named d.example. (#5.1.2)\n",
  },
  {
    name: "fails a domain that is no host name",
    domain: "a b.example",
    zone: {},
    want: "DSorry, I couldn't find any host named a b.example. (#5.1.2)\n",
  },
  { name: "fails a domain without MX and address", zone: {}, want: noAddress },
  { name: "defers when nobody answers about MX", zone: { "d.example MX": "temporary" }, want: trouble },
  { name: "defers when nobody answers about the address", zone: { "d.example A": "temporary" }, want: trouble },
  {
    name: "goes on where one exchanger cannot be found now",
    zone: {
      "d.example MX": [mx(1, "a.example"), mx(2, "b.example")],
      "a.example A": "temporary",
      "b.example A": ["8.0.0.2"],
    },
    want: "8.0.0.2",
  },
  {
    name: "defers where the only others cannot be found now",
    zone: {
      "d.example MX": [mx(1, "a.example"), mx(2, "b.example")],
      "a.example A": "temporary",
      "b.example A": "nxdomain",
    },
    want: trouble,
  },
  {
    name: "fails where no exchanger exists",
    zone: { "d.example MX": [mx(1, "a.example")], "a.example A": "nxdomain" },
    want: "DSorry, I couldn't find any host named d.example. (#5.1.2)\n",
  },
  {
    name: "uses only those better than this machine",
    zone: {
      "d.example MX": [mx(1, "a.example"), mx(2, "me.example"), mx(2, "b.example"), mx(3, "c.example")],
      "a.example A": ["8.0.0.1"],
      "me.example A": ["9.9.9.9"],
      "b.example A": ["8.0.0.2"],
      "c.example A": ["8.0.0.3"],
    },
    want: "8.0.0.1",
  },
  {
    name: "fails where this machine is best",
    zone: {
      "d.example MX": [mx(1, "me.example"), mx(2, "b.example")],
      "me.example A": ["9.9.9.9"],
      "b.example A": ["8.0.0.2"],
    },
    want: bestIsMe,
  },
  {
    name: "takes localhost as an exchanger for this machine",
    zone: { "d.example MX": [mx(1, "localhost")], "localhost A": ["127.0.0.1"] },
    want: bestIsMe,
  },
  {
    name: "takes an address of control/moreipme for this machine",
    zone: {
      "d.example MX": [mx(1, "a.example"), mx(2, "b.example")],
      "a.example A": ["8.8.8.8"],
      "b.example A": ["8.0.0.1"],
    },
    own: { more: ["8.8.8.8"], fewer: [] },
    want: bestIsMe,
  },
  {
    name: "does not take an address of control/notipme for this machine",
    zone: { "d.example A": ["9.9.9.9"] },
    own: { more: ["9.9.9.9"], fewer: ["9.9.9.9"] },
    want: "9.9.9.9",
  },
  { name: "takes 0.0.0.0 for this machine", zone: { "d.example A": ["0.0.0.0"] }, want: bestIsMe },
  {
    name: "takes 127.0.0.1 for this machine",
    zone: { "d.example A": ["127.0.0.1"] },
    privateAddresses: true,
    want: bestIsMe,
  },
  {
    name: "defers where a better one than this machine cannot be found now",
    zone: {
      "d.example MX": [mx(1, "a.example"), mx(2, "me.example")],
      "a.example A": "temporary",
      "me.example A": ["9.9.9.9"],
    },
    want: trouble,
  },
  ...["127.0.0.2", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1"].flatMap((
    address,
  ): Row[] => [
    { name: `does not use ${address}`, zone: { "d.example A": [address] }, want: noPublic },
    {
      name: `uses ${address} in a lab`,
      zone: { "d.example A": [address] },
      privateAddresses: true,
      want: address,
    },
  ]),
  ...["224.0.0.1", "255.255.255.255"].map((address): Row => ({
    name: `uses ${address} nowhere`,
    zone: { "d.example A": [address] },
    privateAddresses: true,
    want: noPublic,
  })),
  { name: "does not use a private address literal", domain: "[10.0.0.1]", zone: {}, want: noPublic },
  {
    name: "uses the public ones among private ones",
    zone: { "d.example A": ["10.0.0.1", "8.0.0.1", "::ffff:10.0.0.1", "010.0.0.1", "8.0.0.1"] },
    want: "8.0.0.1",
  },
  {
    name: "leaves out exchangers that are no host names",
    zone: {
      "d.example MX": [
        mx(1, "a;b.example"),
        mx(1, "a b"),
        mx(1, "a\0b"),
        mx(1, "a..b"),
        mx(1, "x.".repeat(200)),
        mx(9, "ok.example"),
      ],
      "ok.example A": ["8.0.0.1"],
    },
    want: "8.0.0.1",
  },
  { name: "fails where no exchanger is a host name", zone: { "d.example MX": [mx(1, "a b")] }, want: noAddress },
  {
    name: "asks about ten exchangers at most",
    zone: {
      "d.example MX": Array.from({ length: 100 }, (_, n) => mx(n, `m${n}.example`)),
      ...Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`m${n}.example A`, [`8.0.0.${n}`]])),
    },
    want: Array.from({ length: 10 }, (_, n) => `8.0.0.${n}`).join(" "),
  },
  {
    name: "tries thirty addresses at most",
    zone: { "d.example A": Array.from({ length: 100 }, (_, n) => `8.0.0.${n}`) },
    want: Array.from({ length: 30 }, (_, n) => `8.0.0.${n}`).join(" "),
  },
  {
    name: "asks for A-labels",
    domain: "b\xc3\xbccher.example",
    zone: { "xn--bcher-kva.example A": ["8.0.0.1"] },
    want: "8.0.0.1",
  },
  { name: "takes a relay's address as it is", relayHost: "127.0.0.1", zone: {}, want: "127.0.0.1" },
  { name: "takes a relay's IPv6 address", relayHost: "::1", zone: {}, want: "::1" },
  {
    name: "asks for a relay's address, not its MX",
    relayHost: "r.example",
    zone: { "r.example MX": [mx(1, "a.example")], "r.example A": ["10.0.0.1"] },
    want: "10.0.0.1",
  },
  {
    name: "defers when a relay cannot be found now",
    relayHost: "r.example",
    zone: { "r.example A": "temporary" },
    want: trouble,
  },
  {
    name: "defers when a relay does not exist",
    relayHost: "r.example",
    zone: { "r.example A": "nxdomain" },
    want: "ZSorry, I couldn't find any host named r.example. (#4.1.2)\n",
  },
];

const overSix: readonly Row[] = [
  {
    name: "gives each exchanger's addresses of both families before the next one's",
    zone: {
      "d.example MX": [mx(2, "b.example"), mx(1, "a.example")],
      "a.example A": ["8.0.0.1"],
      "a.example AAAA": ["2001:4860:0::1"],
      "b.example AAAA": ["2001:4860::2"],
    },
    want: "8.0.0.1 2001:4860::1 2001:4860::2",
  },
  { name: "takes a domain that has only AAAA", zone: { "d.example AAAA": ["2001:4860::1"] }, want: "2001:4860::1" },
  { name: "takes [IPv6:...]", domain: "[ipv6:2001:4860:0:0::1]", zone: {}, want: "2001:4860::1" },
  { name: "takes IPv6 in brackets", domain: "[2001:4860::1]", zone: {}, want: "2001:4860::1" },
  { name: "takes no bare IPv6", domain: "2001:4860::1", zone: {}, want: noHost("2001:4860::1") },
  { name: "takes no literal with an interface", domain: "[ipv6:fe80::1%eth0]", zone: {}, want: noPublic },
  {
    name: "knows this machine by an IPv6 address, however it is spelt",
    zone: {
      "d.example MX": [mx(1, "a.example"), mx(2, "b.example")],
      "a.example AAAA": ["2001:4860:0000::0009"],
      "b.example A": ["8.0.0.1"],
    },
    want: bestIsMe,
  },
  ...["::", "::1", "::ffff:9.9.9.9", "::ffff:127.0.0.1", "::ffff:0.0.0.0"].map((address): Row => ({
    name: `takes ${address} for this machine`,
    zone: { "d.example AAAA": [address] },
    privateAddresses: true,
    want: bestIsMe,
  })),
  ...["::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a00:1", "2002:a00:1::1", "ff02::1", "::7f00:1"].flatMap((
    address,
  ): Row[] =>
    [false, true].map((privateAddresses) => ({
      name: `uses ${address} nowhere${privateAddresses ? ", not in a lab either" : ""}`,
      zone: { "d.example AAAA": [address] },
      privateAddresses,
      want: noPublic,
    }))
  ),
  ...["fe80::1", "fd00::1", "2001:db8::1"].map((address): Row => ({
    name: `does not use ${address}`,
    zone: { "d.example AAAA": [address] },
    want: noPublic,
  })),
  { name: "uses fd00::1 in a lab", zone: { "d.example AAAA": ["fd00::1"] }, privateAddresses: true, want: "fd00::1" },
  {
    name: "goes on with one family where nobody answers about the other",
    zone: { "d.example A": "temporary", "d.example AAAA": ["2001:4860::1"] },
    want: "2001:4860::1",
  },
  {
    name: "defers where one family is private and nobody answers about the other",
    zone: { "d.example A": ["10.0.0.1"], "d.example AAAA": "temporary" },
    want: trouble,
  },
  {
    name: "asks for a relay's addresses of both families",
    relayHost: "r.example",
    zone: { "r.example A": ["10.0.0.1"], "r.example AAAA": ["fd00::1"] },
    want: "10.0.0.1 fd00::1",
  },
];

describe("findAddresses() where there is IPv6", () => {
  for (const { name, domain, zone, want, ...options } of overSix) {
    it(name, async () => assertEquals(await find(domain ?? "d.example", zone, { ...options, ipv6: true }), want));
  }

  for (const { name, domain, zone, want, ...options } of rows) {
    if (domain === "[IPv6:2001:db8::1]") continue;
    it(`as without it: ${name}`, async () => {
      assertEquals(await find(domain ?? "d.example", zone, { ...options, ipv6: true }), want);
    });
  }
});

describe("hostsOf()", () => {
  const secure = (...values: string[]): ResolveReply => {
    return {
      status: values.length > 0 ? "ok" : "nodata",
      authenticated: true,
      records: values.map((value) => ({ value })),
    };
  };
  const bare = (reply: ResolveReply): ResolveReply => ({ ...reply, authenticated: false });
  const policy = { own: new Set<string>(), privateAddresses: false };
  const table = [
    { name: "all answers", mx: true, replies: [secure("8.0.0.1"), secure()], want: true },
    { name: "not the one about MX", mx: false, replies: [secure("8.0.0.1"), secure()], want: false },
    { name: "not the one about A", mx: true, replies: [bare(secure("8.0.0.1")), secure()], want: false },
    { name: "not the one that there is no AAAA", mx: true, replies: [secure("8.0.0.1"), bare(secure())], want: false },
  ];
  for (const { name, mx: authenticated, replies, want } of table) {
    it(`calls a host ${want ? "" : "not "}authenticated where AD was in ${name}`, () => {
      const found = hostsOf("d.example", [{ exchanger: { host: "a.example", preference: 1 }, replies }], policy, {
        authenticated,
      });
      assertEquals(found.ok && found.value.map((host) => host.authenticated), [want]);
    });
  }
});

describe("meansQmtp()", () => {
  it("holds for 12801, and every sixteenth from there to 13041", () => {
    const preferences = Array.from({ length: 65_536 }, (_, preference) => preference).filter(meansQmtp);
    assertEquals(preferences, Array.from({ length: 16 }, (_, at) => 12_801 + 16 * at));
  });
});

describe("findAddresses()", () => {
  for (const { name, domain, zone, want, ...options } of rows) {
    it(name, async () => assertEquals(await find(domain ?? "d.example", zone, options), want));
  }
});

describe("exchangersOf()", () => {
  it("answers in order of preference, whatever the records and random numbers", () => {
    const record = fc.record({ preference: fc.nat(5), value: fc.constantFrom("a.example", "b", "", ".", "x y") });
    fc.assert(fc.property(fc.array(record), fc.array(fc.double({ noNaN: true })), (records, randoms) => {
      const found = exchangersOf("d.example", { status: "ok", authenticated: false, records }, randoms);
      const preferences = found.ok ? found.value.map(({ preference }) => preference) : [];
      assertEquals(preferences, preferences.toSorted((a, b) => a - b));
    }));
  });
});

describe("lookupOf()", () => {
  it("throws at no domain", () => {
    const octets = fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)) });
    fc.assert(fc.property(octets, (domain) => assert(typeof lookupOf(domain).ok === "boolean")));
  });
});
