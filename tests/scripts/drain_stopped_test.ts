import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { toOctets } from "../../components/lib/octets.ts";
import { formatTodo } from "../../components/lib/queue/envelope.ts";
import { Draft } from "../../components/qmail-queue/draft.ts";
import { envelopePart } from "../../components/lib/queue/journal/record.ts";
import { Journal } from "../../components/qmail-queue/journal/journal.ts";
import { emptyJournal } from "../../scripts/queue/drain_stopped.ts";
import { captureLog } from "../support/captured_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import type { FakeDisk, Keeps } from "../support/fake_disk.ts";
import { emptyQueue, home, queued } from "../support/queue_disk.ts";

const senders = ["amy@a.example", "bob@b.example", "cal@c.example"];

/** The text of a large message, as it stands when its envelope goes into the journal; answers its number. */
async function putMess(disk: FakeDisk, text: Uint8Array): Promise<number> {
  const draft = Draft.begin(disk, home, { serial: 1, qp: 2, unixSeconds: 1 }, [text]);
  await draft.keep();
  draft.close();
  return draft.id;
}

/** A queue with three messages in its journal, one of them with its text in mess, and one that is done. */
async function withJournal(clock: FakeClock): Promise<FakeDisk> {
  const disk = emptyQueue(() => clock.seconds);
  const journal = await Journal.open(disk, home, {
    segment: { bytes: 2000, records: 8192 },
    segments: 1,
    numbers: { ready: 4, most: 8, breathe: () => Promise.resolve() },
    onTrouble: (error) => {
      throw error;
    },
    onVacate: () => {},
    nowMs: () => Date.now(),
    gather: () => Promise.resolve(),
  });
  for (const sender of ["done@d.example", ...senders]) {
    const envelope = formatTodo({ uid: 1, qp: 2, sender, recipients: ["x@y.example"] });
    const text = toOctets(`from ${sender}`);
    const mess = sender.startsWith("cal") ? await putMess(disk, text) : undefined;
    const { serial } = await journal.append({
      birthSeconds: 1,
      envelope: envelopePart(envelope, { options: undefined, messBytes: mess && text.length }),
      content: [mess === undefined ? text : text.subarray(0, 4)],
      mess,
    })!;
    if (sender.startsWith("done")) journal.done([serial]);
  }
  await journal.close();
  // Nothing is between what the process wrote and the disk.
  return disk.afterCrash();
}

function check(disk: FakeDisk): void {
  const messages = queued(disk);
  assertEquals(messages.map(({ sender }) => sender).toSorted(), senders);
  for (const { id, sender, text } of messages) {
    assertEquals([disk.stat(`/q/queue/mess/${id % 23}/${id}`)!.inode, text], [id, `from ${sender}`]);
  }
  assertEquals(Object.keys(disk.files()).filter((path) => path.startsWith("/q/queue/journal/")), []);
}

describe("emptyJournal()", () => {
  it("leaves every message in todo, and nothing in the journal", async () => {
    using clock = new FakeClock();
    const disk = await withJournal(clock);
    assertEquals(await emptyJournal(disk, home), 3);
    check(disk);
    assertEquals(disk.open, 0);
  });

  const crashes: readonly { name: string; after: (disk: FakeDisk) => FakeDisk }[] = [
    { name: "killed", after: (disk) => disk.afterCrash() },
    { name: "without power, all that was not synced lost", after: (disk) => disk.afterPowerLoss(() => "old") },
    { name: "without power, all of it kept", after: (disk) => disk.afterPowerLoss(() => "new") },
    ...[0, 1].map((odd) => ({
      name: `without power, every other thing kept (${odd})`,
      after: (disk: FakeDisk) => {
        let n = odd;
        const keeps: Keeps = () => n++ % 2 === 0 ? "old" : "new";
        return disk.afterPowerLoss(keeps);
      },
    })),
  ];
  for (const { name, after } of crashes) {
    it(`has every message exactly once when it is called again after it was ended at any operation (${name})`, async () => {
      using clock = new FakeClock();
      using _log = captureLog();
      const whole = await withJournal(clock);
      await emptyJournal(whole, home);
      for (let n = 0; n < whole.operations.length; n++) {
        const disk = await withJournal(clock);
        disk.stopAt(n);
        const ended = emptyJournal(disk, home).catch(() => {});
        await clock.settle();
        await ended;
        disk.stopNow();
        clock.dropTimers();
        const next = after(disk);
        await emptyJournal(next, home);
        check(next);
      }
    });
  }
});
