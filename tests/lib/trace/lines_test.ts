import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { eventOf } from "../../../components/lib/trace/event_of.ts";
import { parseLogLine } from "../../../components/lib/trace/lines.ts";
import { parseMessageTrace } from "../../../components/lib/wire/trace_protocol.ts";
import { formatTai64n, parseTai64n } from "../../../components/lib/trace/tai64n.ts";

const atMs = Date.UTC(2026, 10, 23, 5, 28, 35, 123);
const time = "2026-11-23T05:28:35.123Z";

describe("parseLogLine()", () => {
  const rows: readonly { line: string; want?: { component: string; text: string } }[] = [
    { line: `${time} qmail-send: new msg 7`, want: { component: "qmail-send", text: "new msg 7" } },
    { line: `${time} qmail-smtpd-2: closed ip=::1`, want: { component: "qmail-smtpd-2", text: "closed ip=::1" } },
    {
      line: `${time} restart component=auth code=1`,
      want: { component: "supervisor", text: "restart component=auth code=1" },
    },
    { line: `${time} alert: supervisor: no`, want: { component: "supervisor", text: "alert: supervisor: no" } },
    { line: `${time} warning: no: no`, want: { component: "supervisor", text: "warning: no: no" } },
    { line: `${time} reloaded`, want: { component: "supervisor", text: "reloaded" } },
    {
      line: "2026-11-23T06:28:35.123456+0100 host dqmail-qmail-send[12]: new msg 7",
      want: { component: "qmail-send", text: "new msg 7" },
    },
    {
      line: `{"time":"${time}","component":"qmail-send","event":"new","msg":7}`,
      want: { component: "qmail-send", text: "new msg=7" },
    },
    {
      line: `{"time":"${time}","component":"auth","event":"warning","text":"a\\nb\\u00e4"}`,
      want: { component: "auth", text: "warning: a/b_" },
    },
    { line: `{"time":"${time}","event":"log","text":"reloaded"}`, want: { component: "supervisor", text: "reloaded" } },
    ...["", "new msg 7", `${time.slice(0, 9)}`, "{", "{}", "[1]", `{"time":"then"}`, `{"time":7}`].map((line) => ({
      line,
    })),
  ];
  for (const { line, want } of rows) {
    it(`of ${JSON.stringify(line.slice(0, 70))}`, () => {
      const read = parseLogLine(line);
      assertEquals(read && { atMs: read.atMs, component: read.component, text: read.text }, want && { atMs, ...want });
    });
  }
});

/** The same events in both forms of the log. */
const sendRows: readonly { text: string; json?: object; want: object }[] = [
  { text: "new msg 7", json: { event: "new", msg: 7 }, want: { kind: "new", message: 7 } },
  {
    text: "info msg 7: bytes 340 from <amy@a.example> qp 4896 uid 1000",
    json: { event: "info", msg: 7, bytes: 340, from: "amy@a.example", qp: 4896, uid: 1000 },
    want: { kind: "info", message: 7, bytes: 340, sender: "amy@a.example", qp: 4896 },
  },
  {
    text: "info msg 7: bytes 340 from <> qp 4896 uid 1000",
    json: { event: "info", msg: 7, bytes: 340, from: "", qp: 4896, uid: 1000 },
    want: { kind: "info", message: 7, bytes: 340, sender: "", qp: 4896 },
  },
  {
    text: "starting delivery 3: msg 7 to remote bob@b.example",
    json: { event: "starting", delivery: 3, msg: 7, channel: "remote", to: "bob@b.example" },
    want: { kind: "starting", delivery: 3, message: 7, channel: "remote", recipient: "bob@b.example" },
  },
  {
    text:
      "delivery 3: deferral: 127.0.0.1_does_not_like_recipient./Remote_host_said:_450_later/Giving_up_on_127.0.0.1./",
    json: {
      event: "delivery",
      delivery: 3,
      result: "deferral",
      report: "127.0.0.1 does not like recipient.\nRemote host said: 450 later\nGiving up on 127.0.0.1.\n",
    },
    want: { kind: "deferral", delivery: 3, reply: 450 },
  },
  {
    text: "delivery 3: failure: Sorry,_starting_delivery_9:_msg_9_to_local_x/",
    json: { event: "delivery", delivery: 3, result: "failure", report: "Sorry, Remote host said 550" },
    want: { kind: "failure", delivery: 3 },
  },
  {
    text: "tls delivery 3: TLSv1.3 verified delivery 4: success: x",
    json: { event: "tls", delivery: 3, tls: "TLSv1.3 verified delivery 4: success: x" },
    want: { kind: "tls", delivery: 3, tls: "TLSv1.3 verified delivery 4: success: x" },
  },
  {
    text: "later msg 7: remote at 2026-11-23T05:28:35Z",
    json: { event: "later", msg: 7, channel: "remote", at: "2026-11-23T05:28:35Z" },
    want: { kind: "other", message: 7, channel: "remote", nextMs: atMs - 123 },
  },
  { text: "bounce msg 7 qp 5", json: { event: "bounce", msg: 7, qp: 5 }, want: { kind: "bounce", message: 7, qp: 5 } },
  {
    text: "report msg 7 qp 5: delay",
    json: { event: "report", msg: 7, qp: 5, kind: "delay" },
    want: { kind: "report", message: 7, qp: 5 },
  },
  { text: "end msg 7", json: { event: "end", msg: 7 }, want: { kind: "end", message: 7 } },
  {
    text: "command action=hold message=7 result=held",
    json: { event: "command", action: "hold", message: 7, result: "held" },
    want: { kind: "command", message: 7 },
  },
  {
    text: "warning: trouble marking remote/7: no; message will be delivered twice!",
    json: { event: "warning", text: "trouble marking remote/7: no; message will be delivered twice!" },
    want: { kind: "trouble", message: 7 },
  },
  { text: "status: local 0/10 remote 0/20", want: { kind: "other" } },
  { text: "new msg x", want: { kind: "other" } },
];

const otherRows: readonly { component: string; text: string; want: object }[] = [
  {
    component: "qmail-smtpd",
    text: "accepted ip=127.0.0.1 from=<amy@a.example> rcpts=1 bytes=5 qp=4896 by=relay",
    want: { kind: "accepted", ip: "127.0.0.1", sender: "amy@a.example", bytes: 5, qp: 4896, rule: "relay" },
  },
  {
    component: "qmail-smtpd-2",
    text: "refused-rcpt ip=::1 from=<> to=<x@y> reason=rcpthosts",
    want: { kind: "refused", ip: "::1", sender: "", recipient: "x@y", rule: "rcpthosts" },
  },
  {
    component: "qmail-smtpd",
    text: "tls ip=::1 protocol=TLSv1.3 cipher=AES",
    want: { kind: "connection", ip: "::1", tls: "TLSv1.3 AES" },
  },
  {
    component: "qmail-smtpd",
    text: "login ip=::1 user=amy mechanism=plain",
    want: { kind: "connection", ip: "::1", login: "amy" },
  },
  {
    component: "verify",
    text: "verified ip=::1 from=amy@a spf=pass",
    want: { kind: "filter", ip: "::1", sender: "amy@a" },
  },
  {
    component: "milter",
    text: "refused filter=milter ip=::1 sender=amy@a recipients=1 code=31 reason=no",
    want: { kind: "refused", ip: "::1", sender: "amy@a" },
  },
  { component: "qmail-local", text: "refused file=x reason=y", want: { kind: "other" } },
  { component: "auth", text: "alert: no", want: { kind: "trouble" } },
];

describe("eventOf()", () => {
  for (const { text, json, want } of sendRows) {
    it(`reads "${text.slice(0, 40)}" of qmail-send`, () => {
      const event = eventOf(parseLogLine(`${time} qmail-send: ${text}`)!);
      assertEquals(event, { atMs, component: "qmail-send", text, tie: "number", ...want } as typeof event);
    });
    if (json === undefined) continue;
    it(`and as JSON`, () => {
      const { text: _, ...event } = eventOf(parseLogLine(JSON.stringify({ time, component: "qmail-send", ...json }))!);
      assertEquals({ ...event }, { atMs, component: "qmail-send", tie: "number", ...want } as typeof event);
    });
  }
  for (const { component, text, want } of otherRows) {
    it(`reads "${text.slice(0, 40)}" of ${component}`, () => {
      const event = eventOf(parseLogLine(`${time} ${component}: ${text}`)!);
      assertEquals(event, { atMs, component, text, tie: "number", ...want } as typeof event);
    });
  }

  it("makes of any line what the protocol takes, and nothing that a terminal or a page could run", () => {
    const anyText = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(...sendRows.map(({ text }) => text), ...otherRows.map(({ text }) => text)),
    );
    const anyJson = fc.dictionary(
      fc.constantFrom("event", "msg", "text", "report", "from", "qp", "tls", "at"),
      fc.jsonValue(),
    );
    const anyLine = fc.oneof(
      fc.tuple(fc.constantFrom("qmail-send", "qmail-smtpd", "verify", "auth"), anyText).map((said) =>
        `${time} ${said.join(": ")}`
      ),
      anyJson.map((fields) => JSON.stringify({ time, component: "qmail-send", ...fields })),
      fc.string({ unit: "binary" }),
    );
    fc.assert(fc.property(anyLine, (line) => {
      const read = parseLogLine(line);
      if (read === undefined) return;
      const head = { whole: true, oldestMs: 0, message: 1, life: 1, lives: 1, events: [eventOf(read)], cut: false };
      const parsed = parseMessageTrace({ head: JSON.parse(JSON.stringify(head)), body: new Uint8Array() });
      assertEquals(parsed.events.length, 1);
    }));
  });
});

describe("TAI64N labels", () => {
  it("are daemontools'", () => assertEquals(formatTai64n(0), "@400000000000000a00000000"));
  it("are read back, and sort as the times do", () => {
    fc.assert(fc.property(fc.nat(2 ** 42), fc.nat(2 ** 42), (one, other) => {
      assertEquals(parseTai64n(formatTai64n(one)), one);
      assertEquals(formatTai64n(one) < formatTai64n(other), one < other);
    }));
  });
  it("refuse anything else", () => assertEquals(parseTai64n("@4000"), undefined));
});
