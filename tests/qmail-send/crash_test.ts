import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { anyLives, anyMails, type Life, type Mail, Trial } from "./crash_support.ts";
import type { Answer } from "./world.ts";

/** Without a journal every message goes through todo. */
const ways = [{ through: "todo", segments: 0 }, { through: "the journal", segments: 4 }];
const anyKeeps = fc.func(fc.constantFrom<"old" | "new" | "torn">("old", "new", "torn"));

/** A message is in the layout, but the mark in the journal fails that says so: it is delivered from there. */
const unmarkedMove: { readonly mails: Mail[]; readonly lives: Life[] } = {
  mails: [
    { count: 101, answers: [["K"]], padding: 0, asks: false },
    { count: 1, answers: [["lost", "lost", "K"], ["K"]], padding: 0, asks: false },
  ],
  lives: [
    { who: "both", at: "spawn", n: 0, seconds: 0, mails: 1, vacates: false, fails: [] },
    { who: "send", at: "disk", n: 0, seconds: 0, mails: 1, vacates: true, fails: [26] },
  ],
};

for (const { through, segments } of ways) {
  describe(`Manager without a crash, through ${through}`, () => {
    it("delivers to or bounces every recipient exactly once, and leaves an empty queue", async () => {
      await fc.assert(
        fc.asyncProperty(anyMails, fc.boolean(), async (mails, vacates) => {
          using trial = new Trial(mails, { segments, seconds: () => 2 });
          await trial.world.boot();
          await trial.handIn();
          await trial.world.clock.advance(1);
          if (vacates) trial.world.queue.vacateAll();
          await trial.finish();
          trial.assertAllDone("once");
          assertEquals([...trial.told().keys()].sort(), trial.toTell);
          trial.assertEmpty();
        }),
        { numRuns: 100 },
      );
    });

    it("repeats nothing that was reported before an orderly end", async () => {
      const anyStops = fc.array(
        fc.record({ who: fc.constantFrom("send", "queue"), seconds: fc.nat(3000), mails: fc.nat(3) }),
        { maxLength: 4 },
      );
      await fc.assert(
        fc.asyncProperty(anyMails, anyStops, async (mails, stops) => {
          using trial = new Trial(mails, { segments });
          const { world } = trial;
          for (const { who, seconds, mails } of stops) {
            await world.boot();
            await trial.handIn(mails);
            await world.clock.advance(seconds);
            if (who === "send") await world.stop();
            else await world.queue.stop();
          }
          await trial.finish();
          trial.assertAllDone("once");
          trial.assertEmpty();
        }),
        { numRuns: 80 },
      );
    });
  });

  describe(`Manager, killed again and again, through ${through}`, () => {
    it("loses no recipient and leaves an empty queue", async () => {
      await fc.assert(
        fc.asyncProperty(anyMails, anyLives(["send", "queue", "both"]), async (mails, lives) => {
          using trial = new Trial(mails, { segments });
          for (const life of lives) await trial.live(life);
          await trial.finish();
          trial.assertAllDone("at least once");
          await trial.sweepPid();
          trial.assertEmpty();
        }),
        { numRuns: 200, examples: [[unmarkedMove.mails, unmarkedMove.lives]] },
      );
    });

    it("loses no recipient when the power fails, whatever of the unsynced is kept", async () => {
      await fc.assert(
        fc.asyncProperty(
          anyMails,
          anyLives(["send", "queue", "power", "power"]),
          anyKeeps,
          async (mails, lives, keeps) => {
            using trial = new Trial(mails, { segments });
            for (const life of lives) await trial.live(life, keeps);
            await trial.finish();
            trial.assertAllDone("at least once");
          },
        ),
        { numRuns: 150 },
      );
    });

    it("delivers a message of one recipient whichever operation one of the two was killed at", async () => {
      for (const who of ["send", "queue"] as const) {
        for (const answers of [["K"], ["Z"], ["D"], ["Z", "D"]] as Answer[][]) {
          for (let n = 0; n < (who === "send" ? 30 : 20); n++) {
            using trial = new Trial([{ count: 1, answers: [answers], padding: 0, asks: n % 2 === 0 }], { segments });
            await trial.world.bootQueue();
            // From its first message on.
            if (who === "queue") trial.world.queue.process.killAt(n);
            const life: Life = { who, at: "disk", n: 1000 + n, seconds: 1000, mails: 1, vacates: false, fails: [] };
            await trial.live(who === "send" ? { ...life, n } : life);
            await trial.finish();
            trial.assertAllDone("at least once");
            trial.assertEmpty();
          }
        }
      }
    });
  });

  describe(`Manager on a disk that fails now and then, through ${through}`, () => {
    it("loses no recipient, and ends every message once it works again", async () => {
      const anyFailures = fc.array(fc.tuple(fc.nat(400), fc.constantFrom("EIO", "ENOSPC")), { maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(anyMails, anyFailures, async (mails, failures) => {
          using trial = new Trial(mails, { segments });
          const { world } = trial;
          for (const [n, code] of failures) world.disk.failAt(n, code);
          for (;;) {
            try {
              await trial.finish();
              break;
            } catch (error) {
              // A start may fail, as a process that the supervisor starts again.
              assert(error instanceof Error && /^(EIO|ENOSPC): /.test(error.message), `${error}`);
              await world.kill(world.disk);
            }
          }
          assertEquals(world.send.open, 0);
          // What was refused while the disk failed is handed in again, and what could not be removed goes at a start.
          await world.kill();
          await trial.finish();
          trial.assertAllDone("at least once");
          trial.assertEmpty();
        }),
        { numRuns: 150 },
      );
    });
  });
}

describe("a message that was refused, for its envelope could not be synced, and that a power loss brings back", () => {
  it("has what was asked for", async () => {
    const mails = [false, true, false].map((asks) => ({
      count: 101,
      answers: [["K"]] as Answer[][],
      padding: 0,
      asks,
    }));
    const life: Life = { who: "send", at: "disk", n: 0, seconds: 0, mails: 2, vacates: false, fails: [15, 4] };
    using trial = new Trial(mails, { segments: 0 });
    await trial.live(life);
    await trial.live(
      { ...life, who: "power", mails: 3, fails: [34, 4] },
      (path) => path.includes("/options/") ? "torn" : "old",
    );
    await trial.finish();
    trial.assertAllDone("at least once");
  });
});
