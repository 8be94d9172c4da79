import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Draft } from "../../components/qmail-queue/draft.ts";
import type { Disk } from "../../components/lib/disk/disk.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { formatTodo } from "../../components/lib/queue/envelope.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { formatMessageOptions } from "../../components/lib/queue/message_options.ts";
import { formatOptionsFile, parseOptionsFile } from "../../components/lib/queue/options_file.ts";
import type { FakeDisk, Keeps } from "../support/fake_disk.ts";
import { emptyQueue, home, queued } from "../support/queue_disk.ts";

const born = { serial: 1, qp: 4896, unixSeconds: 1795333684 };
const envelope = { uid: 7791, qp: 4896, sender: "amy@a.example", recipients: ["bob@b.example", "eve@e.example"] };
const todo = formatTodo(envelope);
const received = "Received: (qmail 4896 invoked from network); 22 Nov 2026 07:48:04 -0000\n";
const whole = { sender: envelope.sender, recipients: envelope.recipients, text: `${received}Subject: a\n\nhello\n` };

const options = formatMessageOptions({ envid: "QQ\n314159", recipients: new Map([[1, { orcpt: "rfc822;eve" }]]) }, [
  ...envelope.recipients,
]);

/** Queues one message; answers whether that settled. */
async function queueOne(disk: Disk, asked?: string): Promise<boolean> {
  const draft = Draft.begin(disk, home, born, [toOctets(received), toOctets("Subject: a\n\n")]);
  try {
    draft.write(toOctets("hello\n"));
  } catch (error) {
    draft.abort();
    throw error;
  }
  await draft.commit(todo, asked);
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
async function adoptOne(disk: Disk, asked?: string): Promise<boolean> {
  await Draft.adopt(disk, home, `/q/queue/journal/numbers/${kept}`, born.unixSeconds, toOctets(whole.text)).commit(
    todo,
    asked,
  );
  return true;
}

const ways: readonly Way[] = [
  { way: "begin()", fresh: () => Promise.resolve(emptyQueue()), queue: (disk: Disk) => queueOne(disk) },
  { way: "adopt()", fresh: withNumber, queue: (disk: Disk) => adoptOne(disk) },
  {
    way: "begin() with options",
    fresh: () => Promise.resolve(emptyQueue()),
    queue: (disk: Disk) => queueOne(disk, options),
    asked: options,
  },
  { way: "adopt() with options", fresh: withNumber, queue: (disk: Disk) => adoptOne(disk, options), asked: options },
];
interface Way {
  readonly way: string;
  readonly fresh: () => Promise<FakeDisk>;
  readonly queue: (disk: Disk) => Promise<boolean>;
  readonly asked?: string;
}

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

/** One whole message when it was promised, else none or one, with what was asked for beside it; never half of one. */
function check(disk: FakeDisk, settled: boolean, what: string, { asked }: Pick<Way, "asked">): void {
  const found = messages(disk);
  assertEquals(found, found.length === 0 && !settled ? [] : [whole], what);
  for (const { id } of queued(disk)) {
    const path = queueFile(home, "options", id);
    assertEquals(disk.exists(path), asked !== undefined, what);
    if (asked === undefined) continue;
    assertEquals(parseOptionsFile(disk.readFile(path), disk.readFile(queueFile(home, "mess", id))), asked, what);
  }
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
        check(disk.afterCrash(), settled, `stopped at ${n}`, how);
      }
    });

    it(`leaves one whole message or none when the power fails at any operation of ${how.way}`, async () => {
      const count = (await operations(how)).length;
      for (let n = 0; n <= count; n++) {
        const { disk, settled } = await stoppedAt(n, how);
        const checkWith = (keeps: Keeps) => check(disk.afterPowerLoss(keeps), settled, `power lost at ${n}`, how);
        extremes.forEach(checkWith);
        fc.assert(fc.property(anyKeeps, checkWith), { numRuns: 60 });
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
    for (const how of [ways[1]!, ways[3]!]) {
      for (const n of (await operations(how)).keys()) {
        const disk = await withNumber();
        disk.failAt(n, "EIO");
        await assertRejects(async () => await how.queue(disk));
        assert(await how.queue(disk));
        check(disk, true, `EIO at ${n}`, how);
      }
    }
  });

  it("makes a file of what was asked for, in the place of one that an earlier message of its number left", async () => {
    const disk = emptyQueue();
    disk.put("/q/queue/options/1000", toOctets("stale"));
    disk.setNextInode(1000);
    await queueOne(disk, options);
    check(disk, true, "over an old one", { asked: options });
    assertEquals(disk.open, 0);
  });

  it("leaves alone what an earlier message of its number left, when nothing was asked for: it is known to be that one's", async () => {
    const disk = emptyQueue();
    const other = formatOptionsFile(options, toOctets(received.replace("4896", "4897")));
    disk.put("/q/queue/options/1000", other);
    disk.setNextInode(1000);
    await queueOne(disk);
    assertEquals(parseOptionsFile(other, disk.readFile("/q/queue/mess/11/1000")), undefined);
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
  const lost: { claim: string; matches: (operation: string) => boolean; asked?: boolean }[] = [
    { claim: "every folder", matches: (operation) => operation.startsWith("syncdir ") },
    { claim: "the folder in mess", matches: (operation) => operation.startsWith("syncdir /q/queue/mess/") },
    { claim: "todo", matches: (operation) => operation === "syncdir /q/queue/todo" },
    { claim: "the text", matches: (operation) => /^sync .*\/(pid|numbers)\//.test(operation) },
    { claim: "the envelope", matches: (operation) => operation.startsWith("sync /q/queue/intd/") },
    { claim: "the options", matches: (operation) => operation.startsWith("sync /q/queue/options/"), asked: true },
    { claim: "their folder", matches: (operation) => operation === "syncdir /q/queue/options", asked: true },
  ];
  for (const { claim, matches, asked = false } of lost) {
    for (const how of ways.filter((how) => how.asked !== undefined || !asked)) {
      const { way, fresh, queue } = how;
      it(`catches the loss when the sync of ${claim} does nothing in ${way}`, async () => {
        const disk = await fresh();
        disk.loseSyncs(matches);
        assert(await queue(disk));
        assertThrows(() => check(disk.afterPowerLoss(() => "old"), true, claim, how));
      });
    }
  }
});
