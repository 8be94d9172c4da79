import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { journalNumbers } from "../../components/lib/queue/layout.ts";
import { captureLog } from "../support/captured_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import type { FakeDisk, Keeps } from "../support/fake_disk.ts";
import { emptyQueue, home } from "../support/queue_disk.ts";
import { checkPromises, Lives, openQueue, promises, tinyJournal } from "./lives.ts";

const small = (name: string, sizeBytes = 300) => ({ name, sizeBytes });
/** Two of them fill a segment. */
const half = (name: string) => small(name, 1600);

/** From an empty queue. */
async function firstMessages(lives: Lives): Promise<void> {
  await lives.start();
  await lives.accept(small("a1"), small("a2"));
  await lives.acceptLarge("l1");
  lives.done("a1");
  await lives.second();
}

/** Through everything that happens to a journal: shared syncs, turns, moves, both ends of a process. */
async function longLife(lives: Lives): Promise<void> {
  await lives.start();
  await lives.accept(small("a1"), small("a2"));
  await lives.acceptLarge("l1");
  lives.done("a1");
  await lives.move("a2");
  await lives.accept(half("b1"));
  await lives.second();
  await lives.kill();
  await lives.start();
  await lives.accept(half("c1"), half("c2"));
  await lives.clean("a2");
  lives.done("b1", "c1");
  await lives.accept(half("d1"), small("d2"));
  lives.done("c2");
  await lives.second();
  await lives.move("d2");
  await lives.clean("d2");
  // Its inode may be the one that has just come free.
  await lives.acceptLarge("l2");
  await lives.acceptLarge("l3");
  lives.done("l1");
  await lives.stop();
  await lives.start();
  lives.done("d1");
  await lives.move("l2");
  await lives.accept(half("e1"), half("e2"), small("e3"));
  lives.done("e2");
  await lives.accept(half("f1"), half("f2"));
  await lives.move("e1");
  await lives.clean("l2");
  lives.done("f1", "l3");
  await lives.accept(half("g1"));
  await lives.second();
}

/** A message takes into the layout the number of another that was done, and whose mark is not on stable storage yet. */
async function numberAgain(lives: Lives): Promise<void> {
  await lives.start();
  await lives.accept(small("x1"));
  await lives.accept(half("a1"));
  await lives.accept(half("b1"));
  // The others keep the segment, and its marks from being synced for another turn.
  lives.done("a1");
  await lives.accept(small("c1", 1500));
  await lives.move("c1");
  await lives.accept(half("d1"));
  lives.done("d1");
  await lives.acceptLarge("l1");
  lives.done("l1");
  await lives.acceptLarge("l2");
  await lives.second();
}

/** A queue whose journal keeps so many numbers, so that they are used again soon. */
async function usedQueue(clock: FakeClock, numbers: number): Promise<FakeDisk> {
  const disk = emptyQueue(() => clock.seconds);
  const journal = await openQueue(disk, tinyJournal(() => {}));
  await journal.close();
  for (const name of disk.list(journalNumbers(home)).slice(numbers)) disk.remove(`${journalNumbers(home)}/${name}`);
  const left = disk.afterPowerLoss(() => "new");
  left.reuseInodes();
  return left;
}

const stories = [
  {
    story: "its first messages",
    fresh: (clock: FakeClock) => Promise.resolve(emptyQueue(() => clock.seconds)),
    live: firstMessages,
  },
  { story: "a long life", fresh: (clock: FakeClock) => usedQueue(clock, 5), live: longLife },
  { story: "a hurry", fresh: (clock: FakeClock) => usedQueue(clock, 3), live: numberAgain },
];
type Story = (typeof stories)[number];

/** A story lived on a disk that `prepare` made difficult. */
async function lived({ fresh, live }: Story, clock: FakeClock, prepare: (disk: FakeDisk) => void): Promise<Lives> {
  const disk = await fresh(clock);
  prepare(disk);
  const lives = new Lives(disk, clock);
  await live(lives);
  clock.dropTimers();
  return lives;
}

const extremes: readonly Keeps[] = [() => "old", () => "new", () => "torn"];
const anyKeeps = fc.func(fc.constantFrom<"old" | "new" | "torn">("old", "new", "torn"));

async function checkPowerLosses(lives: Lives, allowed: typeof promises.afterPower, when: string, numRuns: number) {
  const check = (keeps: Keeps) => checkPromises(lives, lives.disk.afterPowerLoss(keeps), allowed, when);
  for (const keeps of extremes) await check(keeps);
  if (numRuns > 0) await fc.assert(fc.asyncProperty(anyKeeps, check), { numRuns });
}

/** Runs `body` for every operation of a story. */
async function atEach(story: Story, body: (n: number, what: string, clock: FakeClock) => Promise<void>): Promise<void> {
  using clock = new FakeClock();
  using _log = captureLog();
  const { operations } = (await lived(story, clock, () => {})).disk;
  for (const [n, what] of operations.entries()) await body(n, `${n}: ${what}`, clock);
}

for (const story of stories) {
  describe(`qmail-queue in ${story.story}`, () => {
    it("keeps every promise when nothing happens", async () => {
      using clock = new FakeClock();
      using _log = captureLog();
      const lives = await lived(story, clock, () => {});
      assertEquals([...lives.known.values()].filter(({ fate }) => fate === "unsure" || fate === "refused"), []);
      await checkPromises(lives, lives.disk.afterCrash(), promises.afterKill, "at the end");
    });

    it("keeps every promise when the process ends at any operation, and the power in the next life", async () => {
      await atEach(story, async (n, when, clock) => {
        const lives = await lived(story, clock, (disk) => disk.stopAt(n));
        await checkPromises(lives, lives.disk.afterCrash(), promises.afterKill, `killed at ${when}`);
        const next = lives.heir(lives.disk.afterCrash());
        await next.start();
        await next.accept(small("late"));
        for (const moves of [false, true]) {
          if (moves) await next.moveAll();
          await checkPowerLosses(next, promises.afterPower, `killed at ${when}, then power lost`, 1);
        }
        clock.dropTimers();
      });
    });

    it("keeps every promise when the power fails at any operation", async () => {
      await atEach(story, async (n, when, clock) => {
        const lives = await lived(story, clock, (disk) => disk.stopAt(n));
        await checkPowerLosses(lives, promises.afterPower, `power lost at ${when}`, 6);
      });
    });

    it("keeps every promise after EIO at any operation, and the power fails soon after", async () => {
      await atEach(story, async (n, when, clock) => {
        const lives = await lived(story, clock, (disk) => {
          disk.failAt(n, "EIO");
          disk.stopAt(n + 1 + n % 7);
        });
        await checkPromises(lives, lives.disk.afterCrash(), promises.afterKill, `EIO at ${when}, then killed`);
        await checkPowerLosses(lives, promises.afterPower, `EIO at ${when}, then power lost`, 3);
      });
    });

    for (const [code, half] of [["EIO"], ["ENOSPC"], ["EIO", "half"]] as const) {
      it(`keeps every promise after ${code}${half === undefined ? "" : " and half a write"} at any operation`, async () => {
        await atEach(story, async (n, when, clock) => {
          const lives = await lived(story, clock, (disk) => disk.failAt(n, code, half));
          await checkPromises(lives, lives.disk.afterCrash(), promises.afterKill, `${code} at ${when}`);
          await checkPowerLosses(lives, promises.afterPower, `${code} at ${when}, then power lost`, 1);
        });
      });
    }
  });
}

describe("the proof", () => {
  const lost: { claim: string; matches: (operation: string) => boolean; story: Story }[] = [
    {
      claim: "the folder of segments",
      matches: (operation) => operation === "syncdir /q/queue/journal",
      story: stories[0]!,
    },
    {
      claim: "the folder of numbers",
      matches: (operation) => operation === "syncdir /q/queue/journal/numbers",
      story: stories[0]!,
    },
    {
      claim: "a segment",
      matches: (operation) => /^sync \/q\/queue\/journal\/\d+$/.test(operation),
      story: stories[1]!,
    },
    { claim: "the done marks", matches: (operation) => operation.endsWith(".done"), story: stories[1]! },
    {
      claim: "a folder in mess",
      matches: (operation) => operation.startsWith("syncdir /q/queue/mess/"),
      story: stories[1]!,
    },
    {
      claim: "the text of a large one",
      matches: (operation) => operation.startsWith("sync /q/queue/pid/"),
      story: stories[0]!,
    },
    {
      claim: "the name of a large one",
      matches: (operation) => operation.startsWith("syncdir /q/queue/mess/"),
      story: stories[0]!,
    },
    { claim: "todo", matches: (operation) => operation === "syncdir /q/queue/todo", story: stories[1]! },
    {
      claim: "the text of one that moves",
      matches: (operation) => operation.startsWith("sync /q/queue/journal/numbers/"),
      story: stories[1]!,
    },
    {
      claim: "the options of one that moves",
      matches: (operation) => operation.startsWith("sync /q/queue/options/"),
      story: stories[1]!,
    },
    {
      claim: "the folder of options",
      matches: (operation) => operation === "syncdir /q/queue/options",
      story: stories[1]!,
    },
    {
      claim: "the envelope of one that moves",
      matches: (operation) => operation.startsWith("sync /q/queue/intd/"),
      story: stories[1]!,
    },
  ];
  for (const { claim, matches, story } of lost) {
    it(`fails when the sync of ${claim} does nothing`, async () => {
      using clock = new FakeClock();
      using _log = captureLog();
      const lives = await lived(story, clock, (disk) => disk.loseSyncs(matches));
      assert(lives.disk.operations.some(matches));
      await assertRejects(() => checkPowerLosses(lives, promises.afterPower, claim, 0));
    });
  }
});
