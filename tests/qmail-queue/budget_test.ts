/**
 * What a message costs qmail-queue on the disk, counted: a shape that needs more writes, syncs or files for each message
 * would be slower on any machine.
 */
import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { type JournalMessage, smallMessageBytes } from "../../components/lib/wire/queue_protocol.ts";
import { Journal } from "../../components/qmail-queue/journal/journal.ts";
import { QueueStore } from "../../components/qmail-queue/store.ts";
import { captureLog } from "../support/captured_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { emptyQueue, home } from "../support/queue_disk.ts";
import { envelopeOf, textOf } from "./lives.ts";

const crowd = 20;

/** Operations on the disk by kind: what they do, and to which kind of file. */
function countsOf(operations: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const operation of operations) {
    const [verb = "", path = ""] = operation.split(" ");
    const kind = path.includes("/numbers")
      ? "number"
      : path.endsWith(".done")
      ? "marks"
      : path.includes("/journal/")
      ? "segment"
      : path.replace(/^.*\/queue\/([a-z]+).*$/, "$1");
    counts[`${verb} ${kind}`] = (counts[`${verb} ${kind}`] ?? 0) + 1;
  }
  return counts;
}

describe("qmail-queue's disk operations", () => {
  async function world(ready: number) {
    const clock = new FakeClock();
    const log = captureLog();
    const disk = emptyQueue(() => clock.seconds);
    const journal = await Journal.open(disk, home, {
      segment: { bytes: 1024 * 1024, records: 1000 },
      segments: 4,
      numbers: { ready, most: 2 * ready, breathe: () => Promise.resolve() },
      onTrouble: () => {},
      onVacate: () => {},
      nowMs: () => Date.now(),
      gather: () => Promise.resolve(),
    });
    const told: JournalMessage[] = [];
    const store = new QueueStore(disk, home, journal, {
      todo: () => {},
      journal: (message) => void told.push(message),
    });
    /** What `work` does on the disk. */
    const during = async (work: () => Promise<unknown>) => {
      const before = disk.operations.length;
      await work();
      return countsOf(disk.operations.slice(before));
    };
    const acceptCrowd = () =>
      Promise.all(Array.from({ length: crowd }, (_, n) => store.accept(envelopeOf(`m${n}`), textOf(`m${n}`, 4096))));
    const end = () => {
      log[Symbol.dispose]();
      clock[Symbol.dispose]();
    };
    const rest = async () => {
      await clock.advance(1.1);
      await journal.numbers.refill();
      await clock.settle();
    };
    // A spare segment, and numbers, are made when they are first needed.
    await acceptCrowd();
    journal.done(told.map(({ serial }) => serial));
    await rest();
    told.length = 0;
    return { rest, journal, store, told, during, acceptCrowd, [Symbol.dispose]: end };
  }

  it("are one write and one sync for twenty messages that come at once", async () => {
    using here = await world(4 * crowd);
    assertEquals(await here.during(here.acceptCrowd), { "write segment": 1, "sync segment": 1 });
  });

  it("are one write and one sync more for all that are done within a second", async () => {
    using here = await world(4 * crowd);
    await here.acceptCrowd();
    const counts = await here.during(async () => {
      for (const { serial } of here.told) here.journal.done([serial]);
      await here.rest();
    });
    const { "write marks": writes = 0, ...others } = counts;
    // Each call is written at once, so that the death of the process repeats nothing: qmail-send says many in one.
    assertEquals([writes <= crowd, others], [true, { "sync marks": 1 }]);
    const together = await here.during(async () => {
      here.told.length = 0;
      await here.acceptCrowd();
      here.journal.done(here.told.map(({ serial }) => serial));
      await here.rest();
    });
    assertEquals(together, { "write segment": 1, "sync segment": 1, "write marks": 1, "sync marks": 1 });
  });

  it("are one file for a large one, its text, and a share in two syncs: nothing of it is copied when it moves", async () => {
    using here = await world(crowd);
    here.told.length = 0;
    const names = Array.from({ length: crowd }, (_, n) => `large${n}`);
    const counts = await here.during(() =>
      Promise.all(names.map((name) => here.store.accept(envelopeOf(name), textOf(name, smallMessageBytes + 1))))
    );
    const { "syncdir mess": folders = 0, "write segment": writes = 0, "sync segment": syncs = 0, ...others } = counts;
    // Each is named by its inode before it is removed from pid; its field Received and its text are two writes.
    const each = { "create pid": crowd, "link pid": crowd, "remove pid": crowd, "write pid": 2 * crowd };
    assertEquals(others, { ...each, "sync pid": crowd });
    assertEquals([folders <= crowd, writes <= 3, syncs <= 3], [true, true, true], JSON.stringify(counts));
    const { serial, id } = here.told[0]!;
    const moved = await here.during(() => here.store.move(serial, id));
    const envelope = { "create intd": 1, "write intd": 1, "sync intd": 1, "link intd": 1, "syncdir todo": 1 };
    const options = { "remove options": 1, "create options": 1, "write options": 1, "sync options": 1 };
    assertEquals(moved, { ...envelope, ...options, "syncdir options": 1, "write marks": 1, "sync marks": 1 });
    assertEquals(await here.during(() => Promise.resolve(here.store.done([here.told[1]!.serial]))), {
      "remove mess": 1,
      "write marks": 1,
    });
  });

  it("are one file more for each that stays, and nothing else", async () => {
    using here = await world(crowd);
    const counts = await here.during(async () => {
      for (let round = 0; round < 5; round++) {
        await here.acceptCrowd();
        await here.journal.numbers.refill();
      }
    });
    const { "create number": created = 0, "syncdir number": synced = 0, ...others } = counts;
    assertEquals(others, { "write segment": 5, "sync segment": 5 });
    // Those that are ready for the next come on top.
    assertEquals([created <= (5 + 4) * crowd, synced <= 10], [true, true], `${created} files, ${synced} syncs`);
  });
});
