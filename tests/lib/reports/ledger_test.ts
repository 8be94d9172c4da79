import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import type { TlsrptNote } from "../../../components/lib/wire/tlsrpt_protocol.ts";
import { Ledger } from "../../../components/lib/reports/ledger.ts";
import { type DayCounts, tlsNotes } from "../../../components/lib/tlsrpt/counts.ts";
import { FakeDisk } from "../../support/fake_disk.ts";

const now = 1_795_333_684;
const day = "2026-11-22";

function note(domain: string, flaw?: "certificate-expired"): TlsrptNote {
  const base = {
    domain,
    policyType: "tlsa" as const,
    policyStrings: ["3 1 1 00"],
    mxHost: "mx.example",
    ip: "192.0.2.1",
  };
  return flaw === undefined ? base : { ...base, flaw };
}

/** A process on a disk. */
function begin(disk: FakeDisk) {
  const troubles: unknown[] = [];
  const damage: number[] = [];
  const ledger = new Ledger({
    kind: tlsNotes,
    disk,
    dir: "/t",
    onTrouble: (error) => troubles.push(error),
    onDamage: (_, lines) => damage.push(lines),
  });
  ledger.load();
  return { ledger, troubles, damage };
}

/** Successes and failures of each domain, on the day. */
function totals(ledger: Ledger<TlsrptNote, DayCounts>): Readonly<Record<string, readonly [number, number]>> {
  const counts = ledger.counts(day);
  return Object.fromEntries(
    (counts?.domains ?? []).toSorted().map((domain) => {
      const policies = counts!.of(domain);
      const failures = policies.flatMap(({ failures }) => failures).reduce((sum, { count }) => sum + count, 0);
      return [domain, [policies.reduce((sum, { successes }) => sum + successes, 0), failures] as const];
    }),
  );
}

/** What happens in a day: notes, a flush now and then, and reports. */
async function story(ledger: Ledger<TlsrptNote, DayCounts>): Promise<void> {
  for (let n = 0; n < 4; n++) {
    ledger.note(note("a.example"), now);
    ledger.note(note("b.example", "certificate-expired"), now);
    await ledger.flush();
  }
  ledger.done(day, "a.example");
  await ledger.flush();
}

describe("Ledger", () => {
  it("knows after a restart what was flushed, and forgets what was dropped", async () => {
    const disk = new FakeDisk(["/t"]);
    const { ledger } = begin(disk);
    for (let n = 0; n < 10; n++) ledger.note(note("a.example"), now);
    ledger.note(note("b.example", "certificate-expired"), now + 86_400);
    await ledger.flush();
    ledger.note(note("a.example"), now);
    const again = begin(disk);
    assertEquals(again.ledger.days, [day, "2026-11-23"]);
    assertEquals(totals(again.ledger), { "a.example": [10, 0] });
    again.ledger.drop(day);
    assertEquals(begin(disk).ledger.days, ["2026-11-23"]);
    assertEquals([again.troubles, again.damage], [[], []]);
  });

  it("loses with a crash at any operation no more than what was not flushed, and counts nothing twice", async () => {
    const whole = new FakeDisk(["/t"]);
    await story(begin(whole).ledger);
    const operations = whole.operations.length;
    assert(operations > 8);
    for (let n = 0; n < operations; n++) {
      const disk = new FakeDisk(["/t"]);
      disk.stopAt(n);
      const { ledger } = begin(disk);
      await story(ledger);
      const after = totals(begin(disk.afterCrash()).ledger);
      const flushes = whole.operations.slice(0, n).filter((operation) => operation.startsWith("sync")).length;
      assert((after["b.example"]?.[1] ?? 0) >= Math.min(flushes, 4), `operation ${n}: ${JSON.stringify(after)}`);
      for (const domain of Object.keys(after)) {
        const [successes, failures] = after[domain]!;
        assert(successes + failures <= 4, `operation ${n}: ${JSON.stringify(after)}`);
      }
    }
  });

  it("counts on in memory where the disk fails, and writes all of it when it works again", async () => {
    for (let n = 0; n < 12; n++) {
      for (const half of [undefined, "half"] as const) {
        const disk = new FakeDisk(["/t"]);
        disk.failAt(n, "ENOSPC", half);
        const { ledger, troubles } = begin(disk);
        await story(ledger);
        ledger.note(note("c.example"), now);
        await ledger.flush();
        await ledger.flush();
        const want = { "b.example": [0, 4], "c.example": [1, 0] } as const;
        assertEquals(totals(ledger), want, `operation ${n}`);
        assertEquals(totals(begin(disk).ledger), want, `operation ${n}, after a restart`);
        assert(troubles.length <= 1);
      }
    }
  });

  it("passes over lines that say nothing", async () => {
    const disk = new FakeDisk(["/t"]);
    const { ledger } = begin(disk);
    ledger.note(note("a.example"), now);
    await ledger.flush();
    const file = disk.openAppend(`/t/${day}`, 0o600);
    file.write(new TextEncoder().encode('garbage\n[1,2]\n[{"domain":7},1]\n[null,1]\n["done"]\n{"a":'));
    file.close();
    const again = begin(disk);
    again.ledger.note(note("a.example"), now);
    await again.ledger.flush();
    assertEquals(again.damage, [6]);
    assertEquals(totals(begin(disk).ledger), { "a.example": [2, 0] });
  });

  it("writes a long file anew", async () => {
    const disk = new FakeDisk(["/t"]);
    const { ledger } = begin(disk);
    const long = { ...note("a.example"), policyStrings: ["x".repeat(1000)] };
    for (let n = 0; n < 2500; n++) {
      ledger.note(long, now);
      await ledger.flush();
    }
    assert(disk.stat(`/t/${day}`)!.sizeBytes < 1_200_000);
    assertEquals(totals(begin(disk).ledger), { "a.example": [2500, 0] });
  });
});
