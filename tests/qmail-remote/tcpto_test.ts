import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Slots } from "../../components/lib/process/slots.ts";
import { spreads, TcpTimeouts } from "../../components/qmail-remote/tcpto.ts";

const minute = 60_000;
const ip = "192.0.2.1";

/** A table in which these addresses timed out at these times, in order. */
function tableOf(...timeouts: readonly (readonly [string, number])[]): TcpTimeouts {
  const table = new TcpTimeouts();
  for (const [address, atMs] of timeouts) table.timedOut(address, atMs);
  return table;
}

describe("TcpTimeouts", () => {
  const rows: {
    readonly name: string;
    readonly timeouts: readonly number[];
    readonly at: number;
    readonly spread?: number;
    readonly want: boolean;
  }[] = [
    { name: "one timeout does not count", timeouts: [0], at: 1, want: false },
    { name: "two make an address wait", timeouts: [0, 3 * minute], at: 4 * minute, want: true },
    { name: "for 64 minutes", timeouts: [0, 3 * minute], at: 67 * minute - 1, want: true },
    { name: "and no longer", timeouts: [0, 3 * minute], at: 67 * minute, want: false },
    {
      name: "unless the delivery has a longer wait",
      timeouts: [0, 3 * minute],
      at: 67 * minute,
      spread: 1,
      want: true,
    },
    { name: "of 97 minutes", timeouts: [0, 3 * minute], at: 3 * minute + 91 * 64_000 - 1, spread: 31, want: true },
    { name: "at most", timeouts: [0, 3 * minute], at: 3 * minute + 91 * 64_000, spread: 31, want: false },
    { name: "timeouts at the same time count once", timeouts: [0, 1, 2, 2 * minute - 1], at: 2 * minute, want: false },
    { name: "those two minutes apart twice", timeouts: [0, 2 * minute], at: 2 * minute, want: true },
    { name: "what does not count does not renew", timeouts: [0, 3 * minute, 4 * minute], at: 67 * minute, want: false },
    { name: "a third one starts the wait anew", timeouts: [0, 3 * minute, 70 * minute], at: 130 * minute, want: true },
  ];
  for (const { name, timeouts, at, spread = 0, want } of rows) {
    it(name, () => {
      const table = tableOf(...timeouts.map((time) => [ip, time] as const));
      assertEquals(table.skips(ip, at, spread), want);
      assertEquals(table.skips("192.0.2.2", at, spread), false);
    });
  }

  it("forgets an address that answers: its next timeout is the first", () => {
    const table = tableOf([ip, 0], [ip, 3 * minute]);
    table.connected(ip);
    assertEquals(table.skips(ip, 4 * minute, 0), false);
    table.timedOut(ip, 4 * minute);
    assertEquals(table.list(4 * minute), [{ address: ip, ageSeconds: 0, timeouts: 1 }]);
  });

  it("counts to ten", () => {
    const table = tableOf(...Array.from({ length: 12 }, (_, n) => [ip, n * 3 * minute] as const));
    assertEquals(table.list(33 * minute), [{ address: ip, ageSeconds: 0, timeouts: 10 }]);
  });

  const spellings = [
    { name: "an IPv6 address in full and shortened", of: ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"], want: "2001:db8::1" },
    { name: "an IPv4 address inside IPv6", of: ["::ffff:192.0.2.1", "::ffff:c000:201", ip], want: ip },
    { name: "a link-local address with its zone", of: ["FE80:0::1%eth0", "fe80::1%eth0"], want: "fe80::1%eth0" },
  ];
  for (const { name, of, want } of spellings) {
    it(`takes for one: ${name}`, () => {
      const table = tableOf(...of.map((address, n) => [address, n * 3 * minute] as const));
      assertEquals(table.list(9 * minute).map(({ address, timeouts }) => [address, timeouts]), [[want, of.length]]);
      for (const address of of) assertEquals(table.skips(address, 9 * minute, 0), true);
      table.connected(of[0]!);
      assertEquals(table.list(0), []);
    });
  }

  it("lists whole seconds, the one that timed out longest ago first", () => {
    const table = tableOf([ip, 0], ["192.0.2.2", 1500], [ip, 3 * minute]);
    assertEquals(table.list(3 * minute + 1999), [
      { address: "192.0.2.2", ageSeconds: 180, timeouts: 1 },
      { address: ip, ageSeconds: 1, timeouts: 2 },
    ]);
  });

  it("forgets everything on demand, and says how much", () => {
    const table = tableOf([ip, 0], [ip, 3 * minute], ["192.0.2.2", 0]);
    assertEquals([table.clear(), table.clear(), table.list(0)], [2, 0, []]);
    assertEquals(table.skips(ip, 3 * minute, 0), false);
  });

  const nth = (n: number) => `198.51.${n >> 8}.${n & 255}`;

  it("remembers a thousand addresses; the oldest makes room", () => {
    const table = tableOf(...Array.from({ length: 1001 }, (_, n) => [nth(n), n] as const));
    assertEquals(table.list(2000).map(({ address }) => address), Array.from({ length: 1000 }, (_, n) => nth(n + 1)));
  });

  const worth = [
    { name: "but one timeout more is worth 17 minutes", laterMs: 1_024_000 - 1, keeps: true },
    { name: "and not more than that", laterMs: 1_024_000 + 1, keeps: false },
  ];
  for (const { name, laterMs, keeps } of worth) {
    it(name, () => {
      const table = tableOf([ip, 0], [ip, 3 * minute]);
      for (let n = 0; n < 1000; n++) table.timedOut(nth(n), 3 * minute + laterMs);
      assertEquals(table.list(1e9).length, 1000);
      assertEquals(table.skips(ip, 4 * minute, 0), keeps);
    });
  }

  const someIps = fc.constantFrom("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:DB8::0:1", "::ffff:192.0.2.1");
  const steps = fc.array(
    fc.record({ ip: someIps, afterMs: fc.nat(40 * minute), answered: fc.nat(9).map((n) => n === 0) }),
    { maxLength: 60 },
  );

  it("passes over nobody who has not timed out twice, two minutes apart, since it last answered", () => {
    fc.assert(fc.property(steps, fc.nat(spreads - 1), (steps, spread) => {
      const table = new TcpTimeouts();
      /** Times at which a host timed out since it answered. */
      const since = new Map<string, number[]>();
      const hostOf = (ip: string) => ip.includes("192.0.2.1") ? "a" : ip.includes(":") ? "b" : "c";
      let nowMs = 0;
      for (const { ip, afterMs, answered } of steps) {
        nowMs += afterMs;
        const times = since.get(hostOf(ip)) ?? [];
        if (table.skips(ip, nowMs, spread)) {
          const last = times.at(-1) ?? -Infinity;
          assertEquals(last - times[0]! >= 2 * minute && nowMs - last < (60 + spread) * 64_000, true);
        } else if (answered) {
          table.connected(ip);
          since.delete(hostOf(ip));
        } else {
          table.timedOut(ip, nowMs);
          since.set(hostOf(ip), [...times, nowMs]);
        }
      }
    }));
  });

  it("a host that stays dead is passed over for 97 minutes after an attempt, and no longer", () => {
    fc.assert(fc.property(fc.array(fc.nat(20 * minute), { maxLength: 200 }), fc.nat(31), (pauses, first) => {
      const table = new TcpTimeouts();
      let [nowMs, triedMs, spread] = [0, 0, first];
      for (const pause of pauses) {
        nowMs += pause;
        if (table.skips(ip, nowMs, spread++ % spreads)) assertEquals(nowMs - triedMs < 91 * 64_000, true);
        else {
          table.timedOut(ip, nowMs);
          triedMs = nowMs;
        }
      }
    }));
  });
});

describe("Slots", () => {
  it("runs so many at once, the others in order of arrival, and survives a failure", async () => {
    const slots = new Slots(2);
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const started: number[] = [];
    const works = gates.map((gate, n) =>
      slots.run(async () => {
        started.push(n);
        await gate.promise;
        if (n === 0) throw new Error("no");
        return n;
      }).catch(() => -1)
    );
    await Promise.resolve();
    assertEquals(started, [0, 1]);
    gates[1]!.resolve();
    assertEquals(await works[1], 1);
    assertEquals(started, [0, 1, 2]);
    gates[0]!.resolve();
    assertEquals(await works[0], -1);
    assertEquals(started, [0, 1, 2, 3]);
    gates.forEach((gate) => gate.resolve());
    assertEquals(await Promise.all(works), [-1, 1, 2, 3, 4]);
  });
});
