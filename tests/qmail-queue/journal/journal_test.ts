import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { journalSegment } from "../../../components/lib/queue/layout.ts";
import type { Entry } from "../../../components/qmail-queue/journal/entry.ts";
import type { Journal } from "../../../components/qmail-queue/journal/journal.ts";
import { emptyQueue, home } from "../../support/queue_disk.ts";
import {
  append,
  failNext,
  holding,
  marksSync,
  newRecord,
  segmentSync,
  textOf,
  whileSyncing,
  world,
} from "./journal_world.ts";

describe("Journal.append()", () => {
  it("settles when the record is on stable storage, and is found as it was", async () => {
    using here = world();
    const journal = await here.open();
    const entry = await append(journal, 200, "one");
    const after = await here.open({}, here.disk.afterPowerLoss(() => "old"));
    assertEquals(after.entries().map(({ serial, id }) => ({ serial, id })), [{ serial: entry.serial, id: entry.id }]);
    assertEquals(textOf(after, after.entries()[0]!), "one");
    assertEquals(after.read(after.entries()[0]!).birthSeconds, 1_795_333_684);
  });

  it("shares one write and one sync with all of its turn", async () => {
    using here = world();
    const journal = await here.open();
    await append(journal);
    await here.clock.settle();
    const before = here.disk.operations.length;
    const entries = await Promise.all([1, 2, 3].map((n) => append(journal, 200, String(n))));
    assertEquals(here.disk.operations.slice(before), [`write ${journalSegment(home, 1)}`, segmentSync(1)]);
    assertEquals(entries.map((entry) => textOf(journal, entry)), ["1", "2", "3"]);
  });

  it("shares the next sync with all that come while one runs", async () => {
    using here = world();
    const { journal, slow, first } = await whileSyncing(here);
    const later = [append(journal), append(journal), append(journal)];
    await here.clock.settle();
    assertEquals([slow.syncs(), journal.size], [1, 0]);
    slow.release();
    await Promise.all([first, ...later]);
    assertEquals([slow.syncs(), journal.size], [2, 4]);
  });

  it("waits on the spot for the sync of one record, and has another thread sync several", async () => {
    using here = world();
    await (await here.open()).close();
    const slow = holding(here.disk);
    const journal = await here.open({ soon: { one: 4, many: 0 } }, slow.disk);
    assertEquals(textOf(journal, await append(journal, 200, "one")), "one");
    assertEquals(slow.syncs(), 0);
    const several = [append(journal), append(journal)];
    await here.clock.settle();
    assertEquals([slow.syncs(), journal.size], [1, 1]);
    slow.release();
    await Promise.all(several);
    assertEquals(journal.size, 3);
  });

  it("is not done in a journal that is not to grow, or was closed", async () => {
    using here = world();
    const journal = await here.open();
    journal.accepting = false;
    assertEquals(journal.append(newRecord()), undefined);
    journal.accepting = true;
    const appended = append(journal);
    const closed = journal.close();
    assertEquals(journal.append(newRecord()), undefined);
    await Promise.all([appended, closed]);
    assertEquals((await here.open({ segments: 0 })).append(newRecord()), undefined);
  });

  it("takes no record that a segment has no room for, and smaller ones after it", async () => {
    using here = world();
    const journal = await here.open();
    assertEquals(journal.append(newRecord(4097)), undefined);
    await here.clock.settle();
    await append(journal, 4096);
  });

  it("gives each record a later serial, whatever was lost and however early the clock is", async () => {
    using here = world();
    const journal = await here.open();
    const [a, b] = await Promise.all([append(journal), append(journal)]);
    assert(b.serial > a.serial);
    await here.clock.advance(1);
    const c = await append(journal);
    assert(c.serial > b.serial + 900_000);
    const lost = emptyQueue();
    const later = await append(await here.open({}, lost));
    assert(later.serial >= Date.now() * 1000);
    journal.done([c.serial]);
    await journal.close();
    const early = await here.open({ nowMs: () => 0 });
    assert((await append(early)).serial > c.serial);
  });

  it("asks its callers to wait while more than 8 MiB wait for the disk", async () => {
    using here = world();
    const options = {
      segment: { bytes: 16 * 1024 * 1024, records: 100 },
      numbers: { ready: 32, most: 64, breathe: () => Promise.resolve() },
    };
    await (await here.open(options)).close();
    const slow = holding(here.disk);
    const journal = await here.open(options, slow.disk);
    const appended = Array.from({ length: 9 }, () => append(journal, 1024 * 1024));
    assert(journal.pressed);
    slow.release();
    await journal.relaxed();
    assert(!journal.pressed);
    await Promise.all(appended);
  });
});

describe("the journal's segments", () => {
  it("are taken in turn, up to their limit, then there is no room until one is done", async () => {
    using here = world();
    const journal = await here.open();
    const entries: Entry[] = [];
    for (let n = 0; n < 6; n++) {
      entries.push(await append(journal, 2000));
      await here.clock.settle();
    }
    assertEquals(entries.map(({ segment }) => segment), [1, 1, 2, 2, 3, 3]);
    assertEquals(journal.append(newRecord(2000)), undefined);
    assertEquals([journal.segments, journal.size], [3, 6]);
    journal.done(entries.slice(2, 4).map(({ serial }) => serial));
    // Its marks are not on stable storage yet.
    assertEquals(journal.append(newRecord(2000)), undefined);
    await here.clock.settle();
    assertEquals((await append(journal, 2000)).segment, 2);
  });

  it("are written again only after a sync of their marks", async () => {
    using here = world();
    const journal = await here.open();
    const [a] = [await append(journal, 4000)];
    await here.clock.settle();
    await append(journal, 4000);
    journal.done([a.serial]);
    await here.clock.advance(1.1);
    const reused = await append(journal, 4000);
    assertEquals(reused.segment, 1);
    const { operations } = here.disk;
    assert(operations.lastIndexOf(marksSync(1)) < operations.lastIndexOf(`write ${journalSegment(home, 1)}`));
    assert(operations.lastIndexOf(marksSync(1)) > operations.lastIndexOf(`write ${journalSegment(home, 1)}.done`));
  });

  it("do not become more with every start", async () => {
    using here = world();
    for (let n = 0; n < 4; n++) {
      const journal = await here.open();
      journal.done([(await append(journal)).serial]);
      await journal.close();
    }
    // One, and a spare.
    assertEquals((await here.open()).segments, 2);
  });

  const manyNumbers = { ready: 64, most: 64, breathe: () => Promise.resolve() };

  /** Appends so many records, each of which fills a segment. */
  async function fill(here: ReturnType<typeof world>, journal: Journal, count: number, restSeconds = 0): Promise<void> {
    for (let n = 0; n < count; n++) {
      await append(journal, 4000);
      await here.clock.advance(restSeconds);
      await here.clock.settle();
    }
  }

  it("are made once it is quiet, as many as are in use: the next crowd finds them, and makes none", async () => {
    using here = world();
    const journal = await here.open({ segments: 40, numbers: manyNumbers });
    await fill(here, journal, 6, 0.05);
    assertEquals(journal.segments, 7);
    await here.clock.advance(0.3);
    assertEquals(journal.segments, 12);
    await fill(here, journal, 5, 0.05);
    assertEquals(journal.segments, 12);
    await here.clock.advance(0.3);
    assertEquals([journal.segments, here.troubles], [22, []]);
    await journal.close();
    const again = await here.open({ segments: 40 });
    assertEquals([again.size, again.segments], [11, 22]);
  });

  it("are made in quiet moments up to their limit, and up to sixteen spare ones", async () => {
    using here = world();
    const few = await here.open({ segments: 8 });
    await fill(here, few, 6);
    await here.clock.advance(0.3);
    assertEquals(few.segments, 8);
    await few.close();
    const many = await here.open({ segments: 99, numbers: manyNumbers });
    await fill(here, many, 20);
    await here.clock.advance(0.3);
    assertEquals([many.size, many.segments], [26, 26 + 16]);
  });

  it("are not tried again and again in quiet moments on a full disk", async () => {
    using here = world();
    const journal = await here.open({ segments: 40, numbers: manyNumbers });
    await fill(here, journal, 4, 0.05);
    for (let ahead = 0; ahead < 30; ahead++) failNext(here.disk, ahead, "ENOSPC");
    await here.clock.advance(5);
    assertEquals([journal.segments, here.troubles.length], [5, 1]);
  });

  it("hold no more records than there is room for marks", async () => {
    using here = world();
    const journal = await here.open({ segment: { bytes: 4096, records: 2 } });
    const entries: Entry[] = [];
    for (let n = 0; n < 4; n++) {
      entries.push(await append(journal, 200));
      await here.clock.settle();
    }
    assertEquals(entries.map(({ segment }) => segment), [1, 1, 2, 2]);
  });

  it("stay when fewer are allowed, and none is added", async () => {
    using here = world();
    const journal = await here.open();
    const first = await append(journal, 4000);
    await here.clock.settle();
    await append(journal, 4000);
    await here.clock.settle();
    journal.mostSegments = 1;
    await append(journal, 4000);
    assertEquals(journal.append(newRecord(4000)), undefined);
    await here.clock.settle();
    assertEquals([journal.segments, journal.find(first.serial) !== undefined], [3, true]);
  });

  it("are asked to become free when half of them are in use", async () => {
    using here = world();
    const journal = await here.open({ segments: 4 });
    const entries: Entry[] = [];
    for (let n = 0; n < 4; n++) {
      entries.push(await append(journal, 4000));
      await here.clock.settle();
    }
    // At the third turn two others hold records; each turn asks for one, and for none twice.
    assertEquals(here.vacated.map((asked) => asked.map(({ serial }) => serial)), [[entries[0]!.serial], [
      entries[1]!.serial,
    ]]);
  });

  it("are asked to become free after a minute, though there is room", async () => {
    using here = world();
    const journal = await here.open({ segments: 8 });
    const [a, b] = [await append(journal, 4000), await append(journal, 90)];
    await here.clock.settle();
    await append(journal, 4000);
    await here.clock.advance(58);
    assertEquals(here.vacated, []);
    await here.clock.advance(4);
    assertEquals(here.vacated.flat().map(({ serial }) => serial), [a, b].map(({ serial }) => serial));
    await here.clock.advance(60);
    assertEquals(here.vacated.length, 1);
  });

  it("of a journal that has run for an hour are not asked before their minute is over", async () => {
    using here = world();
    const journal = await here.open({ segments: 8 });
    await here.clock.advance(3600);
    await append(journal, 4000);
    await here.clock.settle();
    await append(journal, 4000);
    await here.clock.advance(50);
    assertEquals(here.vacated, []);
    await here.clock.advance(15);
    assertEquals(here.vacated.length, 1);
  });

  /** A journal whose segments have room for hundreds of records. */
  const roomy = {
    segment: { bytes: 64 * 1024, records: 600 },
    segments: 16,
    numbers: { ready: 1000, most: 4000, breathe: () => Promise.resolve() },
  };
  const crowd = (journal: Journal) => Promise.all(Array.from({ length: 300 }, () => append(journal, 90)));

  it("are not asked while much new mail comes, until they have waited for ten minutes", async () => {
    using here = world();
    const journal = await here.open(roomy);
    await append(journal, 90);
    const passBusy = async (seconds: number) => {
      for (let second = 0; second < seconds; second += 5) {
        journal.done((await crowd(journal)).map(({ serial }) => serial));
        await here.clock.advance(5);
      }
    };
    await passBusy(590);
    assertEquals(here.vacated, []);
    await passBusy(20);
    assertEquals(here.vacated.length, 1);
  });

  it("are asked soon after the mail has stopped, one at a time while many leave", async () => {
    using here = world();
    const journal = await here.open(roomy);
    const first = await crowd(journal);
    await here.clock.settle();
    const second = await append(journal, 40_000);
    await here.clock.settle();
    await append(journal, 40_000);
    await here.clock.advance(70);
    assertEquals(here.vacated.map(([entry]) => entry?.serial), [first[0]!.serial]);
    journal.done(first.slice(0, 100).map(({ serial }) => serial));
    await here.clock.advance(3);
    assertEquals(here.vacated.map(([entry]) => entry?.serial).at(1), second.serial);
  });
});
