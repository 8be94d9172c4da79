/**
 * qmail-spp's commands as the policy carries them out.
 */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import type { Decision, Policy } from "../../../components/lib/policy/decision.ts";
import type { HookEnvironment, PluginStage } from "../../../components/lib/policy/oracles.ts";
import { parseForwardPath } from "../../../components/lib/address/parse_path.ts";
import { client, mail, mailDecision, policy, rcpt, said } from "./questions.ts";

const plugins: ReadonlySet<PluginStage> = new Set(["connection", "helo", "mail", "rcpt", "data"]);

/** A policy whose plug-ins print these lines, by section. */
function withPlugins(lines: Readonly<Partial<Record<PluginStage, readonly string[]>>>, asked: string[] = []): Policy {
  return policy({
    options: { plugins },
    answers: { spp: (stage) => ({ kind: "lines", lines: lines[stage] ?? [] }) },
  }, asked);
}

async function rcptTo(all: Policy, to: string, environment?: ReadonlyMap<string, string>): Promise<Decision> {
  const path = parseForwardPath(`<${to}>`);
  assert(path.ok);
  return await all.rcpt(client(environment === undefined ? {} : { environment }), mail(), path.value.path);
}

describe("a plug-in of [auth]", () => {
  it("is told who has logged in and how, and may refuse it", async () => {
    const told: HookEnvironment[] = [];
    const all = policy({
      options: { plugins: new Set<PluginStage>(["auth"]) },
      answers: {
        spp: (_, environment) => {
          told.push(environment);
          return { kind: "lines", lines: environment.get("SMTPAUTHUSER") === "eve@b.example" ? ["E535 no"] : [] };
        },
      },
    });
    const auth = async (login: string) => said(await all.auth!(client({ login }), "PLAIN"));
    assertEquals([await auth("amy@b.example"), await auth("eve@b.example")], ["accept", "spp: 535 no"]);
    assertEquals(told[0]!.get("SMTPAUTHMETHOD"), "PLAIN");
  });

  it("is asked nothing where there is none", () => assertEquals(policy({}).auth, undefined));
});

describe("a plug-in's command", () => {
  const refused = "553 5.7.1 sorry, that domain isn't in my list of allowed rcpthosts";
  const rows: { lines: string[]; to?: string; want: string }[] = [
    { lines: [], want: "accept" },
    { lines: ["O"], to: "a@evil.example", want: "accept" },
    { lines: ["N"], to: "a@evil.example", want: `rcpthosts: ${refused}` },
    { lines: ["A"], to: "a@evil.example", want: `rcpthosts: ${refused}` },
    { lines: ["E550 no"], want: "spp: 550 no" },
    { lines: ["E"], want: "spp: 550 5.7.1 sorry" },
    { lines: ["E250 ok"], want: "spp: 550 5.7.1 250 ok" },
    { lines: ["Ea\r\n250 ok"], want: "spp: 550 5.7.1 a??250 ok" },
    { lines: ["R421 bye"], want: "spp: 421 bye" },
    { lines: ["D"], want: "spp: " },
    { lines: ["N", "E550 not reached"], want: "accept" },
    { lines: ["zzz", "", "E550 reached"], want: "spp: 550 reached" },
    { lines: ["Cjoe@example.org"], want: `rcpthosts: ${refused}` },
    { lines: ["Cnonsense"], want: "spp-failure: 451 4.3.0 qmail-spp failure: an address that is none" },
    { lines: ["C"], want: "spp-failure: 451 4.3.0 qmail-spp failure: an address that is none" },
    { lines: ["HX-Bad"], want: "spp-failure: 451 4.3.0 qmail-spp failure: a header line that is none" },
    { lines: ["HX-Bad: a\r\nBcc: b"], want: "spp-failure: 451 4.3.0 qmail-spp failure: a header line that is none" },
    { lines: ["P"], want: "spp-failure: 451 4.3.0 qmail-spp failure: a line to send that is no text" },
    { lines: ["S=x"], want: "spp-failure: 451 4.3.0 qmail-spp failure: a variable without a name" },
    { lines: ["S later rcpt=x"], want: "spp-failure: 451 4.3.0 qmail-spp failure: a variable without a name" },
    { lines: ["LXsoon"], want: "spp-failure: 451 4.3.0 qmail-spp failure: an order for later that is none" },
  ];
  for (const { lines, to = "joe@example.com", want } of rows) {
    it(`${JSON.stringify(lines)} of RCPT ${to} means ${JSON.stringify(want)}`, async () => {
      assertEquals(said(await rcptTo(withPlugins({ rcpt: lines }), to)), want);
    });
  }

  it("D and R end the connection, E does not", async () => {
    const drops = await Promise.all(["D", "R550 x", "E550 x"].map(async (line) => {
      const decision = await rcptTo(withPlugins({ rcpt: [line] }), "joe@example.com");
      return decision.kind === "refuse" && decision.drop === true;
    }));
    assertEquals(drops, [true, true, false]);
  });

  it("P and H go along with the answer, together with those of other plug-ins", async () => {
    const decision = await rcptTo(
      withPlugins({ rcpt: ["P250-one", "HX-A: 1", "P250-two", "HX-B: 2"] }),
      "joe@example.com",
    );
    assertEquals(decision, {
      kind: "accept",
      address: "joe@example.com",
      lines: ["250-one", "250-two"],
      header: ["X-A: 1", "X-B: 2"],
    });
  });

  it("P goes along with a refusal by another rule", async () => {
    const decision = await rcptTo(withPlugins({ rcpt: ["P553-one"] }), "a@evil.example");
    assert(decision.kind === "refuse");
    assertEquals(decision.lines, ["553-one"]);
  });

  it("C puts another address in the place of the recipient, which the other rules then judge", async () => {
    const asked: string[] = [];
    const decision = await rcptTo(withPlugins({ rcpt: ["Cother@example.com"] }, asked), "joe@example.com");
    assertEquals([decision.address, asked], ["other@example.com", ["spp rcpt", "mailbox other@example.com"]]);
  });

  it("C puts another address, or none, in the place of the sender", async () => {
    const sender = async (line: string) =>
      (await withPlugins({ mail: [line] }).mail(client(), mail().sender, [])).address;
    assertEquals([await sender("Cbob@b.example"), await sender("C")], ["bob@b.example", ""]);
  });

  it("S and U change the client's environment for the plug-ins that follow", async () => {
    const seen: HookEnvironment[] = [];
    const all = policy({
      options: { plugins },
      answers: {
        spp: (_, environment) => {
          seen.push(environment);
          return { kind: "lines", lines: seen.length === 1 ? ["SSCORE=7", "SGONE=1", "UGONE", "UOLD"] : [] };
        },
      },
    });
    const first = await all.helo(client({ environment: new Map([["OLD", "1"]]) }));
    assert(first.environment !== undefined);
    assertEquals([...first.environment], [["SCORE", "7"]]);
    await all.helo(client({ environment: first.environment }));
    assertEquals([seen[0]!.get("OLD"), seen[1]!.get("OLD"), seen[1]!.get("SCORE")], ["1", undefined, "7"]);
  });

  it("A switches plug-ins off for the connection, and programs see no note of it", async () => {
    const asked: string[] = [];
    const all = withPlugins({ connection: ["A"] }, asked);
    const first = await all.connect(client());
    assert(first.environment !== undefined);
    await rcptTo(all, "joe@example.com", first.environment);
    assertEquals(asked, ["spp connection", "mailbox joe@example.com"]);
  });

  it("L is the reply to one later command", async () => {
    const all = withPlugins({ helo: ["LR452 later, please"] });
    const { environment } = await all.helo(client());
    assert(environment !== undefined);
    const refusal = await rcptTo(all, "joe@example.com", environment);
    assertEquals(said(refusal), "spp: 452 later, please");
    assertEquals(said(await rcptTo(all, "joe@example.com", refusal.environment)), "accept");
  });
});

describe("plug-ins", () => {
  it("that fail refuse for now, in words that fit the dialogue", async () => {
    const decision = await rcpt({
      options: { plugins },
      answers: { spp: () => ({ kind: "failure", detail: "bin/a: crashed\r\n250 ok" }) },
    });
    assertEquals(said(decision), "spp-failure: 451 4.3.0 qmail-spp failure: bin/a: crashed??250 ok");
  });

  it("are not asked with NOSPP, nor where their section has none", async () => {
    const asked: string[] = [];
    await mailDecision({ options: { plugins }, client: { environment: new Map([["NOSPP", ""]]) } }, asked);
    await mailDecision({ options: { plugins: new Set(["rcpt"]) } }, asked);
    assertEquals(asked, []);
  });

  it("get the client, the envelope and the counts as variables, and no octet that would end one", async () => {
    const seen: HookEnvironment[] = [];
    const answers = {
      spp: (_: PluginStage, environment: HookEnvironment) => {
        seen.push(environment);
        return { kind: "lines", lines: [] } as const;
      },
    };
    const environment = new Map([["SCORE", "1\x002"], [" plug-ins of mine", "x"]]);
    await rcpt({
      options: { plugins },
      answers,
      client: { environment, relaying: true, login: "amy@example.com" },
      from: '"a$(id)"@sender.example',
      mail: { accepted: 2, refused: 3 },
    });
    assertEquals(seen.map((variables) => Object.fromEntries(variables)), [{
      PROTO: "TCP",
      TCPREMOTEIP: "192.0.2.7",
      RELAYCLIENT: "",
      SCORE: "1?2",
      SMTPHELOHOST: "client.example",
      SMTPAUTHUSER: "amy@example.com",
      SMTPMAILFROM: "a$(id)@sender.example",
      SMTPRCPTTO: "joe@example.com",
      SMTPRCPTCOUNT: "2",
      SMTPRCPTCOUNTALL: "6",
      SMTPRCPTHOSTSOK: "1",
    }]);
  });
});
