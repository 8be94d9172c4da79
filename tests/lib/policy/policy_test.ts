/**
 * The policy as a whole: what it says with no control files, in which order it asks, and that it stays quick and calm.
 */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ControlFile } from "../../../config/schema.ts";
import { parseForwardPath, parseReversePath } from "../../../components/lib/address/parse_path.ts";
import { CdbMaker } from "../../../components/lib/cdb/maker.ts";
import { headerBytes } from "../../../components/lib/cdb/hash.ts";
import { compilePolicy } from "../../../components/lib/policy/compile.ts";
import { type Entrance, entrances } from "../../../components/lib/policy/decision.ts";
import { DnsMemory } from "../../../components/lib/policy/dns_memory.ts";
import type { DnsAnswer } from "../../../components/lib/policy/oracles.ts";
import { ruleNames } from "../../../components/lib/policy/order_file.ts";
import { policyOf } from "../../../components/lib/policy/policy.ts";
import { pass } from "../../../components/lib/policy/rule.ts";
import { tracedPolicyOf } from "../../../components/lib/policy/trace.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { type Asked, client, controlsOf, mail, oraclesOf, policy, rcpt, said } from "./questions.ts";

/** As qmail-newmrh makes it. */
function morercpthosts(domains: readonly string[]): string {
  const maker = new CdbMaker();
  const records = domains.map((domain) => fromOctets(maker.add({ key: toOctets(domain), data: new Uint8Array() })));
  const { tables, header } = maker.finish();
  assertEquals(header.length, headerBytes);
  return [fromOctets(header), ...records, ...tables.map(fromOctets)].join("");
}

describe("a policy's inTurn()", () => {
  const inTurn = (controls: Partial<Record<ControlFile, string>>, environment: Record<string, string> = {}) =>
    policyOf(compilePolicy(controlsOf(controls)), oraclesOf({}))
      .inTurn!({ ...client(), environment: new Map(Object.entries(environment)) });

  it("is so where a limit counts recipients, for all or for this client", () => {
    assertEquals(inTurn({}), false);
    for (const name of ["brtlimit", "maxrcpt", "tarpitcount"] as const) assert(inTurn({ [name]: "1" }), name);
    for (const name of ["BRTLIMIT", "MAXRECIPIENTS", "TARPITCOUNT"]) assert(inTurn({}, { [name]: "1" }), name);
    assertEquals(inTurn({}, { RELAYCLIENT: "" }), false);
  });
});

describe("the policy of a home without further control files", () => {
  const controls = {
    rcpthosts: "example.com\n.sub.example.com\nvirt.example\nbackup.example\nhack.example\n",
    percenthack: "hack.example\n",
    locals: "mx.example.com\nexample.com\n",
    virtualdomains: "virt.example:joe\ngames@elsewhere.example:joe\n",
  };
  // "ask": the mailbox is looked for, under `recipient`; else the reason, or "accept".
  const rows: { path: string; relaying?: boolean; want: string; recipient?: string }[] = [
    { path: "<joe@Example.COM>", want: "ask", recipient: "joe@example.com" },
    { path: "<joe@example.com.evil.example>", want: "rcpthosts" },
    { path: "<joe@evilexample.com>", want: "rcpthosts" },
    { path: "<joe@x.example.com>", want: "rcpthosts" },
    { path: "<joe@sub.example.com>", want: "rcpthosts" },
    { path: "<joe@a.b.sub.example.com>", want: "accept" },
    { path: "<joe@backup.example>", want: "accept" },
    { path: "<amy@virt.example>", want: "ask" },
    { path: "<games@elsewhere.example>", want: "rcpthosts" },
    { path: "<games@elsewhere.example>", relaying: true, want: "ask" },
    { path: "<postmaster>", want: "ask", recipient: "postmaster@mx.example.com" },
    { path: "<PostMaster@mx.example.com>", want: "rcpthosts" },
    { path: "<a%evil.example@hack.example>", want: "rcpthosts" },
    { path: "<a%evil.example%hack.example@hack.example>", want: "rcpthosts" },
    { path: "<joe%example.com@hack.example>", want: "ask", recipient: "joe%example.com@hack.example" },
    { path: '<"a@example.com"@evil.example>', want: "rcpthosts" },
    { path: '<"a@evil.example"@example.com>', want: "ask", recipient: "a@evil.example@example.com" },
    { path: "<@example.com:a@evil.example>", want: "rcpthosts" },
    { path: "<a@[127.0.0.1]>", want: "rcpthosts" },
    { path: "<a@evil.example>", relaying: true, want: "accept" },
    { path: "<nobody@example.com>", relaying: true, want: "ask" },
    { path: "<a@__proto__>", want: "bad path" },
    { path: "<a@constructor>", want: "rcpthosts" },
    { path: "<__proto__@example.com>", want: "ask" },
  ];
  for (const { path, relaying = false, want, recipient } of rows) {
    it(`says ${want} to ${path}${relaying ? " from a client that may relay" : ""}`, () => {
      const parsed = parseForwardPath(path);
      if (!parsed.ok) return assertEquals("bad path", want);
      const asked: string[] = [];
      const decision = policy({ controls }, asked).rcpt(client({ relaying }), mail(), parsed.value.path);
      assert(!(decision instanceof Promise), "it answers at once");
      const looked = asked.length > 0;
      assertEquals(decision.kind === "refuse" ? decision.reason : looked ? "ask" : "accept", want);
      if (looked) assertEquals(asked, [`mailbox ${decision.address}`]);
      if (recipient !== undefined) assertEquals(decision.address, recipient);
    });
  }

  it("admits nobody but the postmaster's correspondents when rcpthosts is empty", async () => {
    const answers = await Promise.all(["joe@example.com", "a@b.example", "postmaster"].map(async (to) => {
      return said(await rcpt({ controls: { ...controls, rcpthosts: "" }, to })).split(":")[0];
    }));
    assertEquals(answers, ["rcpthosts", "rcpthosts", "accept"]);
  });

  it("has these words and this weight for each refusal", async () => {
    const decisions = await Promise.all([
      rcpt({ controls, to: "a@evil.example" }),
      rcpt({ controls, answers: { mailbox: () => "none" } }),
      rcpt({ controls, answers: { mailbox: () => "unsure" } }),
    ]);
    const [address, refused] = ["joe@example.com", { kind: "refuse" as const }];
    assertEquals(decisions, [
      {
        ...refused,
        address: "a@evil.example",
        reason: "rcpthosts",
        reply: "553 5.7.1 sorry, that domain isn't in my list of allowed rcpthosts",
        counted: true,
      },
      {
        ...refused,
        address,
        reason: "no-mailbox",
        reply: "550 5.1.1 sorry, no mailbox here by that name",
        counted: true,
      },
      {
        ...refused,
        address,
        reason: "unsure",
        reply: "451 4.3.0 sorry, i can't look for that mailbox now",
        counted: false,
      },
    ]);
  });

  it("asks nothing at connect, HELO and MAIL, and answers them at once", () => {
    const asked: string[] = [];
    const all = policy({ controls }, asked);
    assertEquals(all.connect(client()), { kind: "accept", address: "" });
    assertEquals(all.helo(client()), { kind: "accept", address: "" });
    assertEquals(all.mail(client(), mail().sender, []), { kind: "accept", address: "amy@sender.example" });
    assertEquals(all.mail(client(), { kind: "null" }, []), { kind: "accept", address: "" });
    assertEquals([all.data, asked], [undefined, []]);
  });
});

describe("morercpthosts.cdb", () => {
  const controls = { "morercpthosts.cdb": morercpthosts(["more.example", ".below.example", "__proto__"]) };
  const rows: [string, string][] = [
    ["joe@More.Example", "accept"],
    ["joe@x.more.example", "rcpthosts"],
    ["joe@x.below.example", "accept"],
    ["joe@a.b.below.example", "accept"],
    ["joe@below.example", "rcpthosts"],
    ["joe@example.com", "accept"],
    ["joe@example", "rcpthosts"],
  ];
  for (const [to, want] of rows) {
    it(`says ${want} to ${to}`, async () => assertEquals(said(await rcpt({ controls, to })).split(":")[0], want));
  }

  it("defers what a damaged one might have, and only that", async () => {
    const damaged = { "morercpthosts.cdb": "\xff".repeat(headerBytes) };
    assertEquals(said(await rcpt({ controls: damaged, to: "joe@more.example" })).split(":")[0], "rcpthosts-damaged");
    assertEquals(said(await rcpt({ controls: damaged, to: "joe@example.com" })), "accept");
  });
});

describe("the order of the rules", () => {
  const both: Asked = {
    from: "bad@sender.example",
    to: "old@example.com",
    answers: { mailbox: () => "none" },
  };
  const lists = { badmailfrom: "bad@sender.example", badrcptto: "old@example.com" };
  const reasonWith = async (order: string) => {
    const decision = await rcpt({ ...both, controls: { ...lists, policy: order } });
    return decision.kind === "refuse" ? decision.reason : "accept";
  };

  it("is that of control/policy: the first refusal is the answer", async () => {
    assertEquals(await reasonWith("badmailfrom\nbadrcptto\nrelay\nmailbox\n"), "badmailfrom");
    assertEquals(await reasonWith("badrcptto\nbadmailfrom\nrelay\nmailbox\n"), "badrcptto");
    assertEquals(await reasonWith("mailbox\nrelay\nbadrcptto\n"), "no-mailbox");
    assertEquals(await reasonWith("relay\nbadmailfrom\n"), "badmailfrom");
    assertEquals(await reasonWith("relay\n-badmailfrom\n-mailbox\n"), "accept");
  });

  it("asks nobody behind a refusal", async () => {
    const asked: string[] = [];
    await rcpt({ to: "a@evil.example", controls: { greylist: "60", dnsbllist: "bl.example" } }, asked);
    assertEquals(asked, []);
  });

  it("names every rule of the default, and says why one is idle", () => {
    const { idle, steps } = compilePolicy(controlsOf({ policy: "relay\nbadhelo\n" }));
    assertEquals(idle.get("badhelo"), "control/badhelo is empty");
    assertEquals(idle.get("mailbox"), "not in control/policy");
    assertEquals(steps.rcpt.map(({ rule }) => rule), ["relay"]);
    const all = compilePolicy(controlsOf());
    const active = new Set(Object.values(all.steps).flatMap((stage) => stage.map(({ rule }) => rule)));
    assertEquals([...ruleNames].filter((rule) => !active.has(rule) && !all.idle.has(rule)), []);
  });

  it("can be watched", async () => {
    const said: string[] = [];
    const rules = compilePolicy(controlsOf({ policy: "tarpit\nrelay\nmailbox\n" }));
    const watched = tracedPolicyOf(rules, oraclesOf({ mailbox: () => Promise.resolve("none") }), (entry) => {
      said.push(`${entry.stage} ${entry.rule} ${entry.finding.kind} ${entry.asked.join(";")}`);
      return entry.finding;
    });
    const path = parseForwardPath("<joe@example.com>");
    assert(path.ok);
    const decision = await watched.rcpt(client(), mail(), path.value.path);
    assertEquals(decision.kind, "refuse");
    assertEquals(said, ["rcpt tarpit pass ", "rcpt relay pass ", "rcpt mailbox refuse mailbox joe@example.com: none"]);
  });

  it("can be watched by one who lets pass what a rule refuses, to hear the rules behind it", async () => {
    const said: string[] = [];
    const rules = compilePolicy(controlsOf({ policy: "relay\nmailbox\n" }));
    const watched = tracedPolicyOf(rules, oraclesOf({}), ({ rule }) => {
      said.push(rule);
      return pass("all the same");
    });
    const path = parseForwardPath("<joe@evil.example>");
    assert(path.ok);
    assertEquals((await watched.rcpt(client(), mail(), path.value.path)).kind, "accept");
    assertEquals(said, ["relay", "mailbox"]);
  });
});

/** Everything that can be switched on. */
const everything: Readonly<Partial<Record<ControlFile, string>>> = {
  badhelo: "bad.example\n*.dyn.example\nx[0-9]*?.example\n",
  badmailfrom: "@bad.example\n*spam*@*\n!good@bad.example\n",
  badrcptto: "old@example.com\n",
  brtlimit: "50",
  dnsallowlist: "wl.example\n",
  dnsbllist: "bl.example smtp,submission\n-hard.example\n",
  greetdelay: "5",
  greylist: "60",
  helocheck: "M",
  maxrcpt: "100",
  mfdnscheck: "1",
  "morercpthosts.cdb": morercpthosts(["more.example"]),
  percenthack: "example.com\n",
  ratelimits: "client 9/m connections\nclient 5/h\nsender 4/h\nlogin 3/h\nclient 2/d recipients\n",
  rejectnullsenders: "1",
  rejectrelaytest: "1",
  senderlogins: "amy@example.com:@lists.example\n",
  tarpitcount: "10",
  virtualdomains: "virt.example:joe\n",
};

describe("a policy with everything switched on", () => {
  const hostile = [
    "${run{\\x2Fbin\\x2Fsh\\t-c\\t\\x22id\\x22}}@localhost",
    ";for i in 0 1 2 3;do read r;done;sh;exit 0;@example.com",
    ...["`id`", "$(id)", "|id", "a&b", "*)(uid=*", "' OR 1=1--", "%00", "*", "?", "[a-z]", "~root", "-froot", "../../x"]
      .map((
        local,
      ) => `"${local}"@example.com`),
    ...["__proto__", "constructor", "toString", "hasOwnProperty"].flatMap((word) => [
      `${word}@example.com`,
      `x@${word}.example`,
      `x@${word.replaceAll("__", "")}`,
    ]),
    '"xclow3n@gmail.example x"@internal.example',
    "a%b%c%d@example.com",
  ];

  for (const address of hostile) {
    it(`treats ${address} as data`, async () => {
      const asked: string[] = [];
      const path = parseForwardPath(`<${address}>`);
      if (!path.ok) return;
      const all = policyOf(compilePolicy(controlsOf({ ...everything, rejectrelaytest: "0" })), oraclesOf({}, asked));
      const decision = await all.rcpt(client(), mail("a@[192.0.2.1]"), path.value.path);
      if (path.value.path.kind !== "mailbox") return;
      const { localPart, domain } = path.value.path.mailbox;
      assertEquals(decision.address, `${localPart}@${domain}`);
      const names = asked.filter((line) => line.startsWith("dns "));
      assert(
        names.every((line) => !line.includes(localPart) || localPart === ""),
        "a local part is never asked of the DNS",
      );
    });
  }

  const octets = fc.string({ unit: "binary", maxLength: 300 });
  const address = fc.oneof(
    fc.tuple(octets, fc.constantFrom("example.com", "virt.example", "more.example", "evil.example")).map((
      [local, domain],
    ) => `"${local.replace(/["\\]/g, "")}"@${domain}`),
    fc.constantFrom(...hostile, "", "postmaster", "joe@example.com"),
    octets,
  );
  const variables = fc.dictionary(
    fc.constantFrom(
      ...[
        "RELAYCLIENT",
        "RBLSMTPD",
        "HELOCHECK",
        "MFDNSCHECK",
        "MAXRECIPIENTS",
        "TARPITCOUNT",
        "TARPITDELAY",
        "BRTLIMIT",
      ],
      ...["RCPTCHECK", "NOSPP", "SMTPD_GREETDELAY", "DNSBLSKIP", "__proto__", " later rcpt"],
    ),
    octets,
  );
  const facts = fc.record({
    entrance: fc.constantFrom<Entrance>(...entrances),
    ip: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant("unknown"), octets),
    relaying: fc.boolean(),
    environment: variables.map((record) => new Map(Object.entries(record))),
    helo: octets,
    tls: fc.boolean(),
    login: fc.option(octets, { nil: undefined }),
    stress: fc.boolean(),
  });
  /** What may go into a dialogue: one line, a code that refuses, printable; or nothing, with the connection ended. */
  const sayable = /^[45][0-9]{2} [ -~]{1,900}$/;

  it("says a line that fits the dialogue, whatever comes, and never throws", async () => {
    const rules = compilePolicy(controlsOf(everything), {
      plugins: new Set(["connection", "helo", "mail", "rcpt", "data"]),
    });
    const lines = fc.array(
      fc.tuple(fc.constantFrom(..."AONDERPHCSULxyz "), octets).map(([letter, rest]) => letter + rest),
    );
    const answers = fc.record({ line: lines, over: fc.boolean(), late: fc.boolean() });
    const property = fc.asyncProperty(facts, address, address, answers, async (who, from, to, { line, over, late }) => {
      const soon = <T>(value: T): T | Promise<T> => late ? Promise.resolve(value) : value;
      const all = policyOf(
        rules,
        oraclesOf({
          mailbox: () => soon(over ? "none" : "exists"),
          count: () => soon(over ? { kind: "over", retrySeconds: 3 } : { kind: "within" }),
          greylist: () => soon(over ? { kind: "wait", seconds: 3 } : { kind: "pass" }),
          rcptcheck: () => soon(over ? 111 : undefined),
          spp: () => soon({ kind: "lines", lines: line }),
          dns: over ? {} : { "example.com MX": ["mx.example"] },
        }),
      );
      const reverse = parseReversePath(`<${from}>`, { smtputf8: true });
      const forward = parseForwardPath(`<${to}>`, { smtputf8: true });
      const sender = reverse.ok ? reverse.value.path : { kind: "null" } as const;
      const transaction = { sender, accepted: 11, refused: 3 };
      const decisions = [
        await all.connect(who),
        await all.helo(who),
        await all.mail(who, sender, []),
        ...(forward.ok ? [await all.rcpt(who, transaction, forward.value.path)] : []),
        await all.data!(who, transaction),
      ];
      for (const decision of decisions) {
        for (const said of [...decision.lines ?? []]) assert(!/[\r\n\0]/.test(said), said);
        if (decision.kind === "accept") {
          for (const said of decision.header ?? []) assert(!/[\r\n\0]/.test(said), said);
        } else assert(decision.reply === "" ? decision.drop === true : sayable.test(decision.reply), decision.reply);
      }
    });
    await fc.assert(property, { numRuns: 300 });
  });

  it("finds its way in 10,000 domains of every kind", async () => {
    const names = Array.from({ length: 10_000 }, (_, n) => `d${n}.example`);
    const big = {
      rcpthosts: names.join("\n"),
      locals: names.join("\n"),
      percenthack: names.map((name) => `p${name}`).join("\n"),
      virtualdomains: names.map((name) => `v${name}:joe`).join("\n"),
      badmailfrom: names.map((name) => `@b${name}`).join("\n"),
      badrcptto: names.map((name) => `old@${name}`).join("\n"),
      senderlogins: names.map((name) => `amy@${name}:@s${name}`).join("\n"),
      allowclients: names.map((_, n) => `10.9.${n >> 8}.${n & 255}`).join("\n"),
      "morercpthosts.cdb": morercpthosts(names.map((name) => `m${name}`)),
    };
    const asked: string[] = [];
    const all = policy({ controls: big }, asked);
    for (const domain of [...names, ...names.map((name) => `m${name}`)]) {
      const path = parseForwardPath(`<joe@${domain}>`);
      assert(path.ok);
      assertEquals((await all.rcpt(client(), mail(), path.value.path)).kind, "accept");
    }
    assertEquals(asked.length, names.length);
  });
});

describe("DnsMemory", () => {
  it("asks once in a minute, again after it, and does not keep failures", async () => {
    let now = 0;
    const asked: string[] = [];
    const answers: DnsAnswer[] = [{ kind: "failure" }, { kind: "none" }, { kind: "answers", records: [] }];
    const memory = new DnsMemory((name, type) => {
      asked.push(`${type} ${name}`);
      return Promise.resolve(answers[asked.length - 1] ?? { kind: "none" });
    }, () => now);
    assertEquals(await memory.lookUp("a.example", "A"), { kind: "failure" });
    assertEquals(await memory.lookUp("a.example", "A"), { kind: "none" });
    assertEquals(memory.lookUp("a.example", "A"), { kind: "none" });
    assertEquals(await memory.lookUp("a.example", "MX"), { kind: "answers", records: [] });
    now = 60_000;
    assertEquals(await memory.lookUp("a.example", "A"), { kind: "none" });
    assertEquals(asked, ["A a.example", "A a.example", "MX a.example", "A a.example"]);
  });
});
