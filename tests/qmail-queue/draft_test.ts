import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Draft } from "../../components/qmail-queue/draft.ts";
import type { Disk } from "../../components/lib/disk/disk.ts";
import { toOctets } from "../../components/lib/octets.ts";
import type { FakeDisk, Keeps } from "../support/fake_disk.ts";
import { emptyQueue, home, queued } from "../support/queue_disk.ts";

const born = { serial: 1, qp: 4896, how: "from network", unixSeconds: 1795333684 } as const;
const envelope = { uid: 7791, qp: 4896, sender: "amy@a.example", recipients: ["bob@b.example", "eve@e.example"] };
const received = "Received: (qmail 4896 invoked from network); 22 Nov 2026 07:48:04 -0000\n";
const whole = { sender: envelope.sender, recipients: envelope.recipients, text: `${received}Subject: a\n\nhello\n` };

/** Queues one message; answers whether that settled. */
async function queueOne(disk: Disk): Promise<boolean> {
  const draft = new Draft(disk, home, born, toOctets("Subject: a\n\n"));
  try {
    draft.write(toOctets("hello\n"));
  } catch (error) {
    draft.abort();
    throw error;
  }
  await draft.commit(envelope);
  return true;
}

const settles = (disk: Disk) => queueOne(disk).catch(() => false);

async function operations(): Promise<string[]> {
  const disk = emptyQueue();
  await queueOne(disk);
  return disk.operations;
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

  it("leaves one whole message or none when the process ends at any operation", async () => {
    const count = (await operations()).length;
    for (let n = 0; n <= count; n++) {
      const disk = emptyQueue();
      disk.stopAt(n);
      const settled = await settles(disk);
      assertEquals(settled, n === count);
      check(disk.afterCrash(), settled, `stopped at ${n}`);
    }
  });

  it("leaves one whole message or none when the power fails at any operation", async () => {
    const count = (await operations()).length;
    for (let n = 0; n <= count; n++) {
      const disk = emptyQueue();
      disk.stopAt(n);
      const settled = await settles(disk);
      for (const keeps of extremes) check(disk.afterPowerLoss(keeps), settled, `power lost at ${n}`);
      fc.assert(fc.property(anyKeeps, (keeps) => check(disk.afterPowerLoss(keeps), settled, `power lost at ${n}`)), {
        numRuns: 60,
      });
    }
  });

  for (const code of ["ENOSPC", "EIO"]) {
    it(`throws ${code} met at any operation and leaves no file, open or on the disk`, async () => {
      const names = await operations();
      for (const [n, name] of names.entries()) {
        const disk = emptyQueue();
        disk.failAt(n, code);
        const error = await assertRejects(() => queueOne(disk)) as { code?: string };
        assertEquals(error.code, code, name);
        assertEquals(messages(disk), [], `${code} at ${name}`);
        // One whose own removal fails may leave its birth name, which the next start removes.
        const rest = Object.keys(disk.files()).filter((path) => !path.startsWith("/q/queue/pid/"));
        assertEquals(rest, [], `${code} at ${name}`);
        assertEquals(disk.open, 0, `${code} at ${name}`);
      }
    });
  }

  it("removes what was written when it is aborted", () => {
    const disk = emptyQueue();
    const draft = new Draft(disk, home, born);
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
    assert(assertThrows(() => new Draft(disk, home, born)) instanceof Deno.errors.AlreadyExists);
    assertEquals(disk.files(), before);
    assertEquals(disk.open, 0);
  });
});

describe("the power-loss model", () => {
  const lossy: { claim: string; without: (disk: FakeDisk) => Disk }[] = [
    { claim: "syncDir()", without: (disk) => wrap(disk, { syncDir: () => Promise.resolve() }) },
    {
      claim: "the sync of the folder in mess",
      without: (disk) =>
        wrap(disk, { syncDir: (dir) => dir.includes("/mess/") ? Promise.resolve() : disk.syncDir(dir) }),
    },
    {
      claim: "the sync of todo",
      without: (disk) =>
        wrap(disk, { syncDir: (dir) => dir.endsWith("/todo") ? Promise.resolve() : disk.syncDir(dir) }),
    },
    {
      claim: "the sync of the files",
      without: (disk) =>
        wrap(disk, {
          create: (path, mode) => Object.assign(disk.create(path, mode), { sync: () => Promise.resolve() }),
        }),
    },
  ];
  for (const { claim, without } of lossy) {
    it(`catches the loss when ${claim} does nothing`, async () => {
      const disk = emptyQueue();
      assert(await queueOne(without(disk)));
      assertThrows(() => check(disk.afterPowerLoss(() => "old"), true, claim));
    });
  }
});

/** `disk` with some of its calls replaced. */
function wrap(disk: FakeDisk, replaced: Partial<Disk>): Disk {
  const names = [
    "create",
    "openWrite",
    "openAppend",
    "readFile",
    "stat",
    "link",
    "rename",
    "remove",
    "setMtime",
  ] as const;
  const bound = [...names, "list" as const, "syncDir" as const].map((name) => [name, disk[name].bind(disk)]);
  return { ...Object.fromEntries(bound), ...replaced };
}
