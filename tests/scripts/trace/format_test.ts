import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import type { LifeSummary, TraceEvent } from "../../../components/lib/trace/event.ts";
import { formatAddress, formatMessage } from "../../../scripts/trace/format.ts";

const atMs = Date.UTC(2026, 10, 23, 5, 28, 35, 123);
const end: TraceEvent = { atMs, component: "qmail-send", kind: "end", text: "end msg 7", tie: "number" };
const verified: TraceEvent = { atMs, component: "verify", kind: "filter", text: "verified spf=pass", tie: "likely" };
const life: LifeSummary = {
  ...{ message: 7, life: 1, sender: "", recipients: ["a@b", "c@d"], recipientCount: 5, firstMs: atMs, lastMs: atMs },
  ...{ ended: false, delivered: 0, deferred: 2, failed: 0 },
};
const message = { message: 7, life: 1, lives: 1, events: [end], cut: false, whole: true, oldestMs: 0 };

describe("a trace for people", () => {
  it("has a line for each event", () => {
    assertEquals(formatMessage(message), "Message 7\n2026-11-23 05:28:35.123    qmail-send   end msg 7");
  });

  it("says what is only likely, what else there is, and what was not looked at", () => {
    const trace = { ...message, life: 2, lives: 3, events: [verified, end], cut: true, whole: false, oldestMs: atMs };
    assertEquals(formatMessage(trace).split("\n"), [
      "Message 7, life 2 of its number",
      "2026-11-23 05:28:35.123  ~ verify       verified spf=pass",
      "2026-11-23 05:28:35.123    qmail-send   end msg 7",
      "",
      "There are more events than these 2; some in the middle are left out.",
      "",
      "~ by the client's address, the sender and the time: another message's, perhaps",
      "",
      "1 earlier with this number: --life 3",
      "",
      "The log was looked through back to 2026-11-23 05:28:35.123 only.",
    ]);
  });

  it("lists an address's messages, and what was refused", () => {
    const lives = [life, { ...life, life: 2, sender: "e@f", recipientCount: 2, ended: true, delivered: 2 }];
    assertEquals(formatAddress({ lives, refusals: [verified], whole: true, oldestMs: 0 }).split("\n"), [
      "time (UTC)               message     from  to                  state",
      "2026-11-23 05:28:35.123  7           <>    a@b c@d and 3 more  2 deferred, in the queue",
      "2026-11-23 05:28:35.123  7 --life 2  e@f   a@b c@d             2 delivered, 2 deferred, ended",
      "",
      "Refused:",
      "2026-11-23 05:28:35.123  ~ verify       verified spf=pass",
    ]);
  });
});
