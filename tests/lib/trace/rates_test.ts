import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { countLines, RateCounter } from "../../../components/lib/trace/rates.ts";

const time = "2026-11-23T05:28:35.123Z";
const text = (component: string, said: string) => `${time} ${component}: ${said}\n`;
const json = (fields: object) => `${JSON.stringify({ time, ...fields })}\n`;
const send = { component: "qmail-send" };

const rows: readonly { line: string; want: readonly string[] }[] = [
  { line: text("qmail-smtpd", "accepted ip=::1 from=<a@b> rcpts=1 bytes=5 qp=1"), want: ["accepted"] },
  { line: text("qmail-qmqpd", "accepted ip=::1 from=<a@b> rcpts=1 bytes=5 qp=1"), want: ["accepted"] },
  { line: text("qmail-send", "delivery 12: success: did_1+0+0/"), want: ["delivered"] },
  { line: text("qmail-send", "delivery 12: deferral: later/"), want: ["deferred"] },
  { line: text("qmail-send", "delivery 12: failure: no/"), want: ["failed"] },
  { line: text("qmail-send", "bounce msg 3 qp 4"), want: ["bounced"] },
  { line: text("qmail-smtpd-2", "refused-rcpt ip=::1 reason=rcpthosts"), want: ["refused"] },
  { line: text("milter", "refused filter=milter ip=::1"), want: ["refused"] },
  { line: `2026-11-23T06:28:35.1+0100 host dqmail-qmail-send[9]: delivery 1: success: x\n`, want: ["delivered"] },
  { line: text("qmail-send", "tls delivery 1: x: success: y: accepted ip=1"), want: [] },
  { line: text("qmail-local", "refused file=x"), want: [] },
  { line: text("qmail-send", "warning: delivery 1: success: x"), want: [] },
  { line: json({ component: "qmail-smtpd", event: "accepted", ip: "::1" }), want: ["accepted"] },
  {
    line: json({ ...send, event: "delivery", delivery: 1, report: `"result":"failure"`, result: "success" }),
    want: ["delivered"],
  },
  { line: json({ ...send, event: "delivery", result: "deferral" }), want: ["deferred"] },
  { line: json({ ...send, event: "delivery", result: "failure" }), want: ["failed"] },
  { line: json({ ...send, event: "bounce", msg: 3 }), want: ["bounced"] },
  { line: json({ component: "qmail-smtpd", event: "refused-rcpt" }), want: ["refused"] },
  { line: json({ component: "rspamd", event: "refused", filter: "rspamd" }), want: ["refused"] },
  { line: json({ component: "qmail-local", event: "refused", file: "x" }), want: [] },
];

describe("countLines()", () => {
  for (const { line, want } of rows) {
    it(`counts ${line.slice(25, 90).trim()} as ${want.join() || "nothing"}`, () => {
      const found: string[] = [];
      countLines(line, (name) => found.push(name));
      assertEquals(found, want);
    });
  }

  it("counts what came together as it counts each line alone", () => {
    for (const form of ["{", time]) {
      const lines = rows.filter(({ line }) => line.startsWith(form));
      const found: string[] = [];
      countLines(lines.map(({ line }) => line).join(""), (name) => found.push(name));
      assertEquals(found.sort(), lines.flatMap(({ want }) => want).sort());
    }
  });
});

describe("RateCounter", () => {
  it("tells sixty minutes, the last one still under way, and forgets what is older", () => {
    const counter = new RateCounter();
    const minute = 60_000;
    for (const at of [0, 1, 59, 60, 61]) counter.count(rows[0]!.line, at * minute);
    const minutes = counter.minutes(61 * minute + 5);
    assertEquals(minutes.length, 60);
    assertEquals([minutes[0]!.startMs, minutes.at(-1)!.startMs], [2 * minute, 61 * minute]);
    assertEquals(minutes.map(({ accepted }) => accepted).filter((count) => count > 0), [1, 1, 1]);
  });
});
