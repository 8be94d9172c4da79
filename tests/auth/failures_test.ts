/** Failed logins: delays, lock-outs, and what takes them back; time is an argument. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  clientOf,
  Failures,
  mostByClient,
  mostByLogin,
  mostDelayMs,
  mostRecords,
  windowMs,
} from "../../components/auth/failures.ts";

const times = (count: number, deed: (n: number) => void) => {
  for (let n = 0; n < count; n++) deed(n);
};

describe("failed logins", () => {
  it("are held back, each longer than the one before, up to a limit", () => {
    const failures = new Failures();
    const delays = Array.from({ length: 8 }, () => failures.failed("c", "amy", 0));
    assertEquals(delays, [500, 1000, 2000, 4000, 8000, mostDelayMs, mostDelayMs, mostDelayMs]);
  });

  it("of one client lock it out, whatever names it tries, and nobody else", () => {
    const failures = new Failures();
    times(mostByClient, (n) => {
      assert(!failures.isLocked("c", "amy", n));
      failures.failed("c", `user${n}`, n);
    });
    assert(failures.isLocked("c", "amy", mostByClient));
    assert(!failures.isLocked("d", "amy", mostByClient));
  });

  it("of one login lock it, wherever they come from", () => {
    const failures = new Failures();
    times(mostByLogin, (n) => failures.failed(`c${n}`, "amy", n));
    assert(failures.isLocked("elsewhere", "amy", mostByLogin));
    assert(!failures.isLocked("elsewhere", "bob", mostByLogin));
  });

  it("do not lock a user out of where he has logged in before, but for his own", () => {
    const failures = new Failures();
    failures.succeeded("home", "amy", 0);
    times(mostByLogin, (n) => failures.failed(`c${n}`, "amy", n));
    assert(!failures.isLocked("home", "amy", mostByLogin));
    assertEquals(failures.failed("home", "amy", mostByLogin), 500);
    times(mostByClient - 1, (n) => failures.failed("home", "amy", mostByLogin + n));
    assert(failures.isLocked("home", "amy", 2 * mostByLogin));
  });

  it("are forgotten a while after the last one", () => {
    const failures = new Failures();
    times(mostByClient, () => failures.failed("c", "amy", 1000));
    assert(failures.isLocked("c", "amy", 1000 + windowMs - 1));
    assert(!failures.isLocked("c", "amy", 1000 + windowMs));
    assertEquals(failures.failed("c", "amy", 1000 + windowMs), 500);
  });

  it("are taken back by a success of that client with that login, and by no other", () => {
    const failures = new Failures();
    times(mostByClient - 1, () => failures.failed("c", "amy", 0));
    failures.succeeded("c", "amy", 1);
    assertEquals(failures.failed("c", "amy", 2), 500);
    const guesser = new Failures();
    times(mostByClient, (n) => {
      guesser.failed("c", `victim${n}`, n);
      guesser.succeeded("c", "own", n);
    });
    assert(guesser.isLocked("c", "own", mostByClient));
  });

  it("take a bounded number of records, the oldest of which go", () => {
    const failures = new Failures();
    times(3 * mostRecords, (n) => {
      failures.failed(`c${n}`, `u${n}`, n);
      failures.succeeded(`d${n}`, `v${n}`, n);
    });
    assertEquals(failures.size, 4 * mostRecords);
    const last = 3 * mostRecords - 1;
    assertEquals(failures.failed(`c${last}`, "another", last), 1000);
    assertEquals(failures.failed("c0", "yet another", last), 500);
  });

  it("never count below nothing nor above what happened", () => {
    const event = fc.record({
      client: fc.constantFrom("a", "b"),
      login: fc.constantFrom("x", "y", "__proto__"),
      fails: fc.boolean(),
      after: fc.nat(windowMs),
    });
    fc.assert(fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const failures = new Failures();
      let nowMs = 0;
      let failed = 0;
      for (const { client, login, fails, after } of events) {
        nowMs += after;
        if (!fails) failures.succeeded(client, login, nowMs);
        else {
          failed++;
          const delayMs = failures.failed(client, login, nowMs);
          assert(delayMs >= 500 && delayMs <= Math.min(mostDelayMs, 500 * 2 ** (failed - 1)));
        }
        if (failed < mostByClient) assert(!failures.isLocked(client, login, nowMs));
      }
    }));
  });
});

describe("clientOf()", () => {
  const rows = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", clientOf("2001:db8:0:0:ffff::2")],
    ["unknown", "unknown"],
    ["", ""],
    ["a b", "a_b"],
  ] as const;
  for (const [ip, want] of rows) {
    it(`takes ${JSON.stringify(ip)} for ${want}`, () => assertEquals(clientOf(ip), want));
  }

  it("parts networks of 64 bits", () => assert(clientOf("2001:db8::1") !== clientOf("2001:db8:0:1::1")));
});
