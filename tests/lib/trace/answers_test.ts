import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { oldestMs, tail, traceAddress, traceMessage } from "../../../components/lib/trace/answers.ts";
import { backwards, forwards, type LogText } from "../../../components/lib/trace/search.ts";
import { outcome, stamped, textLog } from "./text_log.ts";

const enough = () => 0;

/** A life from the client's connection to the end, among others' lines; an earlier life of its number in front of it. */
const story = [
  "qmail-send: new msg 7",
  "qmail-send: info msg 7: bytes 1 from <old@a.example> qp 11 uid 1",
  "qmail-send: starting delivery 1: msg 7 to local old@b.example",
  "qmail-send: delivery 1: success: did_1+0+0/",
  "qmail-send: end msg 7",
  "qmail-smtpd: tls ip=192.0.2.1 protocol=TLSv1.3 cipher=AES",
  "qmail-smtpd: tls ip=192.0.2.2 protocol=TLSv1.2 cipher=AES",
  "qmail-smtpd: refused-rcpt ip=192.0.2.1 from=<amy@a.example> to=<no@b.example> reason=mailbox",
  "verify: verified ip=192.0.2.1 from=amy@a.example spf=pass",
  "verify: verified ip=192.0.2.1 from=eve@a.example spf=fail",
  "qmail-send: new msg 7",
  "qmail-send: info msg 7: bytes 340 from <amy@a.example> qp 12 uid 2",
  "qmail-smtpd: accepted ip=192.0.2.1 from=<amy@a.example> rcpts=2 bytes=340 qp=12",
  "qmail-smtpd: accepted ip=192.0.2.1 from=<amy@a.example> rcpts=2 bytes=340 qp=123",
  "qmail-send: starting delivery 2: msg 7 to local joe-bob@b.example",
  "qmail-send: starting delivery 3: msg 7 to remote Cat@C.example",
  "qmail-send: starting delivery 4: msg 77 to local x@b.example",
  "qmail-send: delivery 4: success: of_another/",
  "qmail-send: tls delivery 3: TLSv1.3 verified",
  "qmail-send: delivery 3: deferral: 127.0.0.9_does_not_like_recipient./Remote_host_said:_450_4.2.0_later/",
  "qmail-send: later msg 7: remote at 2026-11-23T01:00:00Z",
  "qmail-send: delivery 2: success: did_1+0+0/",
  "qmail-send: command action=retry message=7 result=tried_now",
  "qmail-send: starting delivery 30: msg 7 to remote Cat@C.example",
  "qmail-send: delivery 30: failure: Remote_host_said:_550_5.1.1_no/",
  "qmail-send: bounce msg 7 qp 13",
  "qmail-send: end msg 7",
];

/** The same as a JSON log. */
const jsonLife = [
  { component: "qmail-send", event: "new", msg: 7 },
  { component: "qmail-send", event: "info", msg: 7, bytes: 3, from: "amy@a.example", qp: 12, uid: 0 },
  { component: "qmail-smtpd", event: "accepted", ip: "::1", from: "<amy@a.example>", rcpts: 1, bytes: 3, qp: 12 },
  { component: "qmail-send", event: "starting", delivery: 1, msg: 7, channel: "local", to: "bob@b" },
  {
    component: "qmail-send",
    event: "delivery",
    delivery: 1,
    msg: 7,
    channel: "local",
    to: "bob@b",
    report: "did\n",
    result: "success",
  },
  { component: "qmail-send", event: "end", msg: 7 },
].map((fields, at) => JSON.stringify({ time: new Date(at * 1000).toISOString(), ...fields }) + "\n").join("");

describe("traceMessage()", () => {
  it("tells a life from the client's handshake to the end, each line in its place", () => {
    const trace = outcome(traceMessage(textLog(stamped(story)), 7, 1, enough));
    assertEquals(trace.events.map(({ kind, tie }) => tie === "likely" ? `${kind}?` : kind), [
      ...["connection?", "refused?", "filter?", "new", "info", "accepted", "starting", "starting", "tls", "deferral"],
      ...["other", "delivered", "command", "starting", "failure", "bounce", "end"],
    ]);
    assertEquals([trace.life, trace.lives, trace.whole, trace.cut], [1, 2, true, false]);
    const deferral = trace.events.find(({ kind }) => kind === "deferral")!;
    assertEquals(deferral.reply, 450);
    assertEquals(deferral.recipient, "Cat@C.example");
    assertEquals(deferral.nextMs, Date.UTC(2026, 10, 23, 1));
    assertEquals(trace.events[0]!.tls, "TLSv1.3 AES");
  });

  it("tells an earlier life of the number when it is asked for", () => {
    const trace = outcome(traceMessage(textLog(stamped(story)), 7, 2, enough));
    assertEquals(trace.events.map(({ kind }) => kind), ["new", "info", "starting", "delivered", "end"]);
  });

  it("tells nothing of a number that is in no line, or of a life there was not", () => {
    for (const [message, life] of [[8, 1], [7, 3]] as const) {
      assertEquals(outcome(traceMessage(textLog(stamped(story)), message, life, enough)).events, []);
    }
    assertEquals(outcome(traceMessage(textLog(""), 7, 1, enough)).oldestMs, 0);
  });

  it("tells a life whose beginning has been rotated away", () => {
    const log = textLog(stamped(story.slice(2, 12)));
    const trace = outcome(traceMessage(log, 7, 2, enough));
    assertEquals(trace.events.map(({ kind }) => kind), ["starting", "delivered", "end"]);
    assertEquals(trace.lives, 2);
  });

  it("gives no delivery the end of another that has its number after a restart of qmail-send", () => {
    const lines = [
      "qmail-send: new msg 7",
      "qmail-send: starting delivery 1: msg 7 to local a@b",
      "restart component=qmail-send code=1 signal=none ranms=1 delayms=0",
      "qmail-send: starting delivery 1: msg 8 to local a@b",
      "qmail-send: delivery 1: success: of_8/",
      "qmail-send: starting delivery 2: msg 7 to local a@b",
      "qmail-send: delivery 2: success: of_7/",
    ];
    const trace = outcome(traceMessage(textLog(stamped(lines)), 7, 1, enough));
    assertEquals(trace.events.map(({ text }) => text.split(" ").slice(0, 2).join(" ")), [
      ...["new msg", "starting delivery", "starting delivery", "delivery 2:"],
    ]);
  });

  it("reads a JSON log, and one that was text before", () => {
    const front = stamped(story.slice(0, 5), Date.UTC(1969, 0));
    for (const text of [jsonLife, front + jsonLife]) {
      const trace = outcome(traceMessage(textLog(text), 7, 1, enough));
      assertEquals(trace.events.map(({ kind }) => kind), ["new", "info", "accepted", "starting", "delivered", "end"]);
    }
  });

  it("says when it could not look at all, and ends in few steps then", () => {
    const many = stamped([
      ...story,
      ...Array.from({ length: 40_000 }, () => "qmail-clean: cleaned 123456789 in some time"),
    ]);
    let steps = 0;
    const search = traceMessage(textLog(many), 7, 1, () => steps > 0 ? 2 : 0);
    while (search.next().done !== true && steps < 10) steps++;
    assert(steps < 5);
    const trace = outcome(traceMessage(textLog(many), 7, 1, () => 2));
    assertEquals([trace.whole, trace.events], [false, []]);
    assert(trace.oldestMs > Date.UTC(2026, 10, 23));
  });

  it("keeps the first and the last of very many events", () => {
    const lines = Array.from(
      { length: 3000 },
      (_, at) => `qmail-send: starting delivery ${at + 1}: msg 7 to local ${at}@b`,
    );
    const trace = outcome(traceMessage(textLog(stamped(["qmail-send: new msg 7", ...lines])), 7, 1, enough));
    assertEquals([trace.cut, trace.events.length, trace.events[0]!.kind], [true, 2000, "new"]);
    assertEquals(trace.events.at(-1)!.recipient, "2999@b");
  });
});

describe("traceAddress()", () => {
  const of = (address: string, count = 10) => outcome(traceAddress(textLog(stamped(story)), address, count, enough));

  it("tells the lives a sender or a recipient took part in, in any case", () => {
    assertEquals(
      of("AMY@a.example").lives.map(({ life, qp, delivered, deferred, failed, ended, recipients }) => ({
        life,
        qp,
        delivered,
        deferred,
        failed,
        ended,
        recipients,
      })),
      [{
        ...{ life: 1, qp: 12, delivered: 1, deferred: 1, failed: 1, ended: true },
        recipients: ["joe-bob@b.example", "Cat@C.example"],
      }],
    );
    assertEquals(of("cat@c.example").lives.map(({ message, life }) => [message, life]), [[7, 1]]);
    assertEquals(of("old@b.example").lives.map(({ message, life }) => [message, life]), [[7, 2]]);
    assertEquals(of("@b.example").lives.map(({ message, life }) => [message, life]), [[7, 1], [77, 1], [7, 2]]);
  });

  it("knows a recipient behind the prefix of control/virtualdomains", () => {
    assertEquals(of("bob@b.example").lives.map(({ life }) => life), [1]);
  });

  it("tells what was refused, the newest first, and is not fooled by a part of an address", () => {
    assertEquals(of("no@b.example").refusals.map(({ rule }) => rule), ["mailbox"]);
    assertEquals([of("o@b.example").refusals, of("at@c.example").lives, of("").lives], [[], [], []]);
  });

  it("stops where it has as many as were asked for", () => {
    const few = of("@b.example", 1);
    assertEquals([few.lives.length, few.whole], [1, false]);
  });
});

describe("tail()", () => {
  const log = textLog(stamped(story));
  const texts = (options: Parameters<typeof tail>[1]) =>
    outcome(tail(log, options, enough)).lines.map(({ text }) => text);

  it("tells the newest lines, of one component, or with a word in any case", () => {
    assertEquals(texts({ count: 2 }), ["bounce msg 7 qp 13", "end msg 7"]);
    assertEquals(texts({ count: 1, component: "verify" }), ["verified ip=192.0.2.1 from=eve@a.example spf=fail"]);
    assertEquals(texts({ count: 9, contains: "EVE@" }), ["verified ip=192.0.2.1 from=eve@a.example spf=fail"]);
    assertEquals(outcome(tail(log, { count: 9, contains: "eve@" }, enough)).whole, true);
  });

  it("begins where it is told to", () => {
    assertEquals(texts({ count: 99, from: log.size }), []);
    assertEquals(texts({ count: 99, from: log.size - stamped(story.slice(-1)).length }).length, 1);
  });
});

describe("a search", () => {
  it("meets each line once and whole, wherever blocks are cut", () => {
    const anyLines = fc.array(fc.constantFrom("", "a", "needle", "x needle needle", "y".repeat(30)), { maxLength: 30 });
    fc.assert(fc.property(anyLines, fc.integer({ min: 40, max: 90 }), fc.boolean(), (lines, blockBytes, all) => {
      const log: LogText = textLog(lines.map((line) => `${line}\n`).join(""));
      const words = all ? [] : ["needle", "x n"];
      const want = lines.filter((line) => all || line.includes("needle"));
      const back = [...backwards(log, words, { blockBytes })].flatMap(({ hits }) => hits);
      const forth = [...forwards(log, words, { blockBytes })].flatMap(({ hits }) => hits);
      assertEquals(back.map(({ line }) => line).reverse(), want);
      assertEquals(forth.map(({ line }) => line), want);
      assertEquals(back.map(({ at }) => at).reverse(), forth.map(({ at }) => at));
    }));
  });

  it("ends, and throws nothing, whatever the log holds and whatever is asked", () => {
    const anyLine = fc.oneof(
      fc.constantFrom(...story),
      fc.constantFrom(...story).map((line) => line.slice(0, line.length / 2)),
      fc.string({ unit: "binary" }),
    );
    fc.assert(fc.property(fc.array(anyLine, { maxLength: 40 }), fc.boolean(), (lines, json) => {
      const log = textLog(json ? lines.join("\n") + jsonLife : stamped(lines));
      outcome(traceMessage(log, 7, 1, enough));
      outcome(traceAddress(log, "@b.example", 5, enough));
      outcome(tail(log, { count: 5 }, enough));
      oldestMs(log);
    }));
  });
});
