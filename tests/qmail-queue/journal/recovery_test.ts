import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { journalNumbers, journalSegment } from "../../../components/lib/queue/layout.ts";
import { putRecord } from "../../../components/lib/queue/journal/record.ts";
import { toOctets } from "../../../components/lib/octets.ts";
import type { Entry } from "../../../components/qmail-queue/journal/entry.ts";
import { home, keptFile } from "../../support/queue_disk.ts";
import { append, envelope, failNext, newRecord, serials, textOf, whileSyncing, world } from "./journal_world.ts";

describe("a journal whose disk fails", () => {
  for (const what of ["write", "sync"] as const) {
    it(`gives nobody a yes whose ${what} failed, and takes the next into another segment`, async () => {
      using here = world();
      const journal = await here.open();
      const before = await append(journal, 200, "before");
      failNext(here.disk, what === "write" ? 0 : 1);
      const failed = [append(journal, 200, "a"), append(journal, 200, "b")];
      for (const one of failed) await assertRejects(async () => await one);
      // The next finds no segment, and has one made.
      journal.append(newRecord())?.catch(() => {});
      await here.clock.settle();
      const after = await append(journal, 200, "after");
      assert(after.segment !== before.segment);
      const found = await here.open({}, here.disk.afterCrash());
      const texts = found.entries().map((entry) => textOf(found, entry));
      assert(!texts.includes("a") && !texts.includes("b"), "refused, and there all the same");
      assert(texts.includes("before") && texts.includes("after"));
    });
  }

  it("does not use the broken segment again", async () => {
    using here = world();
    const journal = await here.open({ segments: 1 });
    failNext(here.disk, 1);
    await assertRejects(async () => await append(journal));
    await here.clock.advance(2);
    assertEquals(journal.append(newRecord()), undefined);
    await journal.close();
    // The next process may: it has read what is there.
    await append(await here.open({ segments: 1 }));
  });

  it("refuses what came while the failing sync ran", async () => {
    using here = world();
    const { journal, slow, first } = await whileSyncing(here);
    const second = append(journal);
    failNext(here.disk, 0);
    slow.release();
    for (const one of [first, second]) await assertRejects(async () => await one);
    assertEquals(journal.size, 0);
  });

  it("gives the numbers of those it refused to others", async () => {
    using here = world();
    const journal = await here.open();
    await append(journal);
    await here.clock.settle();
    failNext(here.disk, 0);
    await assertRejects(async () => await append(journal));
    await journal.close();
    const kept = here.disk.list(journalNumbers(home)).length;
    const again = await here.open({ segments: 8, segment: { bytes: 16_384, records: 40 } });
    await Promise.all(Array.from({ length: kept - 1 }, () => append(again, 100)));
  });

  it("writes and syncs marks again that the disk did not take", async () => {
    using here = world();
    const journal = await here.open();
    const entry = await append(journal);
    failNext(here.disk, 0);
    journal.done([entry.serial]);
    assertEquals(here.troubles.length, 1);
    await here.clock.advance(1.1);
    assertEquals((await here.open({}, here.disk.afterPowerLoss(() => "old"))).size, 0);
  });

  it("reports a segment that cannot be made, and makes it later", async () => {
    using here = world();
    const journal = await here.open();
    failNext(here.disk, 0, "ENOSPC");
    const first = journal.append(newRecord(4000));
    await here.clock.settle();
    assertEquals(here.troubles.length, 1);
    await first;
    assertEquals(here.disk.stat(journalSegment(home, 2)), undefined);
    await here.clock.advance(10);
    assertEquals(journal.append(newRecord(4000)), undefined);
    await here.clock.settle();
    await append(journal, 4000);
  });
});

describe("Journal.open()", () => {
  it("finds what is not done, and passes over a torn tail", async () => {
    using here = world();
    const journal = await here.open();
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((text) => append(journal, 200, text)));
    journal.done([b!.serial]);
    const octets = here.disk.readFile(journalSegment(home, 1));
    const torn = new Uint8Array(200).fill(7);
    putRecord(torn, 0, { generation: a!.serial, serial: c!.serial + 1, id: 9, birthSeconds: 0 }, envelope, []);
    octets.set(torn.subarray(0, 50), 600);
    const left = here.disk.afterCrash();
    left.openWrite(journalSegment(home, 1)).writeAt(0, octets);
    assertEquals(serials(await here.open({}, left)), [a!.serial, c!.serial]);
  });

  it("gives a number that two records name to the later one, and the earlier a new one", async () => {
    using here = world();
    const journal = await here.open();
    const entries = [await append(journal, 200), await append(journal, 200)];
    const [first, second] = entries as [Entry, Entry];
    await journal.close();
    const octets = here.disk.readFile(journalSegment(home, 1));
    const head = { generation: first.serial, serial: first.serial, id: second.id, birthSeconds: 0 };
    putRecord(octets, 0, head, envelope, newRecord(200).content);
    here.disk.openWrite(journalSegment(home, 1)).writeAt(0, octets);
    const again = await here.open();
    assertEquals(serials(again), [first.serial, second.serial]);
    assertEquals(again.find(second.serial)?.id, second.id);
    const { id } = again.find(first.serial)!;
    assert(id !== second.id);
    assert(keptFile(here.disk, id) !== undefined);
  });

  it("gives a record whose number is not kept any more another one", async () => {
    using here = world();
    const journal = await here.open();
    const entry = await append(journal, 200, "kept");
    await journal.close();
    here.disk.remove(keptFile(here.disk, entry.id)!);
    const again = await here.open();
    assertEquals(serials(again), [entry.serial]);
    assert(again.entries()[0]!.id !== entry.id);
    assertEquals(textOf(again, again.entries()[0]!), "kept");
  });

  it("finds nothing of what was done, moved, or of an earlier turn", async () => {
    using here = world();
    const journal = await here.open({ segments: 1 });
    const [a, b] = [await append(journal, 2000), await append(journal, 2000)];
    journal.done([a.serial]);
    await journal.moved(b);
    await here.clock.advance(1.1);
    const c = await append(journal, 500);
    assertEquals([c.segment, c.offset], [1, 0]);
    assertEquals(serials(await here.open({}, here.disk.afterCrash())), [c.serial]);
    assertEquals(keptFile(here.disk, b.id), undefined);
  });
});

describe("Journal.read()", () => {
  it("throws for what is done, and for what is damaged", async () => {
    using here = world();
    const journal = await here.open();
    const [a, b] = [await append(journal), await append(journal)];
    journal.done([a.serial, a.serial, 12345]);
    await assertRejects(() => Promise.resolve().then(() => journal.read(a)));
    here.disk.openWrite(journalSegment(home, 1)).writeAt(b.offset + 100, toOctets("?"));
    await assertRejects(() => Promise.resolve().then(() => journal.read(b)));
    assertEquals(journal.find(a.serial), undefined);
  });
});
