/** Where SRS meets routing, the policy, and who is asked from whom a message is sent on. */
import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { rewriteRecipient } from "../../../components/lib/queue/rewrite.ts";
import { srsRulesOf } from "../../../components/lib/srs/secret_file.ts";
import { returnPathFor } from "../../../components/lib/srs/srs.ts";
import { forwardSender } from "../../../components/qmail-getpw/forward_sender.ts";
import { controlsOf, rcpt, said } from "../policy/questions.ts";

const now = 1_790_000_000;
const controls = controlsOf({ srsdomain: "mx.example.com", srssecret: "a secret of ours\n" });
const made = returnPathFor("amy@a.example", srsRulesOf(controls)!, now);

describe("rewriteRecipient() with SRS", () => {
  const table = [
    { to: made, want: "remote amy@a.example" },
    { to: made.replace("amy", "bob"), want: `local ${made.replace("amy", "bob")}` },
    { to: "joe@mx.example.com", want: "local joe@mx.example.com" },
    { to: "joe@b.example", want: "remote joe@b.example" },
    { to: returnPathFor("joe@example.com", srsRulesOf(controls)!, now), want: "local joe@example.com" },
  ];
  for (const { to, want } of table) {
    it(`routes ${to} as ${want}`, () => {
      const { channel, address } = rewriteRecipient(to, controls);
      assertEquals(`${channel} ${address}`, want);
    });
  }
  it("sends a forged address nowhere, where the domain is not local either", () => {
    const elsewhere = { ...controls, srsdomain: "srs.example" };
    assertEquals(rewriteRecipient("SRS0=a=b=c=d@srs.example", elsewhere).channel, "local");
  });
  it("knows nothing of it without a secret", () => {
    assertEquals(rewriteRecipient("SRS0=a=b=c=d@srs.example", { ...controls, srssecret: [] }).channel, "remote");
  });
});

describe("forwardSender()", () => {
  const to = ["joe@b.example"];
  const table = [
    { sender: "amy@a.example", recipients: to, changes: true, claim: "a stranger's sender" },
    {
      sender: "amy@a.example",
      recipients: ["x@example.com", ...to],
      changes: true,
      claim: "one of several recipients leaves",
    },
    { sender: "amy@a.example", recipients: ["x@example.com"], changes: false, claim: "nobody is elsewhere" },
    { sender: "amy@example.com", recipients: to, changes: false, claim: "a sender in a local domain" },
    { sender: "amy@v.example", recipients: to, changes: false, claim: "a sender in a virtual domain" },
    { sender: "x@MX.example.com", recipients: to, changes: false, claim: "a sender in the domain of SRS" },
    { sender: "", recipients: to, changes: false, claim: "a bounce" },
    { sender: "#@[]", recipients: to, changes: false, claim: "a double bounce" },
    { sender: "l-owner-@a.example-@[]", recipients: to, changes: false, claim: "a sender a recipient" },
  ];
  for (const { sender, recipients, changes, claim } of table) {
    it(`${changes ? "is another" : "stays"} for ${claim}`, () => {
      const rules = { ...controls, virtualdomains: new Map([["v.example", "joe"]]) };
      const got = forwardSender({ sender, recipients }, rules, now);
      assertEquals(got, changes ? returnPathFor(sender, srsRulesOf(controls)!, now) : sender);
    });
  }
  it("stays while SRS is off", () => {
    const sender = "amy@a.example";
    assertEquals(forwardSender({ sender, recipients: to }, { ...controls, srssecret: [] }, now), sender);
  });
});

describe("the rule relay, with SRS", () => {
  // The servers do not have the secret: qmail-getpw is asked.
  const controls = { srsdomain: "srs.example" };
  const table = [
    { answer: "exists", relaying: false, want: "accept" },
    { answer: "none", relaying: false, want: "srs: 550" },
    { answer: "none", relaying: true, want: "srs: 550" },
    { answer: "unsure", relaying: false, want: "unsure: 451" },
  ] as const;
  for (const { answer, relaying, want } of table) {
    it(`${want} for ${relaying ? "who may relay" : "a stranger"} where qmail-getpw says ${answer}`, async () => {
      const to = "SRS0=a=b=c.example=d@srs.example";
      const decision = await rcpt({ controls, to, client: { relaying }, answers: { mailbox: () => answer } });
      assertEquals(said(decision).replace(/^(\S+ \d+).*/, "$1"), want);
    });
  }
  it("is as ever for all other addresses of that domain", async () => {
    assertEquals(said(await rcpt({ controls, to: "joe@srs.example" })).split(":")[0], "rcpthosts");
  });
});
