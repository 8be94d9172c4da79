import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Observation } from "../../components/lib/dmarc/observation.ts";
import type { ClientNote, FilterMessage } from "../../components/lib/filters/filter.ts";
import { parseDmarcModes } from "../../components/lib/mailauth/dmarc_file.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { exitCode } from "../../components/lib/queue/exit_code.ts";
import { type EventFields } from "../../components/verify/findings.ts";
import { makeJudge, mostLookups, type VerifySettings } from "../../components/verify/judge.ts";
import { rsaKey, sealArc, sign } from "../lib/mailauth/signer.ts";
import { mimeBombs } from "../support/mime_bombs.ts";
import { resolverOf, type Zone } from "../lib/mailauth/zone.ts";

const key = rsaKey();
const zone: Zone = {
  "bank.example TXT": ["v=spf1 ip4:192.0.2.0/24 -all"],
  "bank.example A": ["192.0.2.1"],
  "_dmarc.bank.example TXT": ["v=DMARC1; p=reject; rua=mailto:r@bank.example"],
  "s._domainkey.bank.example TXT": [key.record],
  "silent._domainkey.bank.example TXT": "silent",
  "evil.example TXT": ["v=spf1 +all"],
  "s._domainkey.evil.example TXT": [key.record],
  "soft.example TXT": ["v=spf1 -all"],
  "_dmarc.soft.example TXT": ["v=DMARC1; p=quarantine"],
  "_dmarc.down.example TXT": "silent",
};
const stranger: ClientNote = {
  entrance: "smtp",
  ip: "198.51.100.1",
  helo: "evil.example",
  tls: false,
  relaying: false,
};
const id = "mx.example.org";

interface Given {
  readonly text: string;
  readonly sender?: string;
  readonly client?: Partial<ClientNote> | "nobody";
  readonly origin?: FilterMessage["origin"];
  readonly dmarc?: string;
  readonly receivedSpf?: boolean;
  readonly spfBehavior?: number;
  readonly zone?: Zone;
}

function from(address: string, more = ""): string {
  return `${more}From: ${address}\nTo: bob@example.org\nSubject: hello\nDate: Mon, 23 Nov 2026 03:00:00 +0000\n\nHello\n`;
}

async function judge(given: Given) {
  const { text, sender = "amy@evil.example", client = {}, origin = "network", dmarc = "enforce", receivedSpf = false } =
    given;
  const modes = parseDmarcModes(dmarc);
  assert(modes.ok);
  const spfBehavior = given.spfBehavior ?? 1;
  const settings: VerifySettings = { me: id, authservId: id, dmarc: modes.value, receivedSpf, spfBehavior };
  const events: EventFields[] = [];
  const observations: Observation[] = [];
  const { resolve, asked } = resolverOf(given.zone ?? zone);
  const verdict = await makeJudge({
    settings: () => settings,
    resolve,
    nowMs: () => Date.UTC(2026, 10, 23, 4),
    observe: (observation) => observations.push(observation),
    log: (fields) => events.push(fields),
  })({
    client: client === "nobody" ? undefined : { ...stranger, ...client },
    origin,
    sender,
    recipients: ["bob@example.org"],
    content: toOctets(text),
  }, new AbortController().signal);
  return {
    verdict,
    header: verdict.kind === "pass" && verdict.header !== undefined ? fromOctets(verdict.header) : undefined,
    content: verdict.kind === "pass" && verdict.content !== undefined ? fromOctets(verdict.content) : undefined,
    told: verdict.kind === "refuse" ? `${verdict.code} ${verdict.text}` : "",
    events,
    observations,
    asked,
  };
}

/** The results of a header in one line each, without what is in parentheses. */
function results(header: string | undefined): readonly string[] {
  const [, ...lines] = (header ?? "").trim().split(/;\n/);
  return lines.map((line) => line.replace(/\s+/g, " ").replace(/ \([^)]*\)/g, "").trim());
}

describe("verify", () => {
  it("says in one field what it found of a message that passes everything", async () => {
    const text = sealArc(sign(from("amy@bank.example"), key, { domain: "bank.example" }), key, 1, {
      domain: "bank.example",
    });
    const { header, content, events, observations, asked } = await judge({
      text,
      sender: "amy@bank.example",
      client: { ip: "192.0.2.7", helo: "bank.example" },
    });
    assertEquals(header!.match(/^Authentication-Results:/gm)?.length, 1);
    assertMatch(header!, /^Authentication-Results: mx\.example\.org;\n/);
    const [spf, helo, dkim, dmarc, arc] = results(header);
    assertEquals([spf, helo, dmarc, arc], [
      "spf=pass smtp.mailfrom=bank.example",
      "spf=pass smtp.helo=bank.example",
      "dmarc=pass header.from=bank.example",
      "arc=pass",
    ]);
    assertMatch(dkim!, /^dkim=pass header\.d=bank\.example header\.s=s header\.a=rsa-sha256 header\.b=/);
    assertEquals(content, undefined);
    assertEquals(events, [{
      ip: "192.0.2.7",
      from: "amy@bank.example",
      spf: "pass:bank.example",
      helo: "pass:bank.example",
      dkim: "pass:bank.example",
      arc: "pass",
      dmarc: "pass:bank.example",
      policy: "none",
      verdict: "pass",
      lookups: asked.length,
      ms: 0,
    }]);
    assertEquals(observations, [{
      sourceIp: "192.0.2.7",
      policy: { domain: "bank.example", p: "reject", discovery: "treewalk" },
      disposition: "none",
      dkimAligned: true,
      spfAligned: true,
      headerFrom: "bank.example",
      envelopeFrom: "bank.example",
      dkim: [{ domain: "bank.example", selector: "s", result: "pass" }],
      spf: { domain: "bank.example", result: "pass" },
    }]);
  });

  it("refuses for good what fails where the domain asks for it, and tells the report", async () => {
    const { told, events, observations } = await judge({ text: from("ceo@bank.example") });
    assertEquals(
      told,
      `${exitCode.refused} Dbank.example wants mail refused that it did not authenticate (DMARC) (#5.7.1)`,
    );
    assertEquals([events[0]!["dmarc"], events[0]!["verdict"]], ["fail:bank.example", "refuse"]);
    assertEquals(observations.map(({ disposition, reasons }) => [disposition, reasons]), [["reject", undefined]]);
  });

  it("lets it in where control/dmarc says tag for that way in, and says so", async () => {
    const { header, observations } = await judge({ text: from("ceo@bank.example"), dmarc: "smtp: tag\nenforce" });
    assertEquals(results(header).at(-1), "dmarc=fail header.from=bank.example policy.dmarc=reject");
    assertEquals(observations.map(({ disposition, reasons }) => [disposition, reasons]), [["none", [{
      type: "local_policy",
    }]]]);
  });

  it("asks nothing about DMARC where control/dmarc says none", async () => {
    const { header, asked } = await judge({ text: from("ceo@bank.example"), dmarc: "none" });
    assertEquals(results(header), [
      "spf=pass smtp.mailfrom=evil.example",
      "spf=pass smtp.helo=evil.example",
      "dkim=none",
    ]);
    assertEquals(asked.filter((question) => question.startsWith("_dmarc")), []);
  });

  it("passes what is to be quarantined, and says so", async () => {
    const { header } = await judge({ text: from("a@soft.example") });
    assertEquals(results(header).at(-1), "dmarc=fail header.from=soft.example policy.dmarc=quarantine");
  });

  const senders = [
    { result: "pass", record: ["v=spf1 +all"], from: 7, code: 0 },
    { result: "temperror", record: "silent", from: 2, code: exitCode.temporary },
    { result: "fail", record: ["v=spf1 -all"], from: 3, code: exitCode.refused },
    { result: "softfail", record: ["v=spf1 ~all"], from: 4, code: exitCode.refused },
    { result: "neutral", record: ["v=spf1 ?all"], from: 5, code: exitCode.refused },
    { result: "none", record: [], from: 6, code: exitCode.refused },
    { result: "permerror", record: ["v=spf1 nonsense"], from: 6, code: exitCode.refused },
  ] as const;
  for (const { result, record, from: least, code } of senders) {
    it(`stops mail for an SPF ${result} where control/spfbehavior is ${least} or more`, async () => {
      for (const spfBehavior of [0, 1, 2, 3, 4, 5, 6]) {
        const { told, header } = await judge({
          ...{ text: from("a@x.example"), sender: "a@x.example", dmarc: "none", spfBehavior },
          zone: { "x.example TXT": record },
        });
        const want = spfBehavior >= least ? code : 0;
        assertEquals(Number.parseInt(told) || 0, want, `${spfBehavior}: ${told}`);
        if (want === 0) assertEquals(results(header)[0], `spf=${result} smtp.mailfrom=x.example`);
      }
    });
  }

  it("refuses what DMARC refuses, though SPF would have it come again", async () => {
    const { told } = await judge({
      ...{ text: from("ceo@bank.example"), sender: "x@down.example", spfBehavior: 2 },
      zone: { ...zone, "down.example TXT": "silent" },
    });
    assertMatch(told, /^31 D/);
  });

  it("defers where the DNS leaves it open: the policy, or an aligned signature", async () => {
    for (
      const text of [
        from("a@down.example"),
        sign(from("amy@bank.example"), key, { domain: "bank.example", selector: "silent" }),
      ]
    ) {
      const { told } = await judge({ text });
      assertEquals(told, `${exitCode.temporary} Zcannot check the domain in From now (#4.7.0)`);
      assertEquals((await judge({ text, dmarc: "tag" })).told, "");
    }
  });

  it("does not defer for the DNS of a domain that has no part in it", async () => {
    const { told } = await judge({
      text: from("ceo@bank.example"),
      sender: "x@down.example",
      zone: { ...zone, "down.example TXT": "silent" },
    });
    assertMatch(told, /^31 D/);
  });

  const forgeries: readonly (readonly [claim: string, text: string])[] = [
    ["two From fields", from("ceo@bank.example", "From: amy@evil.example\n")],
    ["two addresses in From", from("amy@evil.example, ceo@bank.example")],
    ["a From with a NUL in its name", from("amy@evil.example", "From\0: ceo@bank.example\n")],
    ["a From folded before its colon", from("amy@evil.example", "From\n : ceo@bank.example\n")],
    ["a From with a blank before its colon", from("amy@evil.example", "From : ceo@bank.example\n")],
    ["a million lines in its header", from("ceo@bank.example", "X: y\n".repeat(1_000_000))],
    [
      "a signature made to cost the most",
      from("ceo@bank.example", `DKIM-Signature: ${"x".padEnd(129).repeat(1800)}\n`),
    ],
    ["an address with two @", from("a@evil.example@bank.example")],
    ["a route in From", from("<@evil.example:ceo@bank.example>")],
    ["a group in From", from("friends: ceo@bank.example;")],
    ["a header too large to be read", from("ceo@bank.example", `X: ${"y".repeat(300_000)}\n`)],
    ["a From too long to be read", from(`${"a@evil.example, ".repeat(500)}ceo@bank.example`)],
  ];
  for (const [claim, text] of forgeries) {
    it(`refuses mail with ${claim}, though SPF and DKIM pass for the sender`, async () => {
      assertMatch((await judge({ text })).told, /^31 D/);
      assertMatch((await judge({ text: sign(text, key, { domain: "evil.example" }) })).told, /^31 D/);
    });
  }

  for (const [claim, content] of mimeBombs) {
    it(`takes for octets, and verifies, ${claim}`, async () => {
      const text = content.replace(/^/, "From: amy@bank.example\n");
      const { header } = await judge({ text: sign(text, key, { domain: "bank.example" }), sender: "a@bank.example" });
      assertMatch(results(header)[2]!, /^dkim=pass /);
    });
  }

  it("passes mail without a From, which names nobody", async () => {
    assertEquals((await judge({ text: "Subject: x\n\nHello\n" })).told, "");
  });

  it("takes the signature of a body that goes on behind its l= for none", async () => {
    const text = `${sign(from("amy@bank.example"), key, { domain: "bank.example", tags: { l: "7" } })}Pay at once\n`;
    const { told } = await judge({ text });
    assertMatch(told, /^31 D/);
    const { header } = await judge({ text, dmarc: "tag" });
    assertMatch(header!, /dkim=policy \(a body length limit/);
  });

  it("checks postmaster of the HELO name for the null reverse-path", async () => {
    const { header } = await judge({
      text: from("a@bank.example"),
      sender: "",
      client: { ip: "192.0.2.9", helo: "bank.example" },
    });
    assertEquals(results(header), [
      "spf=pass smtp.helo=bank.example",
      "dkim=none",
      "dmarc=pass header.from=bank.example",
    ]);
  });

  it("stops nothing of a client whose address is not known", async () => {
    const { header } = await judge({ text: from("ceo@bank.example"), client: { ip: "unknown", entrance: "lmtp" } });
    assertEquals(results(header), ["dkim=none", "dmarc=fail header.from=bank.example policy.dmarc=reject"]);
  });

  it("adds Received-SPF behind it where control/receivedspf is 1", async () => {
    const { header } = await judge({ text: from("a@evil.example"), receivedSpf: true });
    assertMatch(header!, /^Authentication-Results: [^]*\nReceived-SPF: pass [^]*client-ip=198\.51\.100\.1;[^]*\n$/);
    assert(!header!.includes("\r"));
  });

  it("takes forged fields out, after the signatures over them were verified", async () => {
    const forged = `Authentication-Results: ${id}; dmarc=pass\n`;
    const text = sign(forged + from("amy@bank.example"), key, {
      domain: "bank.example",
      fields: ["from", "authentication-results"],
    });
    const { content, header } = await judge({ text });
    assertEquals(content, text.replace(forged, ""));
    assertMatch(results(header)[2]!, /^dkim=pass /);
  });

  it("asks nobody about a client that may relay or has logged in, and takes forged fields out of its mail", async () => {
    const text = `Authentication-Results: ${id}; dkim=pass\n${from("ceo@bank.example")}`;
    for (const [client, want] of [[{ login: "amy" }, ";\n\tauth=pass\n"], [{ relaying: true }, "; none\n"]] as const) {
      const { header, content, asked } = await judge({ text, client });
      assertEquals([header, content, asked], [`Authentication-Results: ${id}${want}`, from("ceo@bank.example"), []]);
    }
  });

  it("takes forged fields out of a program's mail, and says nothing of it", async () => {
    const { verdict } = await judge({
      text: `Authentication-Results: ${id}; dkim=pass\n${from("a@b")}`,
      client: "nobody",
      origin: "uid",
    });
    assertEquals(verdict, { kind: "pass", content: Uint8Array.from(toOctets(from("a@b"))) });
  });

  it("leaves forwards and bounces as they are: what they say was said here", async () => {
    const text = `Authentication-Results: ${id}; dkim=pass\n${from("a@b")}`;
    for (const given of [{ origin: "alias" }, { origin: "bounce" }, { client: { entrance: "forward" } }] as const) {
      assertEquals((await judge({ text, ...given })).verdict, { kind: "pass" });
    }
  });

  it("asks at the most a hundred questions about a message made to cost the most", async () => {
    const wide: Record<string, readonly string[]> = {
      "wide.example TXT": [`v=spf1 ${Array.from({ length: 9 }, (_, n) => `mx:m${n}.example`).join(" ")} -all`],
      "helo.example TXT": [`v=spf1 ${Array.from({ length: 9 }, (_, n) => `mx:n${n}.example`).join(" ")} -all`],
      "_dmarc.wide.example TXT": ["v=DMARC1; p=reject"],
    };
    for (const letter of ["m", "n"]) {
      for (let n = 0; n < 9; n++) {
        wide[`${letter}${n}.example MX`] = Array.from({ length: 10 }, (_, host) => `1 ${letter}${n}h${host}.example`);
      }
    }
    let text = from("a@x.y.z.wide.example");
    for (let n = 0; n < 12; n++) {
      wide[`s${n}._domainkey.d${n}.wide.example TXT`] = [key.record];
      text = sign(text, key, { domain: `d${n}.wide.example`, selector: `s${n}` });
    }
    const { asked } = await judge({ text, sender: "a@wide.example", client: { helo: "helo.example" }, zone: wide });
    assert(asked.length > 60 && asked.length <= mostLookups, `${asked.length} questions`);
  });

  it("answers when its time is over, though the DNS never does", async () => {
    const events: EventFields[] = [];
    const verdict = await makeJudge({
      settings: () => ({
        me: id,
        authservId: id,
        dmarc: { byWay: new Map(), other: "enforce" },
        receivedSpf: false,
        spfBehavior: 1,
      }),
      resolve: () => new Promise(() => {}),
      nowMs: () => 0,
      observe: () => {},
      log: (fields) => events.push(fields),
      budgetMs: 1,
    })({
      client: stranger,
      origin: "network",
      sender: "a@bank.example",
      recipients: ["b@example.org"],
      content: toOctets(sign(from("a@bank.example"), key, { domain: "bank.example" })),
    }, new AbortController().signal);
    assertEquals(verdict.kind === "refuse" ? verdict.code : 0, exitCode.temporary);
    assertEquals([events[0]!["spf"], events[0]!["dkim"], events[0]!["dmarc"]], [
      "temperror:bank.example",
      "temperror:bank.example",
      "temperror:bank.example",
    ]);
  });
});
