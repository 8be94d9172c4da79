import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { toOctets } from "../../components/lib/octets.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { home } from "../support/queue_disk.ts";
import { World } from "./world.ts";

const id = 2189625;

describe("Manager: notices", () => {
  it("of a message it has begun start nothing twice", async () => {
    using world = new World({ answer: () => "hold" });
    world.put(id, ["h@localhost"]);
    await world.boot();
    world.manager.arrivals.todo([id, id]);
    await world.surveyor.scanTodo();
    await world.clock.settle();
    assertEquals(world.attempts.length, 1);
    world.attempts[0]!.report("K");
    await world.clock.settle();
    assertEquals([world.attempts.length, world.disk.files()], [1, {}]);
  });

  it("of a new message under a number that is just ending start it after that end", async () => {
    using world = new World();
    world.put(id, ["first@localhost"]);
    // qmail-clean has removed the files, and its answer is on its way.
    const cleaned = Promise.withResolvers<void>();
    world.beforeCleanAnswer = () => cleaned.promise;
    await world.boot();
    assertEquals(world.files(), {});
    world.put(id, ["second@localhost"]);
    world.manager.arrivals.todo([id]);
    await world.clock.settle();
    assertEquals(world.delivered, ["first@localhost"]);
    cleaned.resolve();
    await world.clock.settle();
    assertEquals([world.delivered, world.files()], [["first@localhost", "second@localhost"], {}]);
  });

  it("of a message that is gone do nothing", async () => {
    using world = new World();
    await world.boot();
    world.manager.arrivals.todo([id]);
    await world.clock.settle();
    assertEquals(world.log.lines().length, 1);
  });

  const unreadable: { claim: string; todo: string | undefined; mess: boolean }[] = [
    { claim: "has an unknown record", todo: "u0\0p1\0Fa\0Xb\0", mess: true },
    { claim: "is cut", todo: "u0\0p1\0Fa\0Tb", mess: true },
    { claim: "has no text", todo: "u0\0p1\0Fa\0Tb@localhost\0", mess: false },
  ];
  for (const { claim, todo, mess } of unreadable) {
    it(`of one whose envelope ${claim} log a warning, and again every 123 seconds, however often it is scanned`, async () => {
      using world = new World();
      world.disk.put(queueFile(home, "todo", id), toOctets(todo ?? ""));
      if (mess) world.disk.put(queueFile(home, "mess", id), toOctets("x\n"));
      // qmail-queue would remove at its start what has no text.
      await world.bootSend();
      for (let scan = 0; scan < 10; scan++) await world.surveyor.scanTodo();
      const warnings = () => world.log.lines().filter((line) => line.startsWith(`warning: unable to read todo/${id}`));
      const before = warnings().length;
      await world.clock.advance(124);
      assertEquals([warnings().length - before, world.attempts.length], [1, 0]);
      assert(world.file("todo", id) !== undefined);
    });
  }

  it("leave S5 alone of a message that a scan saw in todo and that waits for its next attempt by now", async () => {
    using world = new World({ answer: (_, attempt) => attempt === 1 ? "hold" : "K" });
    world.put(id, ["h@localhost", "h@r.example"]);
    await world.boot();
    const listed = Promise.withResolvers<void>();
    world.disk.listLong = async () => {
      await listed.promise;
      return [];
    };
    const scanned = world.surveyor.scanTodo();
    for (const attempt of world.attempts) attempt.report("Z");
    await world.clock.settle();
    assertEquals(world.file("todo", id), undefined);
    listed.resolve();
    await scanned;
    await world.clock.settle();
    assertEquals([world.file("local", id), world.file("remote", id)], ["Th@localhost\0", "Th@r.example\0"]);
    await world.clock.advance(500);
    assertEquals([world.delivered, world.files()], [["h@localhost", "h@r.example"], {}]);
  });

  it("of one with pieces of S5 have these removed first, also when it could not be read at once", async () => {
    for (const readable of [true, false]) {
      using world = new World();
      world.put(id, ["k@localhost"]);
      for (const dir of ["info", "local", "remote", "bounce"] as const) {
        world.disk.put(queueFile(home, dir, id), toOctets("Fa"));
      }
      const from = world.disk.operations.length;
      if (!readable) world.disk.failAt(from + 2, "EIO");
      await world.bootSend();
      if (!readable) assertEquals([world.attempts.length, world.file("mess", id)], [0, "hello\n"]);
      await world.clock.advance(124);
      assertEquals([world.delivered, world.files()], [["k@localhost"], {}]);
    }
  });

  it("skip what is no message in todo", async () => {
    using world = new World();
    for (const name of ["core", ".hidden", "1x", "-5"]) world.disk.put(home.queue("todo", name), toOctets("u0\0"));
    await world.boot();
    assertEquals(world.log.lines().length, 1);
  });
});

describe("Manager: files that may be abandoned", () => {
  it("are those of no message it knows, and go when nobody writes them", async () => {
    using world = new World({ answer: () => "hold" });
    world.put(id, ["h@localhost"]);
    for (const orphan of [46, 69]) world.disk.put(queueFile(home, "mess", orphan), toOctets("half"));
    world.disk.put(queueFile(home, "intd", 46), toOctets("u0\0"));
    world.disk.put(queueFile(home, "mess", 92), toOctets("x"));
    world.disk.put(queueFile(home, "info", 92), toOctets("Fa@b\0"));
    world.disk.put(queueFile(home, "remote", 92), toOctets("Tx@r.example\0"));
    await world.boot();
    assertEquals([46, 69, 92, id].map((each) => world.file("mess", each) !== undefined), [false, false, true, true]);
    assertEquals(world.file("mess", 92), "x");
  });

  it("stay when they were not asked about, or became a message meanwhile", async () => {
    using world = new World({ answer: () => "hold" });
    for (const each of [46, 69, 115]) world.disk.put(queueFile(home, "mess", each), toOctets("half"));
    const answer = Promise.withResolvers<void>();
    world.beforeAnswer = ({ op }) => op === "writing" ? answer.promise : Promise.resolve();
    await world.boot();
    assertEquals(world.asked[0], { op: "writing", messages: [46, 69, 115] });
    world.put(92, ["h@localhost"]);
    world.disk.put(queueFile(home, "todo", 46), toOctets("u0\0p1\0Fa\0Th@localhost\0"));
    world.put(69, ["h@localhost"]);
    world.manager.arrivals.todo([69]);
    answer.resolve();
    await world.clock.settle();
    assertEquals([46, 69, 92, 115].map((each) => world.file("mess", each) !== undefined), [true, true, true, false]);
  });
});

describe("Manager: SIGALRM, control files, the end", () => {
  it("makes every message due", async () => {
    using world = new World({ answer: (_, attempt) => attempt === 1 ? "Z" : "K" });
    world.put(id, ["z@localhost", "z@r.example"]);
    world.put(23, ["y@localhost"]);
    await world.boot();
    world.manager.retryAll();
    await world.clock.advance(0);
    assertEquals([world.delivered.length, world.disk.files()], [3, {}]);
  });

  it("starts no more deliveries than allowed, of one message three quarters, and more when that grows", async () => {
    using world = new World({ answer: () => "hold", controls: { concurrencylocal: 3 } });
    world.put(id, ["1", "2", "3", "4", "5"].map((name) => `${name}@localhost`));
    await world.boot();
    assertEquals(world.attempts.length, 2);
    world.attempts[0]!.report("K");
    await world.clock.settle();
    assertEquals(world.attempts.length, 3);
    world.manager.setControls({ ...world.controls, concurrencylocal: 0 });
    world.attempts[1]!.report("K");
    await world.clock.settle();
    assertEquals(world.attempts.length, 3);
    world.manager.setControls({ ...world.controls, concurrencylocal: 10 });
    await world.clock.settle();
    assertEquals(world.attempts.length, 5);
  });

  it("writes down at its end what a first attempt has done so far, so that it is not done again", async () => {
    using world = new World({ answer: (address) => address[0] === "h" ? "hold" : "K" });
    world.put(id, ["k1@localhost", "h@localhost", "k2@localhost"]);
    await world.boot();
    await world.stop();
    assertEquals(world.file("local", id), "Dk1@localhost\0Th@localhost\0Dk2@localhost\0");
    assertEquals([world.file("todo", id), world.log.lines().at(-1)], [undefined, "status: exiting"]);
    await world.kill();
    await world.boot();
    await world.clock.advance(1);
    assertEquals(world.attempts.at(-1)?.addresses, ["h@localhost"]);
  });

  it("starts nothing new at its end, and says exitasap", async () => {
    using world = new World({ answer: () => "hold", controls: { concurrencylocal: 1 } });
    world.put(id, ["h1@localhost", "h2@localhost"]);
    await world.boot();
    const stopped = world.manager.stop(1000);
    world.attempts[0]!.report("K");
    await world.clock.advance(2);
    await stopped;
    assertEquals(world.attempts.length, 1);
    assert(world.log.lines().includes("status: local 0/1 remote 0/20 exitasap"));
    assertEquals(world.file("local", id), "Dh1@localhost\0Th2@localhost\0");
  });

  it("marks each recipient where it stands, even when reports come while it writes at its end", async () => {
    using world = new World({ answer: (address) => address[0] === "h" ? "hold" : "K" });
    world.put(id, ["k@localhost", "h1@localhost", "h2@localhost", "h3@localhost"]);
    await world.boot();
    // The files are being synced when the first report comes, the others come after that.
    const syncDir = world.disk.syncDir.bind(world.disk);
    const synced = Promise.withResolvers<void>();
    world.disk.syncDir = async (dir) => {
      await syncDir(dir);
      await synced.promise;
    };
    const stopped = world.manager.stop(100);
    await world.clock.advance(0.2);
    const [h1, h2, h3] = world.attempts.slice(1);
    h1!.report("K");
    await world.clock.settle();
    synced.resolve();
    await world.clock.settle();
    h2!.report("Z");
    h3!.report("K");
    await world.clock.advance(1);
    await stopped;
    const marks = world.file("local", id)?.split("\0");
    assertEquals([marks?.[2], marks?.[3]], ["Th2@localhost", "Dh3@localhost"]);
  });

  it("takes up what a predecessor left, each channel at its time", async () => {
    using world = new World();
    const birth = world.clock.seconds;
    world.put(id, []);
    world.disk.remove(queueFile(home, "todo", id));
    world.disk.put(queueFile(home, "info", id), toOctets("Fjoe@localhost\0"));
    world.disk.put(queueFile(home, "local", id), toOctets("Da@localhost\0Tb@localhost\0"), birth + 50);
    world.disk.put(queueFile(home, "remote", id), toOctets("Tc@r.example\0"), birth + 70);
    await world.boot();
    await world.clock.advance(100);
    assertEquals(world.attempts.map(({ addresses, atSeconds }) => [addresses[0], atSeconds - birth]), [
      ["b@localhost", 50],
      ["c@r.example", 70],
    ]);
    assertEquals(world.disk.files(), {});
  });
});
