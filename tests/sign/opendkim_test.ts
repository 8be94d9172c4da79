/** OpenDKIM believes what the filter sign has signed, and the filter verify what OpenDKIM has. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { Signers } from "../../components/lib/dkim/signers.ts";
import { parseDmarcModes } from "../../components/lib/mailauth/dmarc_file.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { signJudge } from "../../components/sign/judge.ts";
import { makeJudge } from "../../components/verify/judge.ts";
import { makePem, type TestKey, testKey } from "../lib/dkim/keys.ts";
import { resolverOf } from "../lib/mailauth/zone.ts";
import { startDnsServer } from "../support/dns_server.ts";
import { filterMessage } from "../support/filter_message.ts";
import { joe, startOpenDkim, stranger } from "../support/opendkim.ts";
import { needs } from "../support/program.ts";

const need = needs(["opendkim"]);
const signal = new AbortController().signal;

const header = "From: Joe <joe@x.example>\nTo: amy@y.example\nSubject: one two\n" +
  "Date: Mon, 23 Nov 2026 03:00:00 +0000\nMessage-ID: <1@x.example>\n";
const text = `${header}\nHello,  Amy\n\nMore.\n`;

const blankInFront = "a blank in front of a colon";
const shapes: readonly (readonly [claim: string, text: string])[] = [
  ["plain lines", text],
  ["folded fields", text.replace("one two", " one\n\ttwo\n   three").replace(": amy@y", ":\n amy@y")],
  ["many blanks in fields and lines", text.replace("one two", "\tone \t two  \t ").replace("More.", " \tMore.\t \t.")],
  ["blanks at the ends of lines, and lines of nothing else", text.replace("More.", "More. \t\n \n\t\n.  ")],
  ["octets beyond ASCII", text.replace("one two", "caf\xc3\xa9 \xff").replace("More.", "\xe9\xff\x80 \xa0\x85.")],
  ["dots in front of lines", text.replace("More.", ".\n..\n...a\n. b")],
  ["an empty body", `${header}\n`],
  ["a body of empty lines", `${header}\n\n\n\n`],
  ["empty lines at its end", `${text}\n\n\n\n`],
  ["empty lines with blanks at its end", `${text}  \n\t\n\n`],
  ["100 KiB", text + "a line  of it \n".repeat(7_000)],
  ["a line of 100 KiB", `${text}${"long ".repeat(20_000)}\n`],
  ["fields that are there twice, and some that are not signed", `X-A: b\nSubject: again\n${text}`],
  ["a header of many fields", `${"List-Help: <a>\nX-Line: a\n".repeat(100)}${text}`],
  [blankInFront, text.replace("Subject:", "SUBJECT :")],
];

const changes: readonly (readonly [claim: string, change: (signed: string) => string])[] = [
  ["an octet of the body", (signed) => signed.replace("Hello", "Hallo")],
  ["a line behind the body", (signed) => `${signed}More\n`],
  ["an octet of the subject", (signed) => signed.replace("one two", "One two")],
  ["a second From", (signed) => `From: eve@evil.example\n${signed}`],
  ["a Cc where there was none", (signed) => `Cc: eve@evil.example\n${signed}`],
];

async function makeKeys(): Promise<readonly [rsa: TestKey, ed25519: TestKey]> {
  return [await testKey("x.example", "r", makePem("rsa")), await testKey("x.example", "e", makePem("ed25519"))];
}

/** The message as it leaves the filter sign. */
async function sign(content: string, keys: readonly TestKey[]): Promise<string> {
  const selectors = keys.map(({ signing }) => ({ name: signing.selector, from: "" }));
  const signers = new Signers(new Map([["x.example", selectors]]), keys.map(({ signing }) => signing));
  const verdict = await signJudge({
    signers: () => signers,
    nowSeconds: () => Math.floor(Date.now() / 1000),
    sealer: () => "",
    authservId: () => "mx.x.example",
    note: () => {},
  })(filterMessage(content, { client: joe }), signal);
  assert(verdict.kind === "pass" && verdict.header !== undefined);
  return fromOctets(verdict.header) + content;
}

/** What the filter verify says of the signatures. */
async function verified(content: string, record: readonly [name: string, value: string]): Promise<readonly string[]> {
  const modes = parseDmarcModes("none");
  assert(modes.ok);
  const settings = {
    me: "mx.example",
    authservId: "mx.example",
    dmarc: modes.value,
    receivedSpf: false,
    spfBehavior: 1,
  };
  const verdict = await makeJudge({
    settings: () => settings,
    resolve: resolverOf({ [`${record[0]} TXT`]: [record[1]] }).resolve,
    nowMs: Date.now,
    observe: () => {},
    log: () => {},
  })(filterMessage(content, { client: stranger }), signal);
  assert(verdict.kind === "pass" && verdict.header !== undefined);
  return resultsIn(fromOctets(verdict.header));
}

/** `RESULT SELECTOR` of each signature in the first Authentication-Results; a word alone where there is no signature. */
function resultsIn(content: string): readonly string[] {
  const [field = ""] = /^Authentication-Results:[^\n]*\n(?:[ \t][^\n]*\n)*/m.exec(content) ?? [];
  return [...field.replace(/\([^()]*\)/g, "").matchAll(/\bdkim=(\w+)([^;]*)/g)].map(([, result, more = ""]) => {
    const [, selector] = /header\.s=(\w+)/.exec(more) ?? [];
    return selector === undefined ? result! : `${result} ${selector}`;
  });
}

describe(`OpenDKIM and the filter sign${need.note}`, { ignore: need.ignore }, () => {
  for (const [claim, content] of shapes) {
    it(`agree about both signatures of a message with ${claim}`, async () => {
      const keys = await makeKeys();
      await using opendkim = await startOpenDkim({ keys: Object.fromEntries(keys.map(({ record }) => record)) });
      assertEquals(resultsIn(await opendkim.judge(await sign(content, keys), stranger)), ["pass r", "pass e"]);
    });
  }

  it("agree about a message without a line end at its end, which qmail-remote gives it", async () => {
    const keys = await makeKeys();
    await using opendkim = await startOpenDkim({ keys: Object.fromEntries(keys.map(({ record }) => record)) });
    const sent = `${await sign(`${text}end`, keys)}\n`;
    assertEquals(resultsIn(await opendkim.judge(sent, stranger)), ["pass r", "pass e"]);
  });

  it("agree that a message was changed", async () => {
    const keys = await makeKeys();
    await using opendkim = await startOpenDkim({ keys: Object.fromEntries(keys.map(({ record }) => record)) });
    const signed = await sign(text, keys);
    assertEquals(resultsIn(await opendkim.judge(signed, stranger)), ["pass r", "pass e"]);
    for (const [claim, change] of changes) {
      const results = resultsIn(await opendkim.judge(change(signed), stranger));
      assertEquals(results.map((result) => result.split(" ")[0]), ["fail", "fail"], claim);
    }
  });

  it("agree where the keys come from the DNS, in several strings", async () => {
    const keys = await makeKeys();
    const zone = keys.map(({ record: [name, value] }) => [`${name} TXT`, [value.match(/.{1,255}/g)!]] as const);
    const dns = await startDnsServer(Object.fromEntries(zone));
    try {
      await using opendkim = await startOpenDkim({ keys: { dnsPort: dns.port } });
      assertEquals(resultsIn(await opendkim.judge(await sign(text, keys), stranger)), ["pass r", "pass e"]);
      assertEquals(new Set(dns.queries), new Set(["udp r._domainkey.x.example TXT", "udp e._domainkey.x.example TXT"]));
    } finally {
      await dns.stop();
    }
  });
});

describe(`OpenDKIM and the filter verify${need.note}`, { ignore: need.ignore }, () => {
  // Not Ed25519 in simple/*: OpenDKIM 2.11.0 does not verify such a signature of its own either.
  const ways = [
    ...["simple/simple", "relaxed/relaxed", "simple/relaxed", "relaxed/simple"].map((way) => ["rsa", way] as const),
    ...["relaxed/relaxed", "relaxed/simple"].map((way) => ["ed25519", way] as const),
  ];
  for (const [algorithm, canonicalization] of ways) {
    it(`agree about ${algorithm} in ${canonicalization}, and that it was changed`, async () => {
      const isSimple = canonicalization.startsWith("simple");
      const pem = makePem(algorithm);
      const { record } = await testKey("x.example", "s", pem);
      await using opendkim = await startOpenDkim({
        signing: { pem, algorithm: `${algorithm}-sha256`, canonicalization },
        keys: Object.fromEntries([record]),
      });
      // OpenDKIM signs such a name without its blank.
      for (const [claim, content] of shapes.filter(([claim]) => !isSimple || claim !== blankInFront)) {
        const signed = await opendkim.judge(content, joe);
        assertEquals(signed.match(/^DKIM-Signature:/gm)?.length, 1, claim);
        assertEquals(await verified(signed, record), ["pass s"], claim);
      }
      const signed = await opendkim.judge(text, joe);
      for (const [claim, change] of changes.slice(0, 3)) {
        assertEquals(await verified(change(signed), record), ["fail s"], claim);
      }
      const spaced = signed.replace("Subject: one", "SUBJECT:  one");
      assertEquals(await verified(spaced, record), [isSimple ? "fail s" : "pass s"]);
    });
  }
});
