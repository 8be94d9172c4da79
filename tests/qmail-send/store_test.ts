import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type SplitMessage, Store } from "../../components/qmail-send/store.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { emptyQueue, home } from "../support/queue_disk.ts";

const id = 2189625;
const message: SplitMessage = {
  sender: "joe@localhost",
  birthSeconds: 1795332051,
  recipients: {
    local: [{ address: "joe@localhost", done: true }, { address: "joe-defer@localhost", done: false }],
    remote: [{ address: "later@r.example", done: false }],
  },
  bounce: "<noat@mx.example.com>:\nno\n\n",
};
const files = {
  [`/q/queue/bounce/${id}`]: "<noat@mx.example.com>:\nno\n\n",
  [`/q/queue/info/${id % 23}/${id}`]: "Fjoe@localhost\0",
  [`/q/queue/local/${id % 23}/${id}`]: "Djoe@localhost\0Tjoe-defer@localhost\0",
  [`/q/queue/remote/${id % 23}/${id}`]: "Tlater@r.example\0",
};
const path = (dir: "info" | "local" | "bounce" | "todo" | "mess") => queueFile(home, dir, id);

function world() {
  const disk = emptyQueue();
  return { disk, store: new Store(disk, home) };
}

const breathe = () => Promise.resolve();

describe("Store.writeSplit()", () => {
  it("writes qmail's files to the byte, the birth in info's time, and answers who is left and where", async () => {
    const { disk, store } = world();
    const left = await store.writeSplit(id, message, breathe);
    assertEquals(disk.files(), files);
    assertEquals(disk.stat(path("info"))?.mtimeSeconds, message.birthSeconds);
    assertEquals(left, {
      local: [{ address: "joe-defer@localhost", done: false, offset: 15 }],
      remote: [{ address: "later@r.example", done: false, offset: 0 }],
    });
    assertEquals(disk.open, 0);
  });

  it("has all of it on stable storage when it settles", async () => {
    const { disk, store } = world();
    await store.writeSplit(id, message, breathe);
    assertEquals(disk.afterPowerLoss(() => "old").files(), files);
  });

  it("writes no file for a channel that is done, and none for no failures", async () => {
    const { disk, store } = world();
    const done = { local: [{ address: "a@b", done: true }], remote: [] };
    await store.writeSplit(id, { ...message, recipients: done, bounce: "" }, breathe);
    assertEquals(Object.keys(disk.files()), [path("info")]);
  });

  it("has what another message of its number left gone for good when it settles", async () => {
    for (const scanned of [true, false]) {
      const { disk, store } = world();
      disk.put(path("mess"), toOctets("hello\n"));
      disk.put(path("todo"), toOctets("u0\0p1\0Fa\0Tb@localhost\0"));
      for (const dir of ["bounce", "remote"] as const) disk.put(queueFile(home, dir, id), toOctets("Tc@r.example\0"));
      store.readTodo(id, scanned);
      const recipients = { local: [{ address: "b@localhost", done: false }], remote: [] };
      await store.writeSplit(id, { ...message, recipients, bounce: "" }, breathe);
      const left = disk.afterPowerLoss(() => "old").files();
      assertEquals(Object.keys(left), [path("info"), path("local"), path("mess"), path("todo")]);
    }
  });

  it("can be repeated after it stopped at any operation", async () => {
    const { disk: whole, store } = world();
    await store.writeSplit(id, message, breathe);
    for (let n = 0; n < whole.operations.length; n++) {
      const { disk, store } = world();
      disk.stopAt(n);
      await assertRejects(() => store.writeSplit(id, message, breathe));
      const after = disk.afterCrash();
      await new Store(after, home).writeSplit(id, message, breathe);
      assertEquals(after.files(), files, `stopped at ${n}`);
    }
  });

  it("can be repeated after any operation failed, and leaves no file open", async () => {
    const { disk: whole, store } = world();
    await store.writeSplit(id, message, breathe);
    for (const [n, name] of whole.operations.entries()) {
      const { disk, store } = world();
      disk.failAt(n, "ENOSPC");
      await assertRejects(() => store.writeSplit(id, message, breathe));
      assertEquals(disk.open, 0, name);
      await store.writeSplit(id, message, breathe);
      assertEquals(disk.files(), files, name);
    }
  });

  it("rejects once when the disk fails altogether, and leaves no rejection behind", async () => {
    const { disk, store } = world();
    for (let n = 6; n < 100; n++) disk.failAt(n, "EIO");
    await assertRejects(() => store.writeSplit(id, message, breathe));
    assertEquals(disk.open, 0);
  });
});

describe("Store", () => {
  it("reads todo with the text's size and time", () => {
    const { disk, store } = world();
    disk.put(path("todo"), toOctets("u0\0p27488\0Fjoe@localhost\0Tnoat\0"));
    disk.put(path("mess"), toOctets("hello\n"), 1795332051);
    assertEquals(store.readTodo(id), {
      ok: true,
      value: {
        ...{ uid: 0, qp: 27488, sender: "joe@localhost", recipients: ["noat"] },
        ...{ id, place: undefined, sizeBytes: 6, birthSeconds: 1795332051 },
      },
    });
    assertEquals(store.readTodo(23), undefined);
  });

  it("removes pieces of S5 before it reads what a scan found, and nothing where there is no todo", async () => {
    const { disk, store } = world();
    disk.put(path("mess"), toOctets("hello\n"));
    await store.writeSplit(id, message, breathe);
    assertEquals(store.readTodo(id, true), undefined);
    assertEquals(store.readBounce(id), message.bounce);
    disk.put(path("todo"), toOctets("u0\0p27488\0Fjoe@localhost\0Tnoat\0"));
    assert(store.readTodo(id)?.ok);
    assertEquals(store.readBounce(id), message.bounce);
    assert(store.readTodo(id, true)?.ok);
    assertEquals(Object.keys(disk.files()), [path("mess"), path("todo")]);
    disk.put(path("bounce"), toOctets("x"));
    disk.failAt(disk.operations.length, "EIO");
    assert(store.readTodo(id, true)?.ok === false);
  });

  it("marks one letter in place and finds the others to do", async () => {
    const { disk, store } = world();
    await store.writeSplit(id, message, breathe);
    store.markDone(id, "local", [15]);
    assertEquals(disk.files()[path("local")], "Djoe@localhost\0Djoe-defer@localhost\0");
    assertEquals(store.readChannel(id, "local"), { ok: true, value: [] });
    store.closeMarks();
    assertEquals(disk.open, 0);
  });

  it("marks one letter after the other in a file it keeps open, and no more than one file", async () => {
    const { disk, store } = world();
    await store.writeSplit(id, message, breathe);
    const opened = () => disk.operations.filter((operation) => operation.startsWith("open")).length;
    const before = opened();
    for (const offset of [0, 15]) store.markDone(id, "local", [offset]);
    assert(opened() - before <= 1);
    store.markDone(id, "remote", [0]);
    assertEquals([disk.files()[path("local")]![0], disk.files()[path("local")]![15], disk.open], ["D", "D", 1]);
    assertEquals(disk.files()[queueFile(home, "remote", id)]![0], "D");
  });

  it("marks letters that stand close in one write, and changes nothing else", async () => {
    const { disk, store } = world();
    const remote = Array.from({ length: 100 }, (_, n) => ({ address: `user${n}@far.example`, done: false }));
    const left = (await store.writeSplit(id, { ...message, recipients: { local: [], remote } }, breathe)).remote;
    const odd = left.filter((_, n) => n % 2 === 1);
    const writes = () => disk.operations.filter((operation) => operation.startsWith("write")).length;
    const before = writes();
    store.markDone(id, "remote", odd.map(({ offset }) => offset));
    assertEquals(writes() - before, 1);
    assertEquals(store.readChannel(id, "remote"), { ok: true, value: left.filter((_, n) => n % 2 === 0) });
    const text = remote.map(({ address }, n) => `${n % 2 === 1 ? "D" : "T"}${address}\0`).join("");
    assertEquals(disk.files()[queueFile(home, "remote", id)], text);
  });

  it("marks letters that stand far from each other one by one", async () => {
    const { disk, store } = world();
    const remote = Array.from({ length: 100 }, (_, n) => ({ address: `user${n}@far.example`, done: false }));
    const left = (await store.writeSplit(id, { ...message, recipients: { local: [], remote } }, breathe)).remote;
    const ends = [left[0]!, left.at(-1)!];
    store.markDone(id, "remote", ends.map(({ offset }) => offset));
    assertEquals(disk.operations.slice(-2).every((operation) => operation.startsWith("write")), true);
    assertEquals(store.readChannel(id, "remote"), { ok: true, value: left.slice(1, -1) });
  });

  it("marks in the file that is there: that of the next message of the number, too", async () => {
    const { disk, store } = world();
    for (const end of [() => store.removeChannel(id, "local"), () => store.removeLeftovers(id)]) {
      await store.writeSplit(id, message, breathe);
      store.markDone(id, "local", [15]);
      end();
      await store.writeSplit(id, message, breathe);
      assertEquals(disk.files()[path("local")]![15], "T");
      store.markDone(id, "local", [15]);
      assertEquals(disk.files()[path("local")]![15], "D");
    }
  });

  it("does not keep a file whose letter could not be written", async () => {
    const { disk, store } = world();
    await store.writeSplit(id, message, breathe);
    store.markDone(id, "local", [0]);
    disk.failAt(disk.operations.length, "EIO");
    assertThrows(() => store.markDone(id, "local", [15]));
    assertEquals(disk.open, 0);
    store.markDone(id, "local", [15]);
    assertEquals(disk.files()[path("local")]![15], "D");
  });

  it("has nobody to do for a channel without a file", () => {
    assertEquals(world().store.readChannel(id, "local"), { ok: true, value: [] });
  });

  it("keeps the next attempt in the file's time", async () => {
    const { store } = world();
    await store.writeSplit(id, message, breathe);
    store.setNextAttempt(id, "local", 1795332151);
    store.setNextAttempt(id, "remote", 1795332451);
    assertEquals([store.mtime("local", id), store.mtime("remote", id)], [1795332151, 1795332451]);
    assertEquals([store.mtime("info", id), store.mtime("info", 23)], [message.birthSeconds, undefined]);
  });

  it("has a failure's paragraph on stable storage before appendBounce() settles", async () => {
    const { disk, store } = world();
    await store.appendBounce(id, "<a@b>:\nno\n\n");
    await store.appendBounce(id, "<c@d>:\nno\n\n");
    const after = new Store(disk.afterPowerLoss(() => "old"), home);
    assertEquals(after.readBounce(id), "<a@b>:\nno\n\n<c@d>:\nno\n\n");
    assertEquals([disk.open, store.readBounce(23)], [0, ""]);
  });

  it("lists numbers only, part by part", async () => {
    const { disk, store } = world();
    for (const each of [1, 23, 24, 2189625]) disk.put(queueFile(home, "mess", each), toOctets("x"));
    disk.put("/q/queue/mess/0/core", toOctets("x"));
    assertEquals([await store.list("mess", 0), await store.list("mess", 1)], [[23], [1, 24]]);
    assertEquals([await store.list("info", 0), await store.listTodo()], [[], []]);
    disk.put(path("todo"), toOctets("u0\0"));
    assertEquals(await store.listTodo(), [id]);
  });
});
