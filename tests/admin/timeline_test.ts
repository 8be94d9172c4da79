import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { tellEvent } from "../../components/admin/timeline.ts";
import { addressOf, harmless, textOf } from "../../components/admin/text.ts";
import { type TraceEvent, traceKinds } from "../../components/lib/trace/event.ts";

const bare: TraceEvent = { atMs: 0, component: "qmail-send", kind: "other", text: "x", tie: "number" };

describe("tellEvent()", () => {
  const rows: { event: Partial<TraceEvent>; title: string; facts: readonly (readonly [string, string])[] }[] = [
    {
      event: { kind: "accepted", component: "qmail-smtpd", ip: "192.0.2.1", tls: "TLSv1.3", rule: "relay", bytes: 3 },
      title: "Accepted by qmail-smtpd from 192.0.2.1",
      facts: [["TLS", "TLSv1.3"], ["rule", "relay"], ["bytes", "3"]],
    },
    {
      event: {
        kind: "refused",
        component: "qmail-smtpd",
        recipient: "a@b",
        rule: "rcpthosts",
        reply: 553,
        tie: "likely",
      },
      title: "Refused by qmail-smtpd to a@b",
      facts: [["SMTP reply", "553"], ["rule", "rcpthosts"], [
        "belongs here",
        "probably: told by client, sender and time",
      ]],
    },
    { event: { kind: "info", sender: "" }, title: "From <>", facts: [] },
    {
      event: { kind: "starting", channel: "remote", recipient: "a@b", delivery: 4 },
      title: "Remote delivery to a@b begins (delivery 4)",
      facts: [],
    },
    {
      event: { kind: "deferral", recipient: "a@b", delivery: 4, reply: 451, nextMs: 60_000 },
      title: "Put off to a@b (delivery 4)",
      facts: [["SMTP reply", "451"], ["next attempt", "1970-01-01 00:01:00 UTC"]],
    },
    { event: { nextMs: Number.MAX_SAFE_INTEGER }, title: "Waits for its next attempt", facts: [] },
    { event: { kind: "end" }, title: "Done with, and out of the queue", facts: [] },
  ];
  for (const { event, title, facts } of rows) {
    it(`says "${title}"`, () => {
      const told = tellEvent({ ...bare, ...event });
      assertEquals([told.title, told.facts], [title, facts]);
    });
  }

  it("has words for every kind", () => {
    for (const kind of traceKinds) assert(tellEvent({ ...bare, kind }).title.length > 0, kind);
  });
});

describe("textOf()", () => {
  const rows = [
    ["amy@a.example", "amy@a.example"],
    ["bj\xc3\xb8rn@b", "bjørn@b"],
    ["a\xff@b", "a\\xff@b"],
    ["a\nb\x1b[2J", "a\\u{a}b\\u{1b}[2J"],
    ["\xe2\x80\xaetxt", "\\u{202e}txt"],
  ] as const;
  for (const [octets, want] of rows) it(`shows ${JSON.stringify(octets)}`, () => assertEquals(textOf(octets), want));

  it("shows the null reverse-path as <>", () => assertEquals([addressOf(""), addressOf("a@b")], ["<>", "a@b"]));

  it("leaves no character that misleads, whatever the octets", () => {
    const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
    fc.assert(fc.property(octets, (text) => {
      const shown = textOf(text);
      // deno-lint-ignore no-control-regex
      assert(!/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.test(shown));
      assertEquals(harmless(shown), shown);
    }));
  });
});
