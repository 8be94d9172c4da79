import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  deliveryLine,
  infoLine,
  newLine,
  safe,
  startingLine,
  statusLine,
} from "../../components/qmail-send/log_lines.ts";
import { type Retry, RetryQueue } from "../../components/qmail-send/retry_queue.ts";
import { nextAttempt, retryAfterLoss } from "../../components/qmail-send/timing.ts";
import { bounceAddress, expandVerp, wantsVerp } from "../../components/qmail-send/verp.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

describe("nextAttempt()", () => {
  /** The reference's table: attempt k, seconds after birth. */
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

describe("RetryQueue", () => {
  const anyRetries = fc.array(fc.nat(50)).map((times) =>
    times.map((atSeconds, id): Retry => ({ atSeconds, id, channel: "local" }))
  );
  const drain = (queue: RetryQueue, now: number) => {
    const taken: Retry[] = [];
    for (let retry = queue.takeDue(now); retry !== undefined; retry = queue.takeDue(now)) taken.push(retry);
    return taken;
  };
  const byId = (retries: readonly Retry[]) => retries.map(({ id }) => id).sort((a, b) => a - b);

  it("gives what is due, earliest first, each once, and keeps the rest", () => {
    fc.assert(fc.property(anyRetries, fc.nat(50), (retries, now) => {
      const queue = new RetryQueue();
      retries.forEach((retry) => queue.add(retry));
      const due = retries.filter(({ atSeconds }) => atSeconds <= now);
      const taken = drain(queue, now);
      assertEquals(
        taken.map(({ atSeconds }) => atSeconds),
        due.map(({ atSeconds }) => atSeconds).sort((a, b) => a - b),
      );
      assertEquals(byId(taken), byId(due));
      const later = retries.filter(({ atSeconds }) => atSeconds > now).map(({ atSeconds }) => atSeconds);
      assertEquals([queue.size, queue.earliest], [later.length, later.length === 0 ? undefined : Math.min(...later)]);
    }));
  });

  it("agrees with sorting whatever is added and taken in between", () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean())), (steps) => {
      const queue = new RetryQueue();
      const model: number[] = [];
      for (const [id, [atSeconds, takes]] of steps.entries()) {
        queue.add({ atSeconds, id, channel: "remote" });
        model.push(atSeconds);
        model.sort((a, b) => a - b);
        if (takes) assertEquals(queue.takeDue(50)?.atSeconds, model.shift());
        assertEquals(queue.earliest, model[0]);
      }
    }));
  });

  it("makes everything due at once", () => {
    fc.assert(fc.property(anyRetries, fc.nat(50), (retries, now) => {
      const queue = new RetryQueue();
      retries.forEach((retry) => queue.add(retry));
      queue.allDue(now);
      assertEquals(byId(drain(queue, now)), byId(retries));
    }));
  });
});

describe("log lines", () => {
  const rows = [
    { line: newLine(2189625), want: "new msg 2189625" },
    {
      line: infoLine(2189625, 101, "joe@localhost", 27488, 0),
      want: "info msg 2189625: bytes 101 from <joe@localhost> qp 27488 uid 0",
    },
    {
      line: startingLine(9, 2189625, "local", "games-virt-info@virt.example"),
      want: "starting delivery 9: msg 2189625 to local games-virt-info@virt.example",
    },
    {
      line: deliveryLine(10, "D", "Sorry, no mailbox here by that name. (#5.1.1)\n"),
      want: "delivery 10: failure: Sorry,_no_mailbox_here_by_that_name._(#5.1.1)/",
    },
    {
      line: deliveryLine(5, "D", "hard trouble\nsecond line\n"),
      want: "delivery 5: failure: hard_trouble/second_line/",
    },
    { line: deliveryLine(1, "K", "did 1+0+0\n"), want: "delivery 1: success: did_1+0+0/" },
    { line: deliveryLine(3, "Z", "temporary trouble\n"), want: "delivery 3: deferral: temporary_trouble/" },
    { line: deliveryLine(16, "D", ""), want: "delivery 16: failure: " },
    {
      line: statusLine({ local: 1, remote: 0 }, { local: 10, remote: 20 }, false),
      want: "status: local 1/10 remote 0/20",
    },
    {
      line: statusLine({ local: 0, remote: 2 }, { local: 10, remote: 20 }, true),
      want: "status: local 0/10 remote 2/20 exitasap",
    },
    {
      line: infoLine(1, 2, "a b\n@c>\nend msg 1%", 3, 4),
      want: "info msg 1: bytes 2 from <a_b/@c>/end_msg_1_> qp 3 uid 4",
    },
  ];
  for (const { line, want } of rows) it(want, () => assertEquals(line, want));

  it("make one printable word of any octets", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (octets) => assert(/^[!-$&-~]*$/.test(safe(octets)))));
  });
});
