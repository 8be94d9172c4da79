import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type DaneAnswer, type DaneHost, lookUpDane } from "../../../components/lib/dane/lookup.ts";
import type { ResolveReply } from "../../../components/lib/wire/resolver_protocol.ts";

const data = "ab".repeat(32);
const record = { usage: 3, selector: 1, matching: 1, data };

function reply(status: ResolveReply["status"], authenticated: boolean, ...values: readonly string[]): ResolveReply {
  return { status, authenticated, records: values.map((value) => ({ value })) };
}

const good = reply("ok", true, `3 1 1 ${data}`);

interface Row {
  readonly name: string;
  readonly server: DaneHost;
  /** By name and type; everything else is a signed nxdomain. */
  readonly zone: Readonly<Record<string, ResolveReply>>;
  readonly asked: readonly string[];
  readonly want: DaneAnswer;
}

const signed = { host: "mx.test", authenticated: true };
const [own, behind] = ["_25._tcp.mx.test TLSA", "_25._tcp.real.test TLSA"];

const table: readonly Row[] = [
  {
    name: "asks nothing about an exchanger whose answers were not signed (RFC 7672 §2.2)",
    server: { host: "mx.test", authenticated: false },
    zone: { [own]: good },
    asked: [],
    want: { kind: "none" },
  },
  {
    name: "asks nothing about an address",
    server: { host: "192.0.2.1", authenticated: true },
    zone: {},
    asked: [],
    want: { kind: "none" },
  },
  {
    name: "takes signed records",
    server: signed,
    zone: { [own]: good },
    asked: [own],
    want: { kind: "records", records: [record], base: "mx.test" },
  },
  {
    name: "takes records without AD for none",
    server: signed,
    zone: { [own]: reply("ok", false, `3 1 1 ${data}`) },
    asked: [own],
    want: { kind: "none" },
  },
  {
    name: "takes signed nodata for none",
    server: signed,
    zone: { [own]: reply("nodata", true) },
    asked: [own],
    want: { kind: "none" },
  },
  { name: "takes signed nxdomain for none", server: signed, zone: {}, asked: [own], want: { kind: "none" } },
  {
    name: "takes nodata of a zone that is not signed for none",
    server: signed,
    zone: { [own]: reply("nodata", false) },
    asked: [own],
    want: { kind: "none" },
  },
  {
    name: "takes a bogus answer for a reason to wait",
    server: signed,
    zone: { [own]: reply("temporary", false) },
    asked: [own],
    want: { kind: "temporary" },
  },
  {
    name: "tells records of no use from none",
    server: signed,
    zone: { [own]: reply("ok", true, `0 0 1 ${data}`, `1 1 1 ${data}`, "junk") },
    asked: [own],
    want: { kind: "unusable" },
  },
  {
    name: "leaves out records of no use beside others",
    server: signed,
    zone: { [own]: reply("ok", true, `1 1 1 ${data}`, `3 1 1 ${data}`) },
    asked: [own],
    want: { kind: "records", records: [record], base: "mx.test" },
  },
  {
    name: "asks at the end of signed aliases first (RFC 7672 §2.2.2)",
    server: { ...signed, canonical: "real.test" },
    zone: { [behind]: good },
    asked: [behind],
    want: { kind: "records", records: [record], base: "real.test" },
  },
  {
    name: "asks at the alias itself where its end has nothing",
    server: { ...signed, canonical: "real.test" },
    zone: { [own]: good },
    asked: [behind, own],
    want: { kind: "records", records: [record], base: "mx.test" },
  },
  {
    name: "does not go on to the alias where its end cannot be asked",
    server: { ...signed, canonical: "real.test" },
    zone: { [behind]: reply("temporary", false), [own]: good },
    asked: [behind],
    want: { kind: "temporary" },
  },
  {
    name: "asks at a signed alias that leads out of what is signed",
    server: { host: "mx.test", authenticated: false, canonical: "real.test", nameAuthenticated: true },
    zone: { "mx.test CNAME": reply("ok", true, "real.test"), [own]: good },
    asked: ["mx.test CNAME", own],
    want: { kind: "records", records: [record], base: "mx.test" },
  },
  {
    name: "asks no further where that alias is not signed",
    server: { host: "mx.test", authenticated: false, canonical: "real.test", nameAuthenticated: true },
    zone: { "mx.test CNAME": reply("ok", false, "real.test"), [own]: good },
    asked: ["mx.test CNAME"],
    want: { kind: "none" },
  },
  {
    name: "waits where that alias is bogus",
    server: { host: "mx.test", authenticated: false, canonical: "real.test", nameAuthenticated: true },
    zone: { "mx.test CNAME": reply("temporary", false), [own]: good },
    asked: ["mx.test CNAME"],
    want: { kind: "temporary" },
  },
  {
    name: "asks nothing about an alias that an unsigned answer named",
    server: { host: "mx.test", authenticated: false, canonical: "real.test" },
    zone: { [own]: good },
    asked: [],
    want: { kind: "none" },
  },
];

describe("lookUpDane()", () => {
  for (const { name, server, zone, asked, want } of table) {
    it(name, async () => {
      const questions: string[] = [];
      const answer = await lookUpDane(server, 25, (name, type) => {
        questions.push(`${name} ${type}`);
        return Promise.resolve(zone[`${name} ${type}`] ?? reply("nxdomain", true));
      });
      assertEquals({ answer, questions }, { answer: want, questions: [...asked] });
    });
  }

  it("asks about the port that mail goes to", async () => {
    const questions: string[] = [];
    await lookUpDane(signed, 587, (name) => {
      questions.push(name);
      return Promise.resolve(reply("nxdomain", true));
    });
    assertEquals(questions, ["_587._tcp.mx.test"]);
  });
});
