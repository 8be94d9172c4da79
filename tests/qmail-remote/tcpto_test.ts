import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Slots } from "../../components/qmail-remote/slots.ts";
import { TcpTimeouts } from "../../components/qmail-remote/tcpto.ts";

const minute = 60_000;

describe("TcpTimeouts", () => {
  const rows: {
    readonly name: string;
    readonly timeouts: readonly number[];
    readonly at: number;
    readonly want: boolean;
  }[] = [
    { name: "one timeout does not count", timeouts: [0], at: 1, want: false },
    { name: "two make an address wait", timeouts: [0, 3 * minute], at: 4 * minute, want: true },
    { name: "for an hour and four minutes", timeouts: [0, 3 * minute], at: 66 * minute, want: true },
    { name: "and no longer", timeouts: [0, 3 * minute], at: 67 * minute, want: false },
    { name: "timeouts at the same time count once", timeouts: [0, 1, 2, minute], at: 2 * minute, want: false },
    { name: "a third one starts the wait anew", timeouts: [0, 3 * minute, 70 * minute], at: 130 * minute, want: true },
  ];
  for (const { name, timeouts, at, want } of rows) {
    it(name, () => {
      const table = new TcpTimeouts();
      for (const time of timeouts) table.timedOut("192.0.2.1", time);
      assertEquals(table.skips("192.0.2.1", at), want);
      assertEquals(table.skips("192.0.2.2", at), false);
    });
  }

  it("forgets an address that answers", () => {
    const table = new TcpTimeouts();
    for (const time of [0, 3 * minute]) table.timedOut("192.0.2.1", time);
    table.connected("192.0.2.1");
    assertEquals(table.skips("192.0.2.1", 4 * minute), false);
  });

  it("remembers a thousand addresses at most, the latest", () => {
    const table = new TcpTimeouts();
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 1001; n++) table.timedOut(`192.0.${n >> 8}.${n & 255}`, round * 3 * minute + n);
    }
    assertEquals(table.skips("192.0.3.232", 4 * minute), false);
    for (const time of [200 * minute, 203 * minute]) table.timedOut("192.0.2.1", time);
    assertEquals(table.skips("192.0.2.1", 204 * minute), true);
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
