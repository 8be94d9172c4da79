import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { describeLack, evidenceOf, shows } from "../../../scripts/bench/evidence.ts";
import type { MeasuredFilter } from "../../../scripts/bench/options.ts";

const field = (algorithm: string, domain = "source.example") =>
  `DKIM-Signature: v=1; a=${algorithm}; c=relaxed/relaxed; d=${domain};\n\ts=r1; b=\n\tAAAA\n`;
const both = field("rsa-sha256") + field("ed25519-sha256");
const results = (words: string) =>
  `Authentication-Results: localhost;\n\tspf=pass smtp.mailfrom=a.example;\n\t${words}\n`;
const passed = results("dkim=pass header.d=source.example\n\theader.s=bench header.a=rsa-sha256");

describe("shows()", () => {
  const rows: { claim: string; filter: MeasuredFilter; head: string; want: boolean }[] = [
    { claim: "signatures of both kinds", filter: "sign", head: `Received: x\n${both}From: a\n\n`, want: true },
    { claim: "one of RSA only", filter: "sign", head: field("rsa-sha256"), want: false },
    { claim: "one of Ed25519 only", filter: "sign", head: field("ed25519-sha256"), want: false },
    {
      claim: "another domain's",
      filter: "sign",
      head: field("rsa-sha256", "other.example") + field("ed25519-sha256", "other.example"),
      want: false,
    },
    { claim: "signatures in the body", filter: "sign", head: `From: a\n\n${both}`, want: false },
    { claim: "nothing", filter: "sign", head: "", want: false },
    { claim: "what has passed", filter: "verify", head: `${passed}From: a\n\n`, want: true },
    {
      claim: "what has passed among others",
      filter: "verify",
      head: results("dkim=pass header.d=source.example;\n\tdmarc=pass header.from=source.example"),
      want: true,
    },
    {
      claim: "another domain's pass",
      filter: "verify",
      head: results("dkim=pass header.d=source.example.org"),
      want: false,
    },
    { claim: "a failure", filter: "verify", head: results("dkim=fail header.d=source.example"), want: false },
    {
      claim: "no look at signatures",
      filter: "verify",
      head: "Authentication-Results: localhost; none\n",
      want: false,
    },
    { claim: "a signature nobody has looked at", filter: "verify", head: both, want: false },
  ];
  for (const { claim, filter, head, want } of rows) {
    it(`is ${want} with --${filter} for ${claim}`, () => {
      assertEquals([shows(head, filter), shows(head.replaceAll("\n", "\r\n"), filter)], [want, want]);
    });
  }
});

describe("evidenceOf()", () => {
  const head = (running: number, before = both) => `${before}X-Bench-Number: ${String(running).padStart(10, "0")}\n\n`;
  const heads = (from: number, count: number, before?: string) =>
    Array.from({ length: count }, (_, at) => head(from + at, before));
  const run = { firstNumber: 100, messages: 50 };
  const rows = [
    { claim: "all of the run's", given: heads(100, 50), want: { looked: 50, shown: 50, isEnough: true } },
    {
      claim: "one without",
      given: [...heads(100, 49), head(149, "")],
      want: { looked: 50, shown: 49, isEnough: false },
    },
    { claim: "one missing", given: heads(100, 49), want: { looked: 49, shown: 49, isEnough: false } },
    { claim: "none", given: [], want: { looked: 0, shown: 0, isEnough: false } },
    {
      claim: "those of other runs, and bounces",
      given: [...heads(0, 100, ""), "Subject: failure notice\n\n", ...heads(150, 9, ""), ...heads(100, 50)],
      want: { looked: 50, shown: 50, isEnough: true },
    },
  ];
  for (const { claim, given, want } of rows) {
    it(`judges ${claim}`, () => assertEquals(evidenceOf(given, "sign", run), want));
  }

  it("looks at 200 of many", () => {
    const evidence = evidenceOf(heads(0, 1000), "sign", { firstNumber: 0, messages: 1000 });
    assertEquals(evidence, { looked: 200, shown: 200, isEnough: true });
  });
});

describe("describeLack()", () => {
  it("says of how many what is missing", () => {
    const lack = { looked: 200, shown: 3, isEnough: false };
    assertStringIncludes(describeLack(lack, "sign"), "of 200 messages looked at in the queue 197 have no signatures");
    assertEquals(describeLack({ ...lack, looked: 3 }, "sign"), "only 3 messages of it were found in the queue");
    assertStringIncludes(describeLack(lack, "verify"), "197 have no Authentication-Results with dkim=pass");
  });
});
