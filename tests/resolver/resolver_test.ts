/**
 * The real process under its real flags, against a name server of the test's own.
 * @module
 */
import { afterEach, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { rightsOf } from "../../components/lib/permissions/grant.ts";
import { Client } from "../../components/lib/wire/client.ts";
import type { RecordType, ResolveReply } from "../../components/lib/wire/resolver_protocol.ts";
import { homeAt } from "../../config/home.ts";
import { type DnsServer, startDnsServer, type Zone } from "../support/dns_server.ts";
import { type ResolverProcess, startResolver } from "./resolver_process.ts";

let servers: DnsServer[] = [];
let resolver: ResolverProcess | undefined;

/** A resolver whose name servers hold these zones, in this order. */
async function start(...zones: Zone[]): Promise<ResolverProcess> {
  servers = await Promise.all(zones.map((zone) => startDnsServer(zone)));
  return resolver = await startResolver(servers.map(({ port }) => `127.0.0.1:${port}\n`).join(""));
}

afterEach(async () => {
  await resolver?.stop();
  resolver = undefined;
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});

function ok(...records: ResolveReply["records"]): ResolveReply {
  return { status: "ok", authenticated: false, records };
}

function none(status: "nodata" | "nxdomain" | "temporary"): ResolveReply {
  return { status, authenticated: false, records: [] };
}

const long = "x".repeat(255);

const zone: Zone = {
  "b.example MX": [{ preference: 20, exchange: "MX2.b.example" }, { preference: 10, exchange: "mx1.b.example" }],
  "mx1.b.example A": ["192.0.2.1", "192.0.2.2"],
  "mx1.b.example AAAA": ["2001:db8::1"],
  "null.example MX": [{ preference: 0, exchange: "." }],
  "b.example TXT": ["v=spf1 -all", ["cut ", "in two"], "\x00\xff"],
  "1.2.0.192.in-addr.arpa PTR": ["mx1.b.example"],
  "www.example CNAME": ["alias.example"],
  "alias.example CNAME": ["mx1.b.example"],
  "far.example CNAME": ["mx1.b.example"],
  "far.example A": { leavesAlias: true },
  "loop.example CNAME": ["pool.example"],
  "pool.example CNAME": ["loop.example"],
  "gone.example CNAME": ["nobody.example"],
  "signed.example A": { records: ["192.0.2.3"], authenticated: true },
  "big.example TXT": { records: Array.from({ length: 60 }, () => [long, long, long]), truncated: true },
  "guessed.example A": { records: ["192.0.2.4"], wrongIds: 5 },
  "stormed.example A": { records: ["192.0.2.5"], wrongIds: 20 },
  "forged.example A": { records: ["192.0.2.6"], forged: ["192.0.2.66"] },
  "old.example A": { records: ["192.0.2.7"], refusesEdns: true },
  "broken.example A": { rcode: 2, records: [] },
  "brief.example A": { records: ["192.0.2.8"], ttlSeconds: 0 },
  "many.example MX": Array.from({ length: 150 }, (_, at) => ({ preference: at, exchange: `mx${at}.example` })),
  "garbage.example A": { raw: { answers: 1, octets: new Uint8Array([0xc0, 0xff, 1, 2, 3]) } },
};

describe("the resolver answers", () => {
  const rows: { name: string; type: RecordType; want: ResolveReply; claim?: string }[] = [
    {
      name: "b.example",
      type: "MX",
      want: ok({ value: "mx2.b.example", preference: 20 }, { value: "mx1.b.example", preference: 10 }),
    },
    { name: "null.example", type: "MX", want: ok({ value: "", preference: 0 }) },
    { name: "MX1.B.Example", type: "A", want: ok({ value: "192.0.2.1" }, { value: "192.0.2.2" }) },
    { name: "mx1.b.example", type: "AAAA", want: ok({ value: "2001:db8::1" }) },
    {
      name: "b.example",
      type: "TXT",
      want: ok({ value: "v=spf1 -all" }, { value: "cut in two" }, { value: "\x00\xff" }),
    },
    { name: "1.2.0.192.in-addr.arpa", type: "PTR", want: ok({ value: "mx1.b.example" }) },
    {
      name: "www.example",
      type: "A",
      want: { ...ok({ value: "192.0.2.1" }, { value: "192.0.2.2" }), canonical: "mx1.b.example" },
      claim: "an alias's records",
    },
    {
      name: "far.example",
      type: "A",
      want: { ...ok({ value: "192.0.2.1" }, { value: "192.0.2.2" }), canonical: "mx1.b.example" },
      claim: "an alias by a second query",
    },
    { name: "loop.example", type: "A", want: none("temporary"), claim: "a loop of aliases with temporary" },
    { name: "gone.example", type: "A", want: { ...none("nxdomain"), canonical: "nobody.example" } },
    { name: "b.example", type: "A", want: none("nodata") },
    { name: "nobody.example", type: "A", want: none("nxdomain") },
    { name: "broken.example", type: "A", want: none("temporary"), claim: "SERVFAIL with temporary" },
    { name: "garbage.example", type: "A", want: none("temporary"), claim: "garbage with temporary" },
    {
      name: "signed.example",
      type: "A",
      want: { ...ok({ value: "192.0.2.3" }), authenticated: true },
      claim: "the AD bit",
    },
    { name: "guessed.example", type: "A", want: ok({ value: "192.0.2.4" }), claim: "none of five with another id" },
    { name: "forged.example", type: "A", want: ok({ value: "192.0.2.6" }), claim: "none from another port" },
    { name: "old.example", type: "A", want: ok({ value: "192.0.2.7" }), claim: "without EDNS" },
  ];
  it("what the zone holds", async () => {
    const { client } = await start(zone);
    for (const { name, type, want, claim } of rows) {
      assertEquals(await client.resolve(name, type), want, `${name} ${type} ${claim ?? ""}`);
    }
  });

  it("a cut answer from TCP, with every octet", async () => {
    const { client } = await start(zone);
    const { records } = await client.resolve("big.example", "TXT");
    assertEquals(records.length, 60);
    assert(records.every((record) => record.value === long.repeat(3)));
    assertEquals(servers[0]!.queries, ["udp big.example TXT", "tcp big.example TXT"]);
  });

  it("by TCP when somebody guesses ids", async () => {
    const { client } = await start(zone);
    assertEquals(await client.resolve("stormed.example", "A"), ok({ value: "192.0.2.5" }));
    assertEquals(servers[0]!.queries, ["udp stormed.example A", "tcp stormed.example A"]);
  });

  it("with at most a hundred records", async () => {
    const { client } = await start(zone);
    assertEquals((await client.resolve("many.example", "MX")).records.length, 100);
  });
});

describe("the resolver asks", () => {
  it("once for what it was told, yes or no", async () => {
    const { client } = await start(zone);
    for (
      const name of [
        "mx1.b.example",
        "nobody.example",
        "broken.example",
        "mx1.b.example",
        "nobody.example",
        "broken.example",
      ]
    ) {
      await client.resolve(name, "A");
    }
    assertEquals(servers[0]!.queries, ["udp mx1.b.example A", "udp nobody.example A", "udp broken.example A"]);
  });

  it("again for what has TTL 0", async () => {
    const { client } = await start(zone);
    await client.resolve("brief.example", "A");
    await client.resolve("brief.example", "A");
    assertEquals(servers[0]!.queries.length, 2);
  });

  it("once for a question of many at the same time", async () => {
    const gate = Promise.withResolvers<void>();
    const { client } = await start({
      "slow.example A": { records: ["192.0.2.1"], after: gate.promise },
      "quick.example A": ["192.0.2.2"],
    });
    const slow = Array.from({ length: 50 }, () => client.resolve("slow.example", "A"));
    // An answer that overtakes shows that the slow questions have arrived, and hold up nobody.
    assertEquals(await client.resolve("quick.example", "A"), ok({ value: "192.0.2.2" }));
    gate.resolve();
    for (const reply of await Promise.all(slow)) assertEquals(reply, ok({ value: "192.0.2.1" }));
    assertEquals(servers[0]!.queries.filter((query) => query.includes("slow")).length, 1);
  });

  it("the next server when one is silent or refuses", async () => {
    const silent: Zone = { "b.example A": { silent: true }, "c.example A": { rcode: 5, records: [] } };
    const { client } = await start(silent, { "b.example A": ["192.0.2.1"], "c.example A": ["192.0.2.2"] });
    assertEquals(await client.resolve("b.example", "A"), ok({ value: "192.0.2.1" }));
    assertEquals(await client.resolve("c.example", "A"), ok({ value: "192.0.2.2" }));
    assertEquals(servers[0]!.queries, ["udp b.example A", "udp c.example A"]);
  });

  it("a server again that was silent once", async () => {
    const { client } = await start({ "b.example A": { records: ["192.0.2.1"], silent: 1 } });
    assertEquals(await client.resolve("b.example", "A"), ok({ value: "192.0.2.1" }));
    assertEquals(servers[0]!.queries.length, 2);
  });

  it("nobody for a name that cannot be", async () => {
    const { dir } = await start(zone);
    const client = new Client(homeAt(dir).socket("resolver"));
    for (const name of ["", "a..b", "a\tb", "a\0b", "\u212a.example", "x".repeat(64)]) {
      const { head } = await client.request({ op: "resolve", name, type: "A" });
      assertEquals(head["status"], "nxdomain");
    }
    client.close();
    assertEquals(servers[0]!.queries, []);
  });

  it("the servers of now after SIGHUP", async () => {
    const { client, reload } = await start({}, {});
    const second = servers[1]!;
    reload(`127.0.0.1:${second.port}\n`);
    for (let number = 0; second.queries.length === 0; number++) await client.resolve(`n${number}.example`, "A");
    // It has been read: now a name that the first server knows of as well goes to the second.
    const before = servers[0]!.queries.length;
    await client.resolve("last.example", "A");
    assertEquals(servers[0]!.queries.length, before);
  });

  it("the old servers when the new ones are malformed or beyond its grant", async () => {
    const { client, reload, logged } = await start(zone);
    reload("nonsense!\n");
    await logged(`Cannot read control file "nameservers"`);
    reload("127.0.0.1:1\n");
    await logged("this process may not use 127.0.0.1:1: restart it");
    assertEquals(await client.resolve("b.example", "A"), none("nodata"));
  });
});

describe("the resolver", () => {
  it("drops a client that does not keep to the protocol, and serves the others", async () => {
    const { client, dir, logged } = await start(zone);
    const rude = new Client(homeAt(dir).socket("resolver"));
    const refused = await rude.request({ op: "shutdown" }).catch((error: unknown) => error);
    assert(refused instanceof Error);
    await logged("client_error");
    assertEquals(await client.resolve("b.example", "A"), none("nodata"));
    rude.close();
  });

  it("stops in order", async () => {
    const { client, stop } = await start(zone);
    await client.resolve("b.example", "A");
    resolver = undefined;
    assertEquals(await stop(), 0);
  });

  it("uses every entry of its grant and nothing else", async () => {
    servers = [await startDnsServer(zone)];
    const audit = Deno.makeTempFileSync();
    resolver = await startResolver(`127.0.0.1:${servers[0]!.port}\n`, audit);
    const { client, grant, dir, stop } = resolver;
    await client.resolve("b.example", "MX");
    await client.resolve("big.example", "TXT");
    resolver = undefined;
    await stop();
    const used = Deno.readTextFileSync(audit).split("\n").filter((line) => line !== "").map((line) => {
      const { permission, value } = JSON.parse(line) as { permission: string; value: string };
      return `${permission} ${value}`;
    });
    const { read, write, net, run, sys } = rightsOf(grant, homeAt(dir));
    const granted = Object.entries({ read, write, net, run, sys }).flatMap(([kind, values]) =>
      values.map((value) => `${kind} ${value}`)
    );
    assertEquals([...new Set(used)].sort(), granted.sort());
    Deno.removeSync(audit);
  });

  it("is refused the next port, address and path", async () => {
    const { flags, dir } = await start(zone);
    const { port } = servers[0]!;
    const probe = `${dir}/probe.ts`;
    const next = [
      { name: "net", host: `127.0.0.1:${port === 65_535 ? 1 : port + 1}` },
      { name: "net", host: `127.0.0.2:${port}` },
      { name: "net", host: "0.0.0.0:0" },
      { name: "net", host: "127.0.0.1:53" },
      { name: "read", path: `${dir}/control` },
      { name: "read", path: `${dir}/control/me` },
      { name: "read", path: "/etc/resolv.conf" },
      { name: "write", path: `${dir}/control/nameservers` },
      { name: "write", path: `${dir}/run/resolver` },
      { name: "run" },
      { name: "env" },
      { name: "sys" },
      { name: "ffi" },
    ];
    Deno.writeTextFileSync(
      probe,
      `console.log(JSON.stringify(${JSON.stringify(next)}.map((d) => Deno.permissions.querySync(d).state)));`,
    );
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["run", "--no-prompt", ...flags, probe] })
      .output();
    assertEquals(JSON.parse(new TextDecoder().decode(stdout)), next.map(() => "prompt"));
  });
});
