import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { journalNumbers } from "../../../components/lib/queue/layout.ts";
import { Numbers } from "../../../components/qmail-queue/journal/numbers.ts";
import type { FakeDisk } from "../../support/fake_disk.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { emptyQueue, home, keptFile } from "../../support/queue_disk.ts";

const folder = journalNumbers(home);

function numbersOf(disk: FakeDisk, options = { ready: 40, most: 1000, breathe: () => Promise.resolve() }) {
  const troubles: unknown[] = [];
  return { troubles, numbers: new Numbers(disk, home, options, (error) => troubles.push(error)) };
}

/** A disk on which these numbers are kept. */
function keeping(...ids: readonly number[]): FakeDisk {
  const disk = emptyQueue();
  for (const id of ids) {
    disk.setNextInode(id);
    disk.put(`${folder}/${id}`, new Uint8Array());
  }
  return disk;
}

/** All that can be taken without waiting. */
function takeAll(numbers: Numbers): number[] {
  const taken: number[] = [];
  for (let id = numbers.take(); id !== undefined; id = numbers.take()) taken.push(id);
  return taken;
}

describe("Numbers", () => {
  it("makes files whose inodes are the numbers, a batch at a time, until enough are ready", async () => {
    const disk = emptyQueue();
    const { numbers } = numbersOf(disk);
    await numbers.refill();
    const names = disk.list(folder);
    assertEquals(names.length, 40);
    assertEquals(new Set(takeAll(numbers)), new Set(names.map((name) => disk.stat(`${folder}/${name}`)?.inode)));
    assertEquals(disk.operations.filter((operation) => operation === `syncdir ${folder}`).length, 1);
    assertEquals(disk.list(home.queue("pid")), []);
    assertEquals(disk.open, 0);
  });

  it("gives none before a sync of their folder", async () => {
    const disk = emptyQueue();
    const { numbers } = numbersOf(disk);
    assertEquals(numbers.take(), undefined);
    assertEquals(numbers.take(), undefined);
    await numbers.refill();
    const taken = takeAll(numbers);
    assertEquals(taken.length, 40);
    const after = disk.afterPowerLoss(() => "old");
    for (const id of taken) assert(keptFile(after, id) !== undefined);
  });

  it("makes as many as are in use while none is taken, up to its limit", async () => {
    using clock = new FakeClock();
    const { numbers } = numbersOf(emptyQueue(), { ready: 10, most: 150, breathe: () => Promise.resolve() });
    await numbers.refill();
    const taken = takeAll(numbers);
    await numbers.refill();
    for (let id = numbers.take(); taken.length < 100; id = numbers.take()) {
      if (id === undefined) await numbers.refill();
      else taken.push(id);
    }
    await numbers.refill();
    assert(takeAll(numbers).length < 100);
    await numbers.refill();
    await clock.advance(0.2);
    await clock.settle();
    const ready = takeAll(numbers).length;
    assert(ready >= 100, `${ready} were ready`);
    for (let n = 0; n < 5; n++) {
      await numbers.refill();
      await clock.advance(0.2);
    }
    numbers.close();
    assert(takeAll(numbers).length < 150 + 32);
  });

  it("gives the one first that was given back first", () => {
    const { numbers } = numbersOf(keeping(5, 6, 7), { ready: 0, most: 9, breathe: () => Promise.resolve() });
    numbers.recover();
    const [a, b, c] = takeAll(numbers);
    assertEquals(new Set([a, b, c]), new Set([5, 6, 7]));
    for (const id of [b!, c!, a!]) numbers.release(id);
    assertEquals(takeAll(numbers), [b, c, a]);
  });

  it("takes back none twice, and none that nobody had", () => {
    const { numbers } = numbersOf(keeping(5), { ready: 0, most: 9, breathe: () => Promise.resolve() });
    numbers.recover();
    numbers.take();
    for (const id of [5, 5, 77]) numbers.release(id);
    assertEquals(takeAll(numbers), [5]);
  });

  it("lets each that is kept be claimed once", () => {
    const { numbers } = numbersOf(keeping(5, 6), { ready: 0, most: 9, breathe: () => Promise.resolve() });
    numbers.recover();
    assertEquals([5, 5, 7].map((id) => numbers.claim(id)), [true, false, false]);
    assertEquals(takeAll(numbers), [6]);
  });

  it("finds inodes under whatever name, and removes second names and what keeps no number", () => {
    const disk = keeping(5);
    disk.setNextInode(60);
    for (const name of ["kept.7", "61", "x"]) disk.put(`${folder}/${name}`, new Uint8Array());
    disk.link(`${folder}/5`, `${folder}/kept.9`);
    const { numbers } = numbersOf(disk, { ready: 0, most: 9, breathe: () => Promise.resolve() });
    numbers.recover();
    assertEquals(disk.list(folder).length, 3);
    assertEquals(new Set(takeAll(numbers)), new Set([5, 60, 61]));
  });

  it("gives no name twice, also after a restart", async () => {
    const disk = emptyQueue();
    for (let start = 0; start < 3; start++) {
      const { numbers } = numbersOf(disk, { ready: 4 + start, most: 99, breathe: () => Promise.resolve() });
      numbers.recover();
      takeAll(numbers);
      await numbers.refill();
      numbers.close();
    }
    assert(disk.list(folder).length > 6);
  });

  it("removes at a start what is beyond its limit and nobody claimed", () => {
    const disk = keeping(5, 6, 7, 8);
    const { numbers } = numbersOf(disk, { ready: 0, most: 2, breathe: () => Promise.resolve() });
    numbers.recover();
    numbers.claim(5);
    numbers.trim();
    const left = disk.list(folder).map(Number);
    assertEquals(left.length, 3);
    assert(left.includes(5));
    assertEquals(new Set(takeAll(numbers)), new Set(left.filter((id) => id !== 5)));
  });

  it("gives none that has become a message of the layout", () => {
    const disk = keeping(5, 6);
    disk.link(`${folder}/5`, home.queue("mess", "5", "5"));
    const { numbers } = numbersOf(disk, { ready: 0, most: 9, breathe: () => Promise.resolve() });
    numbers.recover();
    numbers.trim();
    assertEquals(takeAll(numbers), [6]);
    assertEquals(disk.list(folder), ["6"]);
    assert(disk.stat(home.queue("mess", "5", "5")) !== undefined);
  });

  it("lets go of one that has moved", () => {
    const disk = keeping(5);
    const { numbers } = numbersOf(disk, { ready: 0, most: 9, breathe: () => Promise.resolve() });
    numbers.recover();
    numbers.take();
    numbers.moved(5);
    numbers.release(5);
    assertEquals([takeAll(numbers), disk.list(folder)], [[], []]);
  });

  it("makes one on the spot where none is ready", () => {
    const disk = emptyQueue();
    const { numbers } = numbersOf(disk, { ready: 0, most: 9, breathe: () => Promise.resolve() });
    const id = numbers.takeNow();
    assert(keptFile(disk, id) !== undefined);
    numbers.release(id);
    assertEquals(numbers.takeNow(), id);
  });

  it("does not take a number under which mess has another file", () => {
    const disk = emptyQueue();
    disk.put(home.queue("mess", String(2000 % 23), "2000"), new Uint8Array());
    disk.setNextInode(2000);
    const { numbers } = numbersOf(disk, { ready: 0, most: 9, breathe: () => Promise.resolve() });
    assertThrows(() => numbers.takeNow());
    assertEquals(disk.list(folder), []);
    assertEquals(disk.list(home.queue("pid")), []);
  });

  it("rests after a full disk, and goes on with all it had made", async () => {
    using clock = new FakeClock();
    const disk = emptyQueue();
    const { numbers, troubles } = numbersOf(disk);
    disk.failAt(20, "ENOSPC");
    await numbers.refill();
    assertEquals(troubles.length, 1);
    assertEquals(disk.list(home.queue("pid")), []);
    const before = disk.operations.length;
    assertEquals(numbers.take(), undefined);
    await numbers.refill();
    assertEquals(disk.operations.length, before);
    await clock.advance(10);
    await numbers.refill();
    const made = new Set(disk.list(folder).map((name) => disk.stat(`${folder}/${name}`)!.inode));
    assertEquals(new Set(takeAll(numbers)), made);
  });

  it("gives none whose folder's sync failed, and all once it has not", async () => {
    using clock = new FakeClock();
    const disk = emptyQueue();
    const { numbers, troubles } = numbersOf(disk);
    disk.failAt(40, "EIO");
    await numbers.refill();
    assertEquals(disk.operations[40], `syncdir ${folder}`);
    assertEquals(troubles.length, 1);
    assertEquals(numbers.take(), undefined);
    await clock.advance(10);
    await numbers.refill();
    const made = disk.list(folder).length;
    assertEquals(takeAll(numbers).length, made);
  });

  it("makes no more once it is closed", async () => {
    const disk = emptyQueue();
    const { numbers } = numbersOf(disk);
    numbers.close();
    await numbers.refill();
    assertEquals(disk.operations, []);
  });
});
