import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatLine, type MailEvent, safe } from "../../components/qmail-send/log_lines.ts";
import { expirySeconds, nextAttempt, retryAfterLoss } from "../../components/qmail-send/timing.ts";
import { bounceAddress, expandVerp, wantsVerp } from "../../components/qmail-send/verp.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

describe("expirySeconds()", () => {
  const table = [
    { sender: "a@b", bouncelifetime: 60, want: 1700 },
    { sender: "", bouncelifetime: "queuelifetime", want: 1700 },
    { sender: "", bouncelifetime: 60, want: 1060 },
    { sender: "#@[]", bouncelifetime: 0, want: 1000 },
    { sender: "", bouncelifetime: 9000, want: 1700 },
  ] as const;
  for (const { sender, bouncelifetime, want } of table) {
    it(`gives mail from <${sender}> until ${want} with a bouncelifetime of ${bouncelifetime}`, () => {
      assertEquals(expirySeconds({ birthSeconds: 1000, sender }, { queuelifetime: 700, bouncelifetime }), want);
    });
  }
});

describe("nextAttempt()", () => {
  /** qmail's times: attempt k, seconds after birth. */
  const rows = [
    { k: 1, local: minute + 40, remote: 6 * minute + 40 },
    { k: 2, local: 6 * minute + 40, remote: 26 * minute + 40 },
    { k: 3, local: 15 * minute, remote: hour },
    { k: 4, local: 26 * minute + 40, remote: hour + 46 * minute + 40 },
    { k: 5, local: 41 * minute + 40, remote: 2 * hour + 46 * minute + 40 },
    { k: 6, local: hour, remote: 4 * hour },
    { k: 9, local: 2 * hour + 15 * minute, remote: 9 * hour },
    { k: 12, local: 4 * hour, remote: 16 * hour },
    { k: 20, local: 11 * hour + 6 * minute + 40, remote: day + 20 * hour + 26 * minute + 40 },
    { k: 38, local: day + 16 * hour + 6 * minute + 40, remote: 6 * day + 16 * hour + 26 * minute + 40 },
    { k: 39, local: day + 18 * hour + 15 * minute, remote: 7 * day + hour },
  ];
  const birth = 1_795_333_684;
  for (const { k, ...want } of rows) {
    it(`puts attempt ${k} ${want.local} s (local) and ${want.remote} s (remote) after birth`, () => {
      for (const channel of ["local", "remote"] as const) {
        let now = birth;
        for (let attempt = 0; attempt < k; attempt++) now = nextAttempt(birth, now, channel);
        assertEquals(now - birth, want[channel]);
      }
    });
  }

  it("takes a birth in the future for now", () => {
    assertEquals(nextAttempt(birth, birth - 1000, "local"), birth + 100);
  });

  it("is always later than now, and in whole seconds", () => {
    fc.assert(fc.property(fc.nat(2 ** 31), fc.nat(2 ** 31), (born, now) => {
      const next = nextAttempt(born, now, "local");
      assert(Number.isSafeInteger(next) && next > now && next > born);
    }));
  });
});

describe("retryAfterLoss()", () => {
  it("is a quarter of a second, one, four", () => assertEquals([1, 2, 3].map(retryAfterLoss), [0.25, 1, 4]));
});

describe("VERP", () => {
  const rows = [
    { sender: "list-owner-@mx.example.com-@[]", to: "ok1@r.example", want: "list-owner-ok1=r.example@mx.example.com" },
    { sender: "list-owner-@mx.example.com-@[]", to: "a@b@r.example", want: "list-owner-a@b=r.example@mx.example.com" },
    { sender: "list-owner-@mx.example.com-@[]", to: "nohost", want: "list-owner-@mx.example.com-@[]" },
    { sender: "joe@localhost", to: "ok1@r.example", want: "joe@localhost" },
    { sender: "", to: "ok1@r.example", want: "" },
    { sender: "#@[]", to: "ok1@r.example", want: "#@[]" },
    { sender: "nohost-@[]", to: "ok1@r.example", want: "nohost-@[]" },
  ];
  for (const { sender, to, want } of rows) {
    it(`<${sender}> goes to ${to} as <${want}>`, () => assertEquals(expandVerp(sender, to), want));
  }

  it("sends a bounce of the whole to the sender without its mark", () => {
    assertEquals(bounceAddress("list-owner-@mx.example.com-@[]"), "list-owner-@mx.example.com");
    for (const sender of ["joe@localhost", "", "#@[]", "nohost-@[]"]) {
      assertEquals([bounceAddress(sender), wantsVerp(sender)], [sender, false]);
    }
  });
});

describe("log lines", () => {
  const limits = { local: 10, remote: 20 };
  const delivery = { event: "delivery", msg: 1, channel: "local", to: "a@b" } as const;
  const rows: { event: MailEvent; want: string }[] = [
    { event: { event: "new", msg: 2189625 }, want: "new msg 2189625" },
    {
      event: { event: "info", msg: 2189625, bytes: 101, from: "joe@localhost", qp: 27488, uid: 0 },
      want: "info msg 2189625: bytes 101 from <joe@localhost> qp 27488 uid 0",
    },
    {
      event: { event: "starting", delivery: 9, msg: 2189625, channel: "local", to: "games-virt-info@virt.example" },
      want: "starting delivery 9: msg 2189625 to local games-virt-info@virt.example",
    },
    {
      event: { ...delivery, delivery: 10, verdict: "D", report: "Sorry, no mailbox here by that name. (#5.1.1)\n" },
      want: "delivery 10: failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/",
    },
    {
      event: { ...delivery, delivery: 5, verdict: "D", report: "hard trouble\nsecond line\n" },
      want: "delivery 5: failure: hard_trouble/second_line/",
    },
    {
      event: { ...delivery, delivery: 1, verdict: "K", report: "did 1+0+0\n" },
      want: "delivery 1: success: did_1+0+0/",
    },
    {
      event: { ...delivery, delivery: 3, verdict: "Z", report: "temporary trouble\n" },
      want: "delivery 3: deferral: temporary_trouble/",
    },
    { event: { ...delivery, delivery: 16, verdict: "D", report: "" }, want: "delivery 16: failure: " },
    {
      event: { event: "status", running: { local: 1, remote: 0 }, limits, exiting: false },
      want: "status: local 1/10 remote 0/20",
    },
    {
      event: { event: "status", running: { local: 0, remote: 2 }, limits, exiting: true },
      want: "status: local 0/10 remote 2/20 exitasap",
    },
    { event: { event: "bounce", msg: 2189625, qp: 27499 }, want: "bounce msg 2189625 qp 27499" },
    { event: { event: "triple bounce", msg: 2189625 }, want: "triple bounce: discarding bounce/2189625" },
    { event: { event: "double bounce", msg: 2189625 }, want: "double bounce: discarding bounce/2189625" },
    { event: { event: "report", msg: 2189625, qp: 4896, kind: "delay" }, want: "report msg 2189625 qp 4896: delay" },
    {
      event: { event: "tls", delivery: 12, msg: 1, tls: "TLSv1.3 TLS_AES_256_GCM_SHA384, dane\xff" },
      want: "tls delivery 12: TLSv1.3 TLS_AES_256_GCM_SHA384, dane_",
    },
    { event: { event: "end", msg: 2189625 }, want: "end msg 2189625" },
    {
      event: { event: "info", msg: 1, bytes: 2, from: "a b\n@c>\nend msg 1%", qp: 3, uid: 4 },
      want: "info msg 1: bytes 2 from <a_b/@c>/end_msg_1_> qp 3 uid 4",
    },
  ];
  for (const { event, want } of rows) it(want, () => assertEquals(formatLine(event), want));

  it("make one printable word of any octets", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (octets) => assert(/^[!-$&-~]*$/.test(safe(octets)))));
  });
});
