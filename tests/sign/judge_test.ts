/** What is signed and sealed, looked at by a verifier that shares no code with it. */
import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { sealJudge, signJudge, type World } from "../../components/sign/judge.ts";
import { Signers } from "../../components/lib/dkim/signers.ts";
import type { ClientNote, FilterMessage } from "../../components/lib/filters/filter.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { mimeBombs } from "../support/mime_bombs.ts";
import { makePem, type TestKey, testKey, verify } from "../lib/dkim/keys.ts";

const now = 1_790_000_000;
const signal = new AbortController().signal;
const login: ClientNote = {
  entrance: "submission",
  ip: "192.0.2.1",
  helo: "c",
  login: "amy",
  tls: true,
  relaying: false,
};
const { login: _, ...stranger } = { ...login, entrance: "smtp" };
const text = "From: Amy <amy@example.org>\nTo: joe@b.example\nSubject: one\n\ttwo  three \nDate: today\n" +
  "Message-ID: <1@example.org>\n\nhello  there \nMore.\n\n\n";

describe("sign", () => {
  let keys: readonly TestKey[];
  let signers: Signers;
  const notes: string[] = [];
  const world = (sealer = ""): World => ({
    signers: () => signers,
    nowSeconds: () => now,
    sealer: () => sealer,
    authservId: () => "mx.example.org",
    note: (event, { reason }) => void notes.push(`${event} ${reason}`),
  });

  beforeAll(async () => {
    keys = [
      await testKey("example.org", "r1", makePem("rsa")),
      await testKey("example.org", "e1", makePem("ed25519")),
      await testKey("example.org", "r2", makePem("rsa", 1024)),
    ];
    const selectors = [{ name: "r1", from: "" }, { name: "e1", from: "" }, { name: "r2", from: "2030-01-01" }];
    signers = new Signers(new Map([["example.org", selectors]]), keys.map(({ signing }) => signing));
  });

  const message = (content: string, client: ClientNote | undefined = login): FilterMessage => ({
    client,
    origin: "network",
    sender: "amy@example.org",
    recipients: ["joe@b.example"],
    content: toOctets(content),
  });
  /** The message with what was put in front; undefined where it passed as it was. */
  async function signed(content: string, client?: ClientNote): Promise<string | undefined> {
    const verdict = await signJudge(world())(message(content, client), signal);
    assert(verdict.kind === "pass" && verdict.content === undefined);
    return verdict.header === undefined ? undefined : fromOctets(verdict.header) + content;
  }
  async function seen(content: string): Promise<string> {
    const { signatures } = await verify(toOctets(content), keys, now);
    return signatures.map(({ result, selector }) => `${selector} ${result}`).join(", ");
  }

  const contents = [
    { claim: "an ordinary message", content: text },
    { claim: "a message without a body", content: "From: amy@example.org\n" },
    { claim: "one of 300 KiB", content: text + "a line of  it \n".repeat(20_000) },
    { claim: "one without a line end at its end", content: `${text}end` },
    { claim: "8-bit octets", content: `${text}\xe9\xff\x00\n`.replace("one", "\xc3\xa9") },
    { claim: "a header of many fields", content: `${"X-Line: a\n".repeat(2000)}${text}` },
    { claim: "fields that are there twice", content: `Subject: again\n${text}` },
    ...mimeBombs.map(([claim, content]) => ({ claim, content: `From: amy@example.org\n${content}` })),
    { claim: "an author below the domain", content: text.replace("amy@example.org", "amy@a.b.example.org") },
  ];
  for (const { claim, content } of contents) {
    it(`makes a signature of RSA and one of Ed25519 that hold for ${claim}`, async () => {
      assertEquals(await seen((await signed(content))!), "r1 pass, e1 pass");
    });
  }

  const changes = [
    { claim: "a word of the body", change: (all: string) => all.replace("hello", "hallo") },
    { claim: "something behind the body", change: (all: string) => `${all}more\n` },
    { claim: "the subject", change: (all: string) => all.replace("one", "One") },
    // RFC 6376 §8.15: the same mail again, with another author in front of the signed one.
    { claim: "a second From", change: (all: string) => `From: eve@evil.example\n${all}` },
    { claim: "a second Subject", change: (all: string) => `Subject: buy this\n${all}` },
    { claim: "a Reply-To where there was none", change: (all: string) => `Reply-To: eve@evil.example\n${all}` },
    { claim: "a Content-Type where there was none", change: (all: string) => `Content-Type: text/html\n${all}` },
    { claim: "a second To", change: (all: string) => `To: all@b.example\n${all}` },
  ];
  for (const { claim, change } of changes) {
    it(`notices ${claim}`, async () => {
      const results = await seen(change((await signed(text))!));
      assert(!results.includes("pass") && results.includes("fail"), results);
    });
  }

  it("outlives what relays do: other white space, fields in front, empty lines at the end", async () => {
    const all = (await signed(text))!;
    const relayed = `Received: from a\n\tby b\n${all.replace("Subject: one\n\ttwo", "SUBJECT:one   two")}\n\n`;
    assertEquals(await seen(relayed), "r1 pass, e1 pass");
  });

  it("takes a header of a million lines, whether it signs it or not", async () => {
    const verdict = await signJudge(world())(message(`${"X: y\n".repeat(1_000_000)}${text}`), signal);
    assertEquals(verdict.kind, "pass");
  });

  it("writes no line longer than 78 octets, with any number of fields", async () => {
    const header = (await signed(`${"List-Help: a\n".repeat(500)}${text}`))!.split("List-Help: a\n")[0]!;
    assert(header.split("\n").every((line) => line.length <= 78));
  });

  const others = [
    { claim: "a stranger brings with our From", content: text, client: { ...stranger } },
    { claim: "nobody says who brought", content: text, client: undefined, none: true },
    { claim: "is a forward", content: text, client: { ...login, entrance: "forward", relaying: true } },
    {
      claim: "a program of a .qmail file hands in again",
      content: `Delivered-To: a@b\n${text}`,
      client: { ...stranger, entrance: "local" },
    },
    {
      claim: "a program hands in that has been received before",
      content: `Received: ours\nReceived: x\n${text}`,
      client: { ...stranger, entrance: "local" },
    },
    {
      claim: "a gateway brings that may relay",
      content: `Received: ours\nReceived: x\n${text}`,
      client: { ...stranger, relaying: true },
    },
    {
      claim: "has an author in a domain without keys",
      content: text.replace("amy@example.org", "amy@other.example"),
      client: login,
    },
    {
      claim: "has authors in two domains",
      content: text.replace("amy@example.org>", "amy@example.org>, eve@evil.example"),
      client: login,
    },
    { claim: "has two From fields", content: `From: amy@example.org\n${text}`, client: login },
    { claim: "has a line in its header that is no field", content: `>From x\n${text}`, client: login },
    { claim: "has no From", content: "Subject: a\n\n", client: login },
    { claim: "is empty", content: "", client: login },
  ];
  for (const { claim, content, client, none } of others) {
    it(`leaves unsigned what ${claim}`, async () => {
      const verdict = await signJudge(world())({ ...message(content), client: none ? undefined : client }, signal);
      assertEquals(verdict, { kind: "pass" });
    });
  }

  it("signs what local programs write, and what clients bring that may relay", async () => {
    assertEquals(await seen((await signed(text, { ...stranger, entrance: "local" }))!), "r1 pass, e1 pass");
    const received = `Received: from a client by us\n${text}`;
    assertEquals(await seen((await signed(received, { ...stranger, relaying: true }))!), "r1 pass, e1 pass");
  });

  describe("arcseal", () => {
    const results = "Authentication-Results: mx.example.org;\n\tspf=pass smtp.mailfrom=a@a.example; dmarc=pass\n";
    const arrived = text.replaceAll("example.org", "a.example");
    const client = { ...stranger, entrance: "forward" };
    async function sealed(content: string, sealer = "example.org"): Promise<string | undefined> {
      const verdict = await sealJudge(world(sealer))(message(content, client), signal);
      assert(verdict.kind === "pass");
      return verdict.header === undefined ? undefined : fromOctets(verdict.header) + content;
    }
    const chain = async (content: string) => (await verify(toOctets(content), keys, now)).arc;

    it("makes a chain that holds, of our results, and goes on with one that came", async () => {
      const one = (await sealed(results + arrived))!;
      assertStringIncludes(one, "ARC-Authentication-Results: i=1; mx.example.org; spf=pass");
      const first = await chain(one);
      assertEquals([first.result, first.instances], ["pass", 1]);
      const two = (await sealed(results.replace("dmarc", "arc=pass; dmarc") + one))!;
      const second = await chain(two);
      assertEquals([second.result, second.instances], ["pass", 2]);
    });

    it("holds no longer once the text, the results or an older seal are changed", async () => {
      const one = (await sealed(results + arrived))!;
      const two = (await sealed(results.replace("dmarc", "arc=pass; dmarc") + one))!;
      for (
        const changed of [
          two.replace("hello", "hallo"),
          two.replace("i=2; mx.example.org; spf=pass", "i=2; mx.example.org; spf=fail"),
          two.replace("i=1; mx.example.org; spf=pass", "i=1; mx.example.org; spf=fail"),
        ]
      ) {
        assert(changed !== two);
        assertEquals((await chain(changed)).result, "fail");
      }
    });

    it("says that a chain has failed, once", async () => {
      const one = (await sealed(results + arrived))!.replace("hello", "hallo");
      const two = (await sealed(results.replace("dmarc", "arc=fail; dmarc") + one))!;
      assertStringIncludes(two, "cv=fail");
      notes.length = 0;
      assertEquals(await sealed(results.replace("dmarc", "arc=fail; dmarc") + two), undefined);
      assertEquals(notes, ["unsealed ended"]);
    });

    const unsealed = [
      { claim: "has no results of ours", content: async () => await Promise.resolve(arrived) },
      {
        claim: "has only another host's",
        content: async () => await Promise.resolve(results.replace("mx.", "mx2.") + arrived),
      },
      {
        claim: "has a chain that nobody here has looked at",
        content: async () => results + (await sealed(results + arrived))!,
      },
      {
        claim: "has a chain with a set missing",
        content: async () => results + (await sealed(results + arrived))!.replace(/^ARC-Seal/m, "X-Seal"),
      },
      {
        claim: "has two sets of one number",
        content: async () =>
          (await sealed(results + arrived))!.split("Authen")[0]! + (await sealed(results + arrived))!,
      },
    ];
    for (const { claim, content } of unsealed) {
      it(`leaves as it is what ${claim}`, async () => assertEquals(await sealed(await content()), undefined));
    }
    it("does nothing without a domain that seals", async () => {
      assertEquals(await sealed(results + arrived, ""), undefined);
      assertEquals(await sealed(results + arrived, "other.example"), undefined);
    });
  });
});
