import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  defaultLimits,
  Greylist,
  type GreylistLimits,
  knownSeconds,
  renewSeconds,
  returnSeconds,
  trustedFrom,
} from "../../components/tally/greylist.ts";
import type { GreylistRecord } from "../../components/tally/greylist_record.ts";
import { hashOf, type Triplet } from "../../components/tally/triplet.ts";

const waitSeconds = 300;
const start = 1_795_333_684;
const day = 86_400;

function triplet(name: string, network = "n"): Triplet {
  return { key: hashOf(name, network), network: hashOf(network) };
}

/** [seconds after the start, triplet, what is to be heard: "pass" or the seconds to wait]. */
type Step = readonly [number, string, "pass" | number];

const rows: { claim: string; steps: readonly Step[] }[] = [
  {
    claim: "has a new triplet wait, and a new one that comes too early wait for what is left",
    steps: [[0, "a", 300], [100, "a", 200], [299, "a", 1]],
  },
  { claim: "lets pass what comes back when the wait is over", steps: [[0, "a", 300], [300, "a", "pass"]] },
  { claim: "does not begin the wait anew with each try", steps: [[0, "a", 300], [200, "a", 100], [301, "a", "pass"]] },
  { claim: "lets pass at the end of two days", steps: [[0, "a", 300], [returnSeconds, "a", "pass"]] },
  {
    claim: "takes what comes back after two days for new",
    steps: [[0, "a", 300], [returnSeconds + 1, "a", 300], [returnSeconds + 301, "a", "pass"]],
  },
  {
    claim: "lets pass what has passed, for 36 days",
    steps: [[0, "a", 300], [300, "a", "pass"], [300 + knownSeconds, "a", "pass"]],
  },
  {
    claim: "has forgotten after 36 days without use",
    steps: [[0, "a", 300], [300, "a", "pass"], [301 + knownSeconds, "a", 300]],
  },
  {
    claim: "counts 36 days from the last use",
    steps: [[0, "a", 300], [300, "a", "pass"], [30 * day, "a", "pass"], [60 * day, "a", "pass"], [
      90 * day,
      "a",
      "pass",
    ]],
  },
  { claim: "knows triplets one by one", steps: [[0, "a", 300], [300, "a", "pass"], [301, "b", 300]] },
  {
    claim: "begins anew where the clock was put back",
    steps: [[5000, "a", 300], [0, "a", 300], [299, "a", 1], [300, "a", "pass"]],
  },
  {
    claim: "goes on knowing where the clock was put back",
    steps: [[5000, "a", 300], [5300, "a", "pass"], [0, "a", "pass"]],
  },
  {
    claim: "trusts a network of which five have come back, for 36 days from its last use",
    steps: [
      ...["a", "b", "c", "d", "e"].map((name): Step => [0, name, 300]),
      ...["a", "b", "c", "d"].map((name): Step => [300, name, "pass"]),
      [301, "f", 300],
      [302, "e", "pass"],
      [303, "new", "pass"],
      [20 * day, "other", "pass"],
      [20 * day + knownSeconds, "more", "pass"],
      [20 * day + 2 * knownSeconds + 1, "late", 300],
    ],
  },
  {
    claim: "does not count one triplet that comes again and again as several",
    steps: [[0, "a", 300], ...Array.from({ length: 10 }, (_, n): Step => [300 + n * day, "a", "pass"]), [
      10 * day,
      "b",
      300,
    ]],
  },
];

describe("Greylist", () => {
  for (const { claim, steps } of rows) {
    it(claim, () => {
      const greylist = new Greylist();
      for (const [after, name, want] of steps) {
        const { reply } = greylist.ask(triplet(name), waitSeconds, start + after);
        assertEquals(
          reply,
          want === "pass" ? { kind: "pass" } : { kind: "wait", seconds: want },
          `${name} at ${after}`,
        );
      }
    });
  }

  it("lets pass at once where nobody is to wait", () => {
    assertEquals(new Greylist().ask(triplet("a"), 0, start).reply, { kind: "pass" });
  });

  it("takes the wait from each request", () => {
    const greylist = new Greylist();
    greylist.ask(triplet("a"), 300, start);
    assertEquals(greylist.ask(triplet("a"), 1000, start + 400).reply, { kind: "wait", seconds: 600 });
    assertEquals(greylist.ask(triplet("a"), 100, start + 400).reply, { kind: "pass" });
  });

  it("trusts no other network", () => {
    const greylist = new Greylist();
    for (const name of ["a", "b", "c", "d", "e"]) greylist.ask(triplet(name), 0, start);
    assertEquals(greylist.ask(triplet("x"), 300, start).reply.kind, "pass");
    assertEquals(greylist.ask(triplet("x", "m"), 300, start).reply.kind, "wait");
  });

  it("has something to write down at first sight, when it passes, and once a day of use", () => {
    const greylist = new Greylist();
    const kinds = (after: number) =>
      greylist.ask(triplet("a"), waitSeconds, start + after).changes.map(({ kind }) => kind);
    assertEquals(kinds(0), ["waiting"]);
    assertEquals(kinds(100), []);
    assertEquals(kinds(300), ["known", "network"]);
    assertEquals(kinds(400), []);
    assertEquals(kinds(300 + renewSeconds), ["known", "network"]);
    assertEquals(kinds(301 + renewSeconds), []);
  });

  it("writes down once a day that a trusted network is used", () => {
    const greylist = new Greylist();
    for (let n = 0; n < trustedFrom; n++) greylist.ask(triplet(`${n}`), 0, start);
    assertEquals(greylist.ask(triplet("x"), 300, start + 10).changes, []);
    assertEquals(greylist.ask(triplet("y"), 300, start + renewSeconds).changes.map(({ kind }) => kind), ["network"]);
    assertEquals(greylist.counts, { waiting: 0, known: trustedFrom, networks: 1 });
  });

  const limits: GreylistLimits = { waiting: 4, waitingOfNetwork: 2, known: 3, networks: 2 };
  const waits = (greylist: Greylist, name: string, network: string, after = 0) =>
    greylist.ask(triplet(name, network), waitSeconds, start + after).reply.kind === "wait";

  it("has a flood of new triplets push out the oldest that wait, and none that is known", () => {
    const greylist = new Greylist({ ...limits, known: 10 });
    waits(greylist, "friend", "f");
    assert(!waits(greylist, "friend", "f", 300));
    for (let n = 0; n < 100; n++) assert(waits(greylist, `${n}`, `net ${n}`, 300));
    assertEquals(greylist.counts.waiting, 4);
    assert(!waits(greylist, "friend", "f", 600));
    assert(!waits(greylist, "99", "net 99", 600));
    assert(waits(greylist, "50", "net 50", 600));
  });

  it("remembers no more of one network's that wait than it may, and the others' all the same", () => {
    const greylist = new Greylist(limits);
    for (const name of ["1", "2", "3"]) assert(waits(greylist, name, "busy"));
    assert(waits(greylist, "1", "other"));
    assertEquals(greylist.counts.waiting, 3);
    // The third was not remembered; now that one has passed, there is room for it.
    assert(!waits(greylist, "1", "busy", 300));
    assert(waits(greylist, "3", "busy", 300));
    assert(!waits(greylist, "2", "busy", 301));
    assert(!waits(greylist, "3", "busy", 600));
  });

  it("forgets, of those that are known, the one whose use lies back the farthest", () => {
    const greylist = new Greylist({ ...limits, waiting: 100 });
    for (const name of ["1", "2", "3"]) waits(greylist, name, name);
    for (const name of ["1", "2", "3"]) assert(!waits(greylist, name, name, 300));
    assert(!waits(greylist, "1", "1", 300 + day));
    waits(greylist, "4", "4", 300 + day);
    assert(!waits(greylist, "4", "4", 700 + day));
    assertEquals(greylist.counts.known, 3);
    assert(!waits(greylist, "1", "1", 700 + day));
    assert(waits(greylist, "2", "2", 700 + day));
  });

  it("stays within its bounds under a million triplets of as many networks", () => {
    const greylist = new Greylist();
    const octets = new Uint8Array(16);
    const view = new DataView(octets.buffer);
    const hash = (n: number) => {
      view.setUint32(0, n);
      return String.fromCharCode(...octets);
    };
    for (let n = 0; n < 1_000_000; n++) {
      const { changes } = greylist.ask({ key: hash(n), network: hash(n) }, waitSeconds, start + (n >> 12));
      assertEquals(changes.length, 1);
    }
    assertEquals(greylist.counts, { waiting: defaultLimits.waiting, known: 0, networks: 0 });
    for (let n = 0; n < 1_000_000; n++) greylist.ask({ key: hash(n), network: hash(n) }, 0, start + 1000);
    const { known, networks } = defaultLimits;
    assertEquals(greylist.counts, { waiting: 0, known, networks });
  });

  const asks = fc.array(
    fc.record({
      name: fc.constantFrom("a", "b", "c", "d", "e", "f", "g"),
      network: fc.constantFrom("1", "2"),
      afterSeconds: fc.oneof(fc.nat(400), fc.nat(3 * day), fc.nat(40 * day)),
    }),
    { maxLength: 60 },
  );

  it("lets pass whatever has passed in the 36 days before", () => {
    fc.assert(fc.property(asks, (all) => {
      const greylist = new Greylist();
      const passed = new Map<string, number>();
      let now = start;
      for (const { name, network, afterSeconds } of all) {
        now += afterSeconds;
        const id = `${name} ${network}`;
        const { reply } = greylist.ask(triplet(name, network), waitSeconds, now);
        // A use counts once a day, so a day less is certain.
        if (now - (passed.get(id) ?? -Infinity) <= knownSeconds - renewSeconds) assertEquals(reply.kind, "pass");
        if (reply.kind === "pass") passed.set(id, now);
      }
    }));
  });

  it("decides after its records were read again as it would have without", () => {
    fc.assert(fc.property(asks, fc.nat(60), fc.boolean(), (all, cut, compacted) => {
      let greylist = new Greylist();
      const twin = new Greylist();
      const written: GreylistRecord[] = [];
      let now = start;
      all.forEach(({ name, network, afterSeconds }, n) => {
        now += afterSeconds;
        if (n === cut) {
          const records = compacted ? [...greylist.records()] : written;
          greylist = new Greylist();
          for (const record of records) greylist.apply(record);
        }
        const asked = greylist.ask(triplet(name, network), waitSeconds, now);
        written.push(...asked.changes);
        assertEquals(asked.reply, twin.ask(triplet(name, network), waitSeconds, now).reply);
      });
      assertEquals([...greylist.records()].toSorted(byKey), [...twin.records()].toSorted(byKey));
    }));
  });

  it("holds nothing of a network that has nothing left waiting", () => {
    const greylist = new Greylist(limits);
    for (let n = 0; n < 50; n++) waits(greylist, `${n}`, "busy", n * (returnSeconds + 1));
    assertEquals(greylist.counts.waiting, 1);
    assert(waits(greylist, "x", "busy", 50 * (returnSeconds + 1)));
    assert(!waits(greylist, "x", "busy", 50 * (returnSeconds + 1) + 300));
  });
});

function byKey(one: GreylistRecord, other: GreylistRecord): number {
  return one.kind + one.key < other.kind + other.key ? -1 : 1;
}
