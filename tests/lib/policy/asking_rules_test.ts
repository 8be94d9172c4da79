/**
 * The rules that ask who keeps count or runs programs, and those that hold a reply back.
 */
import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import type { Decision } from "../../../components/lib/policy/decision.ts";
import { type Asked, client, mailDecision, policy, rcpt, said } from "./questions.ts";
import { env, rcptTable } from "./tables.ts";

const noMailbox = "no-mailbox: 550 5.1.1 sorry, no mailbox here by that name";

const wait = { greylist: () => ({ kind: "wait", seconds: 42 } as const) };
const comeAgain = "greylist: 451 4.7.1 sorry, i don't know you yet, come again in 42 seconds";
rcptTable("greylist", [
  { name: "is off by default", controls: { greylist: "0" }, answers: wait, want: "accept" },
  { name: "sends strangers away", answers: wait, want: comeAgain },
  { name: "takes them when they have waited", answers: { greylist: () => ({ kind: "pass" }) }, want: "accept" },
  { name: "takes them while nobody can tell", answers: { greylist: () => ({ kind: "unsure" }) }, want: "accept" },
  { name: "never those who may relay", client: { relaying: true }, answers: wait, want: "accept" },
  { name: "never those who have logged in", client: { login: "a" }, answers: wait, want: "accept" },
  { name: "never those on LMTP", client: { entrance: "lmtp" }, answers: wait, want: "accept" },
  { name: "never for the postmaster", to: "postmaster@example.com", answers: wait, want: "accept" },
  { name: "never those in allowclients", controls: { allowclients: "192.0.2.7" }, answers: wait, want: "accept" },
  {
    name: "never those on an allow list",
    controls: { dnsallowlist: "wl.example" },
    answers: { ...wait, dns: { "7.2.0.192.wl.example A": ["127.0.9.1"] } },
    want: "accept",
  },
  { name: "keeps nothing of unknown mailboxes", answers: { ...wait, mailbox: () => "none" }, want: noMailbox },
], { greylist: "300\n" });

const rcptcheckAnswer = (code: number | undefined) => ({ rcptcheck: () => code });
const program = env({ RCPTCHECK: "/bin/check" });
rcptTable("rcptcheck", [
  { name: "asks no program where none is named", answers: rcptcheckAnswer(100), want: "accept" },
  {
    name: "nor where its name is empty",
    client: env({ RCPTCHECK: "" }),
    answers: rcptcheckAnswer(100),
    want: "accept",
  },
  { name: "takes 0", client: program, answers: rcptcheckAnswer(0), want: "accept" },
  {
    name: "refuses at 100",
    client: program,
    answers: rcptcheckAnswer(100),
    want: "rcptcheck: 553 5.1.1 sorry, no mailbox here by that name",
  },
  {
    name: "closes at 111",
    client: program,
    answers: rcptcheckAnswer(111),
    want: "rcptcheck-111: 421 4.3.0 unable to verify recipient",
  },
  {
    name: "closes at 120",
    client: program,
    answers: rcptcheckAnswer(120),
    want: "rcptcheck-120: 421 4.3.0 unable to execute recipient check",
  },
  {
    name: "defers while nobody runs it",
    client: program,
    answers: rcptcheckAnswer(undefined),
    want: "rcptcheck-away: 451 4.3.0 unable to execute recipient check",
  },
]);

describe("the rule ratelimit", () => {
  const controls = {
    ratelimits:
      "client 9/m connections\nclient 5/h\nsender 4/h\nlogin 3/h\nclient 2/d recipients\nlogin 1/d recipients\n",
  };
  const counted = async (question: Asked): Promise<string[]> => {
    const asked: string[] = [];
    await policy({ ...question, controls }, asked).connect(client(question.client));
    await mailDecision({ ...question, controls }, asked);
    await rcpt({ ...question, controls }, asked);
    return asked.filter((line) => line.startsWith("count ")).map((line) => line.slice(6));
  };

  it("counts a stranger by its address, and its senders with it", async () => {
    assertEquals(await counted({ from: "Amy@sender.example" }), [
      "client connections 192.0.2.7 9/60",
      "client messages 192.0.2.7 5/3600",
      "sender messages 192.0.2.7 amy@sender.example 4/3600",
      "client recipients 192.0.2.7 2/86400",
    ]);
  });

  it("counts an IPv6 host by its network, and no null sender", async () => {
    assertEquals(await counted({ from: "", client: { ip: "2001:db8::1:2:3:4" } }), [
      "client connections 2001:db8:0:0::/64 9/60",
      "client messages 2001:db8:0:0::/64 5/3600",
      "client recipients 2001:db8:0:0::/64 2/86400",
    ]);
  });

  it("counts a login and its sender, wherever it comes from", async () => {
    assertEquals(await counted({ from: "amy@example.com", client: { login: "Amy@example.com" } }), [
      "sender messages - amy@example.com 4/3600",
      "login messages amy@example.com 3/3600",
      "login recipients amy@example.com 1/86400",
    ]);
  });

  it("counts for no client what comes from who may relay", async () => {
    assertEquals(await counted({ client: { relaying: true } }), ["sender messages - amy@sender.example 4/3600"]);
  });

  it("says when to come again, and ends a connection that is one too many", async () => {
    const answers = { count: () => ({ kind: "over", retrySeconds: 60 } as const) };
    const decisions: Decision[] = [
      await policy({ controls, answers }).connect(client()),
      await mailDecision({ controls, answers }),
      await rcpt({ controls, answers }),
    ];
    assertEquals(decisions.map(said), [
      "ratelimit-client: 421 4.7.0 sorry, too many connections from you, come again in 60 seconds",
      "ratelimit-client: 451 4.7.1 sorry, too many messages from you, come again in 60 seconds",
      "ratelimit-client: 451 4.7.1 sorry, too many recipients from you, come again in 60 seconds",
    ]);
    assertEquals(decisions.map((decision) => decision.kind === "refuse" && decision.drop === true), [
      true,
      false,
      false,
    ]);
  });

  it("counts nothing further once a limit is met, and lets pass while nobody counts", async () => {
    const asked: string[] = [];
    await mailDecision({ controls, answers: { count: () => ({ kind: "over", retrySeconds: 1 }) } }, asked);
    assertEquals(asked.length, 1);
    assertEquals(said(await mailDecision({ controls, answers: { count: () => ({ kind: "unsure" }) } })), "accept");
  });

  it("counts what has a name of our own prototype", async () => {
    assertEquals(
      (await counted({ from: "__proto__@sender.example" }))[2],
      "sender messages 192.0.2.7 __proto__@sender.example 4/3600",
    );
  });
});

describe("the rule greetdelay", () => {
  const connect = async (question: Asked) =>
    await policy({ ...question, controls: { greetdelay: "20", ...question.controls } }).connect(
      client(question.client),
    );
  const delayOf = (decision: Decision) => decision.delayMs ?? 0;

  it("holds back the greeting of strangers, and says what becomes of early talkers", async () => {
    const decision = await connect({});
    assertEquals(decision, {
      kind: "accept",
      address: "",
      delayMs: 20_000,
      early: { reply: "554 5.5.0 sorry, you spoke before your turn", reason: "early-talker" },
    });
  });

  const rows: (Asked & { name: string; ms: number })[] = [
    { name: "not of who may relay", client: { relaying: true }, ms: 0 },
    { name: "not of LMTP", client: { entrance: "lmtp" }, ms: 0 },
    { name: "not of who is allowed", controls: { allowclients: "192.0.2.0/24" }, ms: 0 },
    { name: "not while there are more connections than usual", client: { stress: true }, ms: 0 },
    { name: "as SMTPD_GREETDELAY says", client: env({ SMTPD_GREETDELAY: "3" }), ms: 3000 },
    { name: "not longer than a client will wait", client: env({ SMTPD_GREETDELAY: "999999" }), ms: 240_000 },
  ];
  for (const { name, ms, ...question } of rows) {
    it(name, async () => assertEquals(delayOf(await connect(question)), ms));
  }
});

describe("the rule tarpit", () => {
  const controls = { tarpitcount: "3", tarpitdelay: "7" };
  const delayOf = async (question: Asked) => (await rcpt({ controls, ...question })).delayMs ?? 0;

  it("answers slowly beyond the count, good recipients and bad ones", async () => {
    assertEquals(await delayOf({ mail: { accepted: 1, refused: 1 } }), 0);
    assertEquals(await delayOf({ mail: { accepted: 1, refused: 2 } }), 7000);
    assertEquals(await delayOf({ mail: { refused: 3 }, answers: { mailbox: () => "none" } }), 7000);
    assertEquals(await delayOf({ mail: { refused: 3 }, answers: { mailbox: () => Promise.resolve("none") } }), 7000);
    assertEquals(await delayOf({ mail: { refused: 3 }, to: "a@evil.example" }), 7000);
  });

  it("not to those who may relay, nor while there are more connections than usual", async () => {
    assertEquals(await delayOf({ mail: { refused: 9 }, client: { relaying: true } }), 0);
    assertEquals(await delayOf({ mail: { refused: 9 }, client: { stress: true } }), 0);
  });

  it("refuses at 999, as s/qmail does", async () => {
    const decision = await rcpt({ controls: { ...controls, tarpitdelay: "999" }, mail: { accepted: 3 } });
    assertEquals(said(decision), "tarpit: 452 4.5.3 sorry, too many recipients");
  });

  it("listens to TARPITCOUNT and TARPITDELAY", async () => {
    assertEquals(await delayOf({ client: env({ TARPITCOUNT: "1", TARPITDELAY: "2" }), mail: { accepted: 1 } }), 2000);
  });
});
