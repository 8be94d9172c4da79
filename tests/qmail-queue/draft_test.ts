import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Draft } from "../../components/qmail-queue/draft.ts";
import type { Disk } from "../../components/lib/disk/disk.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { formatTodo } from "../../components/lib/queue/envelope.ts";
import type { FakeDisk, Keeps } from "../support/fake_disk.ts";
import { emptyQueue, home, queued } from "../support/queue_disk.ts";

const born = { serial: 1, qp: 4896, unixSeconds: 1795333684 };
const envelope = { uid: 7791, qp: 4896, sender: "amy@a.example", recipients: ["bob@b.example", "eve@e.example"] };
const todo = formatTodo(envelope);
const received = "Received: (qmail 4896 invoked from network); 22 Nov 2026 07:48:04 -0000\n";
const whole = { sender: envelope.sender, recipients: envelope.recipients, text: `${received}Subject: a\n\nhello\n` };

/** Queues one message; answers whether that settled. */
async function queueOne(disk: Disk): Promise<boolean> {
  const draft = Draft.begin(disk, home, born, [toOctets(received), toOctets("Subject: a\n\n")]);
  try {
    draft.write(toOctets("hello\n"));
  } catch (error) {
    draft.abort();
    throw error;
  }
  await draft.commit(todo);
  return true;
}

const kept = 1001;

/** A disk that keeps number 1001, and nothing else. */
async function withNumber(): Promise<FakeDisk> {
  const disk = emptyQueue();
  disk.create("/q/queue/journal/numbers/1001", 0o644).close();
  await disk.syncDir("/q/queue/journal/numbers");
  return disk.afterPowerLoss(() => "old");
}

/** Puts the same message into the layout under its kept number; answers whether that settled. */
async function adoptOne(disk: Disk): Promise<boolean> {
  await Draft.adopt(disk, home, kept, born.unixSeconds, toOctets(whole.text)).commit(todo);
  return true;
}

const ways = [
  { way: "begin()", fresh: () => Promise.resolve(emptyQueue()), queue: queueOne },
  { way: "adopt()", fresh: withNumber, queue: adoptOne },
];
type Way = (typeof ways)[number];

async function operations({ fresh, queue }: Way): Promise<string[]> {
  const disk = await fresh();
  await queue(disk);
  return disk.operations;
}

/** The disk of one that was stopped at operation `n`. */
async function stoppedAt(n: number, { fresh, queue }: Way): Promise<{ disk: FakeDisk; settled: boolean }> {
  const disk = await fresh();
  disk.stopAt(n);
  return { disk, settled: await queue(disk).catch(() => false) };
}

/** The messages without their numbers. */
const messages = (disk: FakeDisk) => queued(disk).map(({ sender, recipients, text }) => ({ sender, recipients, text }));

/** One whole message when it was promised, else none or one; never half of one. */
function check(disk: FakeDisk, settled: boolean, what: string): void {
  const found = messages(disk);
  assertEquals(found, found.length === 0 && !settled ? [] : [whole], what);
}

const extremes: Keeps[] = [() => "old", () => "new", () => "torn"];
const anyKeeps = fc.func(fc.constantFrom<"old" | "new" | "torn">("old", "new", "torn"));

describe("Draft", () => {
  it("makes a message of qmail's files, named by the inode", async () => {
    const disk = emptyQueue();
    disk.setNextInode(1000);
    await queueOne(disk);
    const records = "u7791\0p4896\0Famy@a.example\0Tbob@b.example\0Teve@e.example\0";
    assertEquals(disk.files(), {
      "/q/queue/intd/1000": records,
      "/q/queue/mess/11/1000": whole.text,
      "/q/queue/todo/1000": records,
    });
    assertEquals(disk.open, 0);
  });

  it("makes one under a kept number, with the time of its birth, and keeps the number's name", async () => {
    const disk = await withNumber();
    await adoptOne(disk);
    assertEquals(Object.keys(disk.files()), [
      "/q/queue/intd/1001",
      "/q/queue/journal/numbers/1001",
      "/q/queue/mess/12/1001",
      "/q/queue/todo/1001",
    ]);
    assertEquals(messages(disk), [whole]);
    assertEquals(disk.stat("/q/queue/mess/12/1001")?.mtimeSeconds, born.unixSeconds);
    assertEquals(disk.stat("/q/queue/mess/12/1001")?.inode, kept);
    assertEquals(disk.open, 0);
  });

  for (const how of ways) {
    it(`leaves one whole message or none when the process ends at any operation of ${how.way}`, async () => {
      const count = (await operations(how)).length;
      for (let n = 0; n <= count; n++) {
        const { disk, settled } = await stoppedAt(n, how);
        assertEquals(settled, n === count);
        check(disk.afterCrash(), settled, `stopped at ${n}`);
      }
    });

    it(`leaves one whole message or none when the power fails at any operation of ${how.way}`, async () => {
      const count = (await operations(how)).length;
      for (let n = 0; n <= count; n++) {
        const { disk, settled } = await stoppedAt(n, how);
        for (const keeps of extremes) check(disk.afterPowerLoss(keeps), settled, `power lost at ${n}`);
        const any = fc.property(anyKeeps, (keeps) => check(disk.afterPowerLoss(keeps), settled, `power lost at ${n}`));
        fc.assert(any, { numRuns: 60 });
      }
    });

    for (const code of ["ENOSPC", "EIO"]) {
      it(`throws ${code} met at any operation of ${how.way} and leaves no file, open or on the disk`, async () => {
        for (const [n, name] of (await operations(how)).entries()) {
          const disk = await how.fresh();
          disk.failAt(n, code);
          const error = await assertRejects(async () => await how.queue(disk)) as { code?: string };
          assertEquals(error.code, code, name);
          assertEquals(messages(disk), [], `${code} at ${name}`);
          // One whose own removal fails may leave its birth name, which the next start removes.
          const rest = Object.keys(disk.files()).filter((path) => !/\/(pid|numbers)\//.test(path));
          assertEquals(rest, [], `${code} at ${name}`);
          assertEquals(disk.open, 0, `${code} at ${name}`);
        }
      });
    }
  }

  it("can be made under a kept number after that has failed once", async () => {
    const how = ways[1]!;
    for (const n of (await operations(how)).keys()) {
      const disk = await withNumber();
      disk.failAt(n, "EIO");
      await assertRejects(async () => await adoptOne(disk));
      assert(await adoptOne(disk));
      assertEquals(messages(disk), [whole]);
    }
  });

  it("removes what was written when it is aborted", () => {
    const disk = emptyQueue();
    const draft = Draft.begin(disk, home, born, []);
    draft.write(toOctets("hello\n"));
    draft.abort();
    assertEquals(disk.files(), {});
    assertEquals(disk.open, 0);
  });

  it("does not touch a foreign file that has the number of its own", () => {
    const disk = emptyQueue();
    disk.put("/q/queue/mess/11/1000", toOctets("another's\n"));
    disk.put("/q/queue/todo/1000", toOctets("u0\0p1\0F\0Tamy@a.example\0"));
    disk.setNextInode(1000);
    const before = disk.files();
    assert(assertThrows(() => Draft.begin(disk, home, born, [])) instanceof Deno.errors.AlreadyExists);
    assertEquals(disk.files(), before);
    assertEquals(disk.open, 0);
  });
});

describe("the power-loss model", () => {
  const lost: { claim: string; matches: (operation: string) => boolean }[] = [
    { claim: "every folder", matches: (operation) => operation.startsWith("syncdir ") },
    { claim: "the folder in mess", matches: (operation) => operation.startsWith("syncdir /q/queue/mess/") },
    { claim: "todo", matches: (operation) => operation === "syncdir /q/queue/todo" },
    { claim: "the text", matches: (operation) => /^sync .*\/(pid|numbers)\//.test(operation) },
    { claim: "the envelope", matches: (operation) => operation.startsWith("sync /q/queue/intd/") },
  ];
  for (const { claim, matches } of lost) {
    for (const { way, fresh, queue } of ways) {
      it(`catches the loss when the sync of ${claim} does nothing in ${way}`, async () => {
        const disk = await fresh();
        disk.loseSyncs(matches);
        assert(await queue(disk));
        assertThrows(() => check(disk.afterPowerLoss(() => "old"), true, claim));
      });
    }
  }
});
