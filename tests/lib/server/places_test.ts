import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Places, shareOf, type Visitor } from "../../../components/lib/server/places.ts";

const day = 24 * 60 * 60 * 1000;

function stranger(network: string): Visitor {
  return { network, trusted: false };
}
const trusted: Visitor = { network: "192.0.2.1", trusted: true };

/** Places of which `taken` are taken, each by another stranger. */
function filled(connections: number, taken: number, perClient = 0): Places {
  const places = new Places({ connections, perClient });
  for (let at = 0; at < taken; at++) assertEquals(places.enter(stranger(`s${at}`), 0), undefined);
  return places;
}

describe("Places", () => {
  it("are as many as the limit says, and come free again", () => {
    const places = filled(20, 20);
    assertEquals(places.enter(stranger("x"), 0), "too-many-connections");
    places.leave("s7");
    assertEquals(places.enter(stranger("x"), 0), undefined);
    assertEquals([places.taken, places.enter(stranger("y"), 0)], [20, "too-many-connections"]);
  });

  it("of one client are as many as its limit says, whoever else there is", () => {
    const places = new Places({ connections: 20, perClient: 2 });
    assertEquals([1, 2, 3].map(() => places.enter(stranger("a"), 0)), [undefined, undefined, "too-many-from-client"]);
    assertEquals(places.enter(stranger("b"), 0), undefined);
    places.leave("a");
    assertEquals(places.enter(stranger("a"), 0), undefined);
    assertEquals(places.taken, 3);
  });

  it("of a client that is trusted have no limit but all there are", () => {
    const places = new Places({ connections: 20, perClient: 2 });
    assertEquals(new Set(Array.from({ length: 21 }, () => places.enter(trusted, 0))), new Set([undefined]));
    assertEquals(places.enter(trusted, 0), "too-many-connections");
  });

  it("are kept for who is known or trusted when strangers have taken all", () => {
    const places = filled(40, 1);
    places.accepted("good", 0);
    for (let at = 1; at < 40; at++) places.enter(stranger(`s${at}`), 0);
    assertEquals(places.enter(stranger("x"), 1), "too-many-connections");
    assertEquals(places.enter(stranger("good"), 1), undefined);
    assertEquals(places.enter(trusted, 1), undefined);
    // The reserve has an end, too.
    assertEquals([places.enter(stranger("good"), 1), places.enter(trusted, 1)], [
      "too-many-connections",
      "too-many-connections",
    ]);
  });

  it("do not exempt a known client from the limit of each", () => {
    const places = new Places({ connections: 20, perClient: 1 });
    places.accepted("good", 0);
    assertEquals([places.enter(stranger("good"), 0), places.enter(stranger("good"), 0)], [
      undefined,
      "too-many-from-client",
    ]);
  });

  it("remember who is good for a day since the last message", () => {
    const places = new Places({ connections: 1, perClient: 0 });
    places.accepted("good", 0);
    places.accepted("good", 1000);
    assert(places.isGood("good", day + 999) && !places.isGood("good", day + 1000) && !places.isGood("x", 0));
  });

  it("remember ten thousand good clients, and forget first whose mail was accepted longest ago", () => {
    const places = new Places({ connections: 1, perClient: 0 });
    for (let at = 0; at < 10_000; at++) places.accepted(`n${at}`, 0);
    places.accepted("n0", 1);
    places.accepted("__proto__", 1);
    assertEquals(["n0", "n1", "n2", "__proto__"].map((network) => places.isGood(network, 1)), [
      true,
      false,
      true,
      true,
    ]);
  });

  it("are scarce above four fifths and no longer scarce at seven tenths", () => {
    const places = filled(100, 80);
    assertEquals(places.stressed, false);
    places.enter(stranger("x"), 0);
    assertEquals(places.stressed, true);
    for (let at = 0; at < 10; at++) places.leave(`s${at}`);
    assertEquals([places.taken, places.stressed], [71, true]);
    places.leave("s10");
    assertEquals([places.taken, places.stressed], [70, false]);
    for (let at = 0; at < 10; at++) places.enter(stranger(`s${at}`), 0);
    assertEquals([places.taken, places.stressed], [80, false]);
  });

  it("are scarce, or not any more, as soon as there is another limit", () => {
    const places = filled(100, 50);
    places.limits = { connections: 50, perClient: 0 };
    assertEquals([places.stressed, places.enter(stranger("x"), 0)], [true, "too-many-connections"]);
    places.limits = { connections: 100, perClient: 0 };
    assertEquals([places.stressed, places.enter(stranger("x"), 0)], [false, undefined]);
  });

  it("never exceed the limits, and hold nothing of those who have gone, whatever comes", () => {
    const anyEvents = fc.array(
      fc.record({
        network: fc.constantFrom("a", "b", "c", "d"),
        trusted: fc.boolean(),
        what: fc.constantFrom("enter", "leave", "accepted"),
      }),
      { maxLength: 200 },
    );
    fc.assert(fc.property(anyEvents, fc.nat(12), fc.nat(4), (events, more, perClient) => {
      const connections = more + 1;
      const places = new Places({ connections, perClient });
      const inside: string[] = [];
      for (const { network, trusted, what } of events) {
        if (what === "accepted") places.accepted(network, 0);
        else if (what === "leave") {
          const [gone] = inside.splice(0, 1);
          if (gone !== undefined) places.leave(gone);
        } else if (places.enter({ network, trusted }, 0) === undefined) {
          inside.push(network);
          if (!trusted && perClient > 0) assert(inside.filter((one) => one === network).length <= perClient);
        }
        assertEquals(places.taken, inside.length);
        assert(inside.length <= connections + Math.ceil(connections * 0.05));
      }
      for (const network of inside) places.leave(network);
      assertEquals([places.taken, places.stressed], [0, false]);
    }));
  });
});

describe("shareOf()", () => {
  const rows = [
    { processes: 1, want: { connections: 1000, perClient: 100 } },
    { processes: 2, want: { connections: 500, perClient: 50 } },
    { processes: 3, want: { connections: 334, perClient: 34 } },
    { processes: 64, want: { connections: 16, perClient: 2 } },
  ];
  for (const { processes, want } of rows) {
    it(`among ${processes} is ${want.connections}, ${want.perClient} of them from one client`, () => {
      assertEquals(shareOf({ connections: 1000, perClient: 100 }, processes), want);
    });
  }
  it("of no limit is none", () => assertEquals(shareOf({ connections: 1, perClient: 0 }, 4).perClient, 0));
});
