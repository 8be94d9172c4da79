import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { authorDomain } from "../../../components/lib/dkim/author.ts";
import { splitMessage } from "../../../components/lib/dkim/canonical.ts";
import { type Algorithm, currentSelectors, signingDomain } from "../../../components/lib/dkim/choose.ts";
import { parseDkimDomains, withDomain } from "../../../components/lib/dkim/dkim_file.ts";
import { keyRecord, parsePrivateKey, txtLine } from "../../../components/lib/dkim/keys.ts";
import { freshNames, type KeyState, phaseOf } from "../../../components/lib/dkim/rotation.ts";
import { toOctets, utf8Octets } from "../../../components/lib/octets.ts";
import { makePem, privateKey } from "./keys.ts";

describe("control/dkim", () => {
  const refused = [
    "example.org",
    "example.org:",
    "example.org: a/b",
    "example.org: ..",
    "../x: a",
    "exa mple.org: a",
    "example.org: a@2026-02-30",
    "example.org: a@",
    "example.org: a a",
    "example.org: a\nEXAMPLE.org: b",
  ];
  for (const text of refused) {
    it(`may not say ${JSON.stringify(text)}`, () => assert(!parseDkimDomains(text).ok));
  }
  it("names selectors and their days, in lower case", () => {
    const parsed = parseDkimDomains("# ours\nExample.ORG: R1 e1@2026-07-01\n\nb.example :x.y\n");
    assert(parsed.ok);
    assertEquals([...parsed.value], [
      ["example.org", [{ name: "r1", from: "" }, { name: "e1", from: "2026-07-01" }]],
      ["b.example", [{ name: "x.y", from: "" }]],
    ]);
  });
  it("keeps comments and other lines when one domain's line changes", () => {
    const text = "# ours\nexample.org: a\n\nb.example: x\n";
    assertEquals(
      withDomain(text, "example.org", [{ name: "b", from: "2026-07-01" }]),
      text.replace(": a", ": b@2026-07-01"),
    );
    assertEquals(
      withDomain("a.example: x", "example.org", [{ name: "b", from: "" }]),
      "a.example: x\nexample.org: b\n",
    );
  });
});

describe("signingDomain()", () => {
  const domains = new Map([["example.org", []], ["sub.example.org", []]]);
  const table = [
    { author: "example.org", want: "example.org" },
    { author: "a.b.example.org", want: "example.org" },
    { author: "x.sub.example.org", want: "sub.example.org" },
    { author: "notexample.org", want: undefined },
    { author: "org", want: undefined },
  ];
  for (const { author, want } of table) {
    it(`is ${want} for an author in ${author}`, () => assertEquals(signingDomain(author, domains), want));
  }
});

describe("currentSelectors()", () => {
  const selectors = [
    { name: "r1", from: "" },
    { name: "e1", from: "" },
    { name: "r2", from: "2026-07-01" },
    { name: "r3", from: "2026-08-01" },
    { name: "absent", from: "" },
  ];
  const algorithmOf = ({ name }: { readonly name: string }): Algorithm | undefined =>
    name.startsWith("r") ? "rsa-sha256" : name.startsWith("e") ? "ed25519-sha256" : undefined;
  const table = [
    { day: "2026-06-30", want: ["r1", "e1"] },
    { day: "2026-07-01", want: ["r2", "e1"] },
    { day: "2027-01-01", want: ["r3", "e1"] },
  ];
  for (const { day, want } of table) {
    it(`are ${want.join(" and ")} on ${day}`, () => {
      assertEquals(currentSelectors(selectors, algorithmOf, day).map(({ name }) => name), want);
    });
  }
});

describe("phaseOf()", () => {
  const keys: readonly KeyState[] = [
    { name: "r1", from: "", algorithm: "rsa-sha256" },
    { name: "e1", from: "", algorithm: "ed25519-sha256" },
    { name: "r2", from: "2026-07-01", algorithm: "rsa-sha256" },
    { name: "r3", from: "2026-08-01", algorithm: "rsa-sha256" },
  ];
  const table = [
    { day: "2026-06-30", want: "r1 signs, e1 signs, r2 waits, r3 waits" },
    { day: "2026-07-01", want: "r1 signed 2026-07-01, e1 signs, r2 signs, r3 waits" },
    { day: "2026-07-15", want: "r1 done 2026-07-01, e1 signs, r2 signs, r3 waits" },
    { day: "2026-08-01", want: "r1 done 2026-07-01, e1 signs, r2 signed 2026-08-01, r3 signs" },
  ];
  for (const { day, want } of table) {
    it(`is ${want} on ${day}`, () => {
      const said = keys.map((key) => {
        const phase = phaseOf(key, keys, day);
        return `${key.name} ${phase.kind}${"until" in phase ? ` ${phase.until}` : ""}`;
      });
      assertEquals(said.join(", "), want);
    });
  }
});

describe("freshNames()", () => {
  it("are those of the day, and others where they are taken", () => {
    assertEquals(Object.values(freshNames("2026-07-01", new Set())), ["r20260701", "e20260701"]);
    assertEquals(Object.values(freshNames("2026-07-01", new Set(["e20260701"]))), ["r20260701-2", "e20260701-2"]);
  });
});

describe("a key file", () => {
  it("is an RSA key of 1024 to 4096 bits, or an Ed25519 key", () => {
    assertEquals(parsePrivateKey(makePem("ed25519")).ok, true);
    assertEquals(parsePrivateKey(makePem("rsa", 1024)).ok, true);
    assertEquals(parsePrivateKey(makePem("rsa", 768)), {
      ok: false,
      error: "expected RSA of 1024 to 4096 bits, got 768",
    });
    for (const text of ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]) {
      assert(!parsePrivateKey(text).ok);
    }
  });
  it("makes a record, in strings of 255 octets at the most", () => {
    const record = keyRecord(privateKey(makePem("rsa")));
    const line = txtLine("s._domainkey.example.org", record);
    const strings = [...line.matchAll(/"([^"]*)"/g)].map(([, one]) => one!);
    assertEquals(strings.join(""), record);
    assertEquals(strings.length, 2);
    assert(strings.every((one) => one.length <= 255));
    assert(record.startsWith("v=DKIM1; k=rsa; p=MII"));
    assertEquals(/p=(.*)$/.exec(keyRecord(privateKey(makePem("ed25519"))))![1]!.length, 44);
  });
});

describe("authorDomain()", () => {
  const table = [
    { from: "amy@Example.org", want: "example.org" },
    { from: '"a@b.example" <amy@example.org> (c@d.example)', want: "example.org" },
    { from: "amy@example.org, bob@example.org", want: "example.org" },
    { from: "amy@example.org, eve@evil.example", want: undefined },
    { from: "friends: amy@example.org;", want: "example.org" },
    { from: "<amy@example.org> <eve@evil.example>", want: undefined },
    { from: "amy@[192.0.2.1]", want: undefined },
    { from: "amy", want: undefined },
    { from: "", want: undefined },
    { from: '"open', want: undefined },
    { from: "amy@../../etc", want: undefined },
    { from: utf8Octets("amy@bücher.example"), want: "xn--bcher-kva.example" },
    { from: "amy@example.org\nFrom: eve@evil.example", want: undefined },
    { from: "amy@example.org\n (folded)", want: "example.org" },
  ];
  for (const { from, want } of table) {
    it(`is ${want} for From: ${JSON.stringify(from)}`, () => {
      assertEquals(authorDomain(splitMessage(toOctets(`From: ${from}\n\n`))!.fields), want);
    });
  }
  it("is nobody's without From", () => assertEquals(authorDomain([]), undefined));
});
