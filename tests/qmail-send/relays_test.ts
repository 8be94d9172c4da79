import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { Relays } from "../../components/qmail-send/relays.ts";

const [ours, theirs] = ["relay.example:25", "other.example:587"];

describe("Relays", () => {
  const rows: readonly {
    readonly what: string;
    readonly learnt: readonly (readonly [string, string])[];
    readonly want: Readonly<Record<string, string>>;
  }[] = [
    { what: "know nothing at first", learnt: [], want: { a: "" } },
    {
      what: "take a new domain for one of the relay that all others went to",
      learnt: [["a", ours]],
      want: { a: ours, b: ours },
    },
    { what: "guess nothing where some go by MX", learnt: [["a", ours], ["b", ""]], want: { a: ours, b: "", c: "" } },
    {
      what: "guess nothing where there are two",
      learnt: [["a", ours], ["b", theirs]],
      want: { a: ours, b: theirs, c: "" },
    },
    {
      what: "guess nothing where the first went by MX",
      learnt: [["a", ""], ["b", ours]],
      want: { a: "", b: ours, c: "" },
    },
    { what: "believe the latest", learnt: [["a", ours], ["a", theirs], ["a", ""]], want: { a: "", b: "" } },
  ];
  for (const { what, learnt, want } of rows) {
    it(what, () => {
      const relays = new Relays();
      for (const [domain, relay] of learnt) relays.learn(domain, relay);
      assertEquals(Object.fromEntries(Object.keys(want).map((domain) => [domain, relays.of(domain)])), want);
    });
  }
});
