import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseForwardPath } from "../../components/lib/address/parse_path.ts";
import { clientAddress, compileRules, judge, mayRelay, verdictOf } from "../../components/qmail-smtpd/policy.ts";

const controls = {
  me: "mx.example.com",
  rcpthosts: ["example.com", ".sub.example.com", "virt.example", "backup.example", "hack.example"],
  relayclients: ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::ffff:198.51.100.0/120", "::1"],
  envnoathost: "mx.example.com",
  percenthack: ["hack.example"],
  locals: ["mx.example.com", "example.com"],
  virtualdomains: new Map([["virt.example", "joe"], ["games@elsewhere.example", "joe"]]),
};
const rules = compileRules(controls);

describe("clientAddress()", () => {
  const rows: [string | undefined, string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:201", "192.0.2.1"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    [undefined, "unknown"],
    ["", "unknown"],
    ["__proto__", "unknown"],
  ];
  for (const [input, want] of rows) it(`writes ${input} as ${want}`, () => assertEquals(clientAddress(input), want));
});

describe("mayRelay()", () => {
  const rows: [string, boolean][] = [
    ["10.255.0.1", true],
    ["11.0.0.1", false],
    ["192.0.2.1", true],
    ["192.0.2.2", false],
    ["::ffff:10.0.0.1", true],
    ["2001:db8:ffff::1", true],
    ["2001:db9::1", false],
    ["198.51.100.7", true],
    ["198.51.101.7", false],
    ["::1", true],
    ["127.0.0.1", false],
    ["unknown", false],
  ];
  for (const [ip, want] of rows) it(`says ${want} of ${ip}`, () => assertEquals(mayRelay(ip, rules), want));
});

describe("judge()", () => {
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
      const judgement = judge(parsed.value.path, relaying, rules);
      assertEquals(judgement.kind === "refuse" ? judgement.reason : judgement.kind, want);
      if (recipient !== undefined) assertEquals(judgement.recipient, recipient);
    });
  }

  it("admits nobody but the postmaster's correspondents when rcpthosts is empty", () => {
    const closed = compileRules({ ...controls, rcpthosts: [] });
    const kinds = ["<joe@example.com>", "<a@b.example>", "<postmaster>"].map((path) => {
      const parsed = parseForwardPath(path);
      return parsed.ok ? judge(parsed.value.path, false, closed).kind : "bad path";
    });
    assertEquals(kinds, ["refuse", "refuse", "ask"]);
  });
});

describe("verdictOf()", () => {
  it("refuses for good only what is known not to be there", () => {
    assertEquals(verdictOf("a@b", "exists"), { kind: "accept", recipient: "a@b" });
    assertEquals(verdictOf("a@b", "possible"), { kind: "accept", recipient: "a@b" });
    assertEquals(verdictOf("a@b", "none"), { kind: "refuse", recipient: "a@b", reason: "no-mailbox" });
    assertEquals(verdictOf("a@b", "unsure"), { kind: "refuse", recipient: "a@b", reason: "unsure" });
  });
});
