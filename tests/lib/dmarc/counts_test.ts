import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { AggregateCounts, canonicalObservation, dmarcNotes } from "../../../components/lib/dmarc/counts.ts";
import { type Observation, spfResults } from "../../../components/lib/dmarc/observation.ts";
import { Ledger } from "../../../components/lib/reports/ledger.ts";
import { FakeDisk } from "../../support/fake_disk.ts";

const one: Observation = {
  sourceIp: "192.0.2.1",
  policy: { domain: "a.example", p: "reject" },
  disposition: "none",
  dkimAligned: true,
  spfAligned: false,
  headerFrom: "a.example",
  envelopeFrom: "bounces.a.example",
  dkim: [{ domain: "a.example", selector: "s1", result: "pass" }],
  spf: { domain: "bounces.a.example", result: "softfail" },
};

function totals(counts: AggregateCounts): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(
    counts.domains.map((domain) => [domain, counts.of(domain)?.rows.map(({ count }) => count) ?? []]),
  );
}

describe("AggregateCounts", () => {
  it("counts what is alike as one, in any spelling", () => {
    const counts = new AggregateCounts();
    for (
      const same of [
        one,
        { ...one, sourceIp: "::ffff:192.0.2.1" },
        { ...one, headerFrom: "A.Example", dkim: [{ domain: "A.example", selector: "S1", result: "pass" } as const] },
        { ...one, reasons: [] },
      ]
    ) assert(counts.add(canonicalObservation(same)));
    assert(counts.add(canonicalObservation({ ...one, sourceIp: "192.0.2.2" }), 5));
    assertEquals(totals(counts), { "a.example": [4, 5] });
  });

  it("has the policy that was seen last", () => {
    const counts = new AggregateCounts();
    counts.add(one);
    counts.add({ ...one, policy: { domain: "a.example", p: "none", testing: true } });
    assertEquals(totals(counts), { "a.example": [2] });
    assertEquals(counts.of("a.example")!.policy, { domain: "a.example", p: "none", testing: true });
  });

  it("counts without made-up names what is too much, and then not at all", () => {
    const counts = new AggregateCounts({ mostDomains: 2, mostRows: 2, mostBytes: 10_000 });
    for (let n = 0; n < 6; n++) {
      assert(counts.add({ ...one, dkim: [{ domain: `x${n}.example`, selector: "s", result: "fail" }] }));
    }
    const rows = counts.of("a.example")!.rows;
    assertEquals(rows.map(({ count }) => count), [1, 1, 4]);
    const { dkim, spf, envelopeFrom, sourceIp } = rows[2]!.observation;
    assertEquals([dkim, spf, envelopeFrom, sourceIp], [[], undefined, undefined, "192.0.2.1"]);
    assert(counts.add({ ...one, sourceIp: "192.0.2.3" }));
    assertEquals(counts.add({ ...one, sourceIp: "192.0.2.4" }), false);
    assert(counts.add({ ...one, policy: { domain: "b.example", p: "none" } }));
    assertEquals(counts.add({ ...one, policy: { domain: "c.example", p: "none" } }), false);
    for (const domain of counts.domains) counts.delete(domain);
    assert(counts.add({ ...one, policy: { domain: "c.example", p: "none" } }));
  });

  it("holds no more octets than it may, and gives back what it had", () => {
    const counts = new AggregateCounts({ mostDomains: 1000, mostRows: 1000, mostBytes: 5000 });
    const add = (n: number) => counts.add({ ...one, policy: { domain: `d${n}.example`, p: "none" } });
    let fit = 0;
    for (let n = 0; n < 100; n++) if (add(n)) fit++;
    assert(fit > 5 && fit < 30, `${fit}`);
    for (const domain of counts.domains) counts.delete(domain);
    let again = 0;
    for (let n = 0; n < 100; n++) if (add(n)) again++;
    assertEquals(again, fit);
  });

  it("becomes the same from its own notes, and from a ledger's file", async () => {
    const names = fc.constantFrom("a.example", "b.example", "c.example");
    const observation = fc.record({
      sourceIp: fc.constantFrom("192.0.2.1", "2001:db8::1"),
      policy: fc.record({ domain: names, p: fc.constantFrom("none" as const, "reject" as const) }),
      disposition: fc.constantFrom("none" as const, "quarantine" as const),
      dkimAligned: fc.boolean(),
      spfAligned: fc.boolean(),
      headerFrom: fc.string({ unit: "binary", maxLength: 9 }),
      dkim: fc.array(
        fc.record({ domain: names, selector: fc.string({ maxLength: 3 }), result: fc.constant("pass" as const) }),
        { maxLength: 2 },
      ),
      spf: fc.record({ domain: names, result: fc.constantFrom(...spfResults) }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(observation, { maxLength: 20 }), async (seen) => {
        const counts = new AggregateCounts();
        for (const note of seen) assert(counts.add(canonicalObservation(note)));
        const copy = new AggregateCounts();
        for (const [note, count] of counts.notes()) assert(copy.add(note, count));
        assertEquals(Array.from(copy.notes()), Array.from(counts.notes()));

        const disk = new FakeDisk(["/t"]);
        const begin = () => {
          const ledger = new Ledger({ kind: dmarcNotes, disk, dir: "/t", onTrouble: () => {}, onDamage: () => {} });
          ledger.load();
          return ledger;
        };
        const ledger = begin();
        for (const note of seen) ledger.note(note, 0);
        await ledger.flush();
        const sum = (all: AggregateCounts | undefined) =>
          [...all?.notes() ?? []].map(([{ policy: { domain }, ...rest }, count]) =>
            JSON.stringify([domain, rest, count])
          )
            .sort();
        assertEquals(sum(begin().counts("1970-01-01")), sum(counts));
      }),
      { numRuns: 50 },
    );
  });
});
