/**
 * Messages of the journal, with qmail-queue's own journal behind them.
 * @module
 */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { home } from "../support/queue_disk.ts";
import { byLetter, journalWorld, newest, operations } from "./journal_world.ts";
import { World } from "./world.ts";

describe("Manager: a message of the journal", () => {
  it("that is delivered is said to be done, once, and leaves no file", async () => {
    using world = journalWorld();
    await world.boot();
    await world.accept(["k@localhost", "ok@r.example"]);
    assertEquals(world.delivered, ["k@localhost", "ok@r.example"]);
    assert(world.attempts[0]!.text.startsWith("Received: (qmail ") && world.attempts[0]!.text.endsWith("\nhello\n"));
    assertEquals([operations(world), world.queue.store.journalSize, world.files()], [["done"], 0, {}]);
    assertEquals(world.log.lines().at(-1), `end msg ${newest(world)}`);
    await world.clock.advance(200);
    assertEquals([operations(world), world.send.operations], [["done"], []]);
  });

  it("is said to be done again when qmail-queue was away, and not begun again", async () => {
    using world = journalWorld();
    await world.boot();
    await world.accept(["h@localhost"]);
    world.killQueue();
    world.attempts[0]!.report("K");
    await world.clock.settle();
    assertEquals([operations(world), world.log.lines().at(-1)], [[], `end msg ${newest(world)}`]);
    await world.boot();
    assertEquals([operations(world), world.queue.store.journalSize], [["done"], 0]);
    assertEquals([world.attempts.length, world.manager.journal.isDone(0)], [1, false]);
  });

  it("is said to be done again when qmail-queue ended before it took that in", async () => {
    using world = journalWorld();
    await world.boot();
    world.beforeAnswer = () => new Promise(() => {});
    await world.accept(["k@localhost"]);
    world.killQueue();
    world.beforeAnswer = () => Promise.resolve();
    await world.boot();
    assertEquals([operations(world), world.queue.store.journalSize], [["done", "done"], 0]);
    assertEquals(world.attempts.length, 1);
    world.killQueue();
    await world.boot();
    assertEquals([operations(world), world.attempts.length], [["done", "done"], 1]);
  });

  it("that is told of again while it is being delivered is not begun again", async () => {
    using world = journalWorld();
    await world.boot();
    await world.accept(["h@localhost"]);
    world.killQueue();
    await world.boot();
    assertEquals([world.attempts.length, world.manager.status().messages], [1, 1]);
    world.attempts[0]!.report("K");
    await world.clock.settle();
    assertEquals([world.attempts.length, world.queue.store.journalSize], [1, 0]);
  });

  it("is begun by the next qmail-send when this one was killed", async () => {
    using world = journalWorld();
    await world.boot();
    await world.accept(["h@localhost"]);
    world.send.kill();
    await world.boot();
    assertEquals([world.delivered, world.queue.store.journalSize], [["h@localhost"], 0]);
  });

  it("in which everybody was delivered to or failed sends its bounce at once, and writes nothing", async () => {
    using world = journalWorld();
    await world.boot();
    await world.accept(["k@localhost", "d@localhost", "d2@r.example"]);
    assertEquals(world.bounces, [{
      id: newest(world),
      sender: "joe@localhost",
      paragraphs: "<d@localhost>:\nhard trouble\n\n<d2@r.example>:\nhard trouble\n\n",
    }]);
    assertEquals([operations(world), world.send.operations, world.files()], [["done"], [], {}]);
  });

  it("with a deferral moves into the layout under its number, and is tried again at qmail's time", async () => {
    using world = journalWorld();
    const birth = world.clock.seconds;
    await world.boot();
    await world.accept(["k@localhost", "z1@localhost", "d@localhost", "z2@r.example"]);
    const id = newest(world);
    const { [queueFile(home, "mess", id)]: text, ...others } = world.files();
    assertEquals(text, world.attempts[0]!.text);
    assertEquals(others, {
      [queueFile(home, "info", id)]: "Fjoe@localhost\0",
      [queueFile(home, "local", id)]: "Dk@localhost\0Tz1@localhost\0Dd@localhost\0",
      [queueFile(home, "remote", id)]: "Tz2@r.example\0",
      [queueFile(home, "bounce", id)]: "<d@localhost>:\nhard trouble\n\n",
    });
    assertEquals([operations(world), world.queue.store.journalSize], [["move"], 0]);
    assertEquals(world.disk.stat(queueFile(home, "info", id))?.mtimeSeconds, birth);
    await world.clock.advance(1000);
    assertEquals(world.attempts.slice(4).map(({ addresses, atSeconds }) => [addresses[0], atSeconds - birth]), [
      ["z1@localhost", 100],
      ["z2@r.example", 400],
    ]);
    assertEquals([world.bounces.length, world.files(), world.attempts[4]!.text], [1, {}, text]);
  });

  it("moves into the layout when its bounce cannot be sent, and is done once that is", async () => {
    using world = journalWorld();
    world.takesBounces = false;
    await world.boot();
    await world.accept(["d@localhost"]);
    assertEquals(world.file("bounce", newest(world)), "<d@localhost>:\nhard trouble\n\n");
    world.takesBounces = true;
    await world.clock.advance(5);
    assertEquals([world.bounces.length, world.files()], [1, {}]);
  });

  it("whose number is that of one still ending waits for that end", async () => {
    using world = journalWorld();
    const id = 2189625;
    world.put(id, ["first@localhost"]);
    const cleaned = Promise.withResolvers<void>();
    world.beforeCleanAnswer = () => cleaned.promise;
    await world.bootSend();
    assertEquals(world.files(), {});
    // The inode is free.
    world.disk.setNextInode(id);
    await world.bootQueue();
    await world.accept(["second@localhost"]);
    assertEquals(world.delivered, ["first@localhost"]);
    cleaned.resolve();
    await world.clock.settle();
    assertEquals([newest(world), world.delivered], [id, ["first@localhost", "second@localhost"]]);
    assertEquals([world.files(), world.queue.store.journalSize], [{}, 0]);
  });

  it("is held in memory no longer than something is done for it: what waits is an entry of the retry queue", async () => {
    using world = journalWorld();
    await world.boot();
    const count = 200;
    for (let n = 0; n < count; n++) await world.accept([`z${n}@localhost`]);
    const { messages, notPreprocessed, waitingForRetry } = world.manager.status();
    assertEquals({ messages, notPreprocessed, waitingForRetry }, {
      messages: count,
      notPreprocessed: 0,
      waitingForRetry: count,
    });
    const { messages: inMemory, journal } = world.manager.inMemory;
    assertEquals([[...inMemory], [...journal], world.queue.store.journalSize], [[], [], 0]);
    assertEquals(world.send.open, 0);
    await world.clock.advance(7000);
    assertEquals([world.manager.status().messages, world.files()], [0, {}]);
  });
});

describe("Manager: its end, with messages in the journal", () => {
  it("writes down what was achieved, so that nothing is repeated", async () => {
    using world = journalWorld();
    await world.boot();
    await world.accept(["k1@localhost", "h@localhost", "d@localhost"]);
    assertEquals(world.cleanWoken, false);
    await world.stop();
    assertEquals(world.cleanWoken, true);
    const id = newest(world);
    assertEquals(world.file("local", id), "Dk1@localhost\0Th@localhost\0Dd@localhost\0");
    await world.boot();
    await world.clock.advance(100);
    assertEquals([world.delivered, world.bounces.length], [["k1@localhost", "h@localhost"], 1]);
    assertEquals([world.files(), world.queue.store.journalSize], [{}, 0]);
  });

  it("leaves what has achieved nothing in the journal", async () => {
    using world = journalWorld();
    await world.boot();
    await world.accept(["h@localhost"]);
    await world.stop();
    assertEquals([operations(world), world.files(), world.queue.store.journalSize], [[], {}, 1]);
    await world.boot();
    assertEquals(world.delivered, ["h@localhost"]);
  });

  it("finishes a move that is under way", async () => {
    using world = journalWorld();
    await world.boot();
    const asked = Promise.withResolvers<void>();
    world.beforeAnswer = () => asked.promise;
    await world.accept(["k@localhost", "z@localhost"]);
    const stopped = world.send.run(() => world.manager.stop(1000));
    await world.clock.advance(0.1);
    asked.resolve();
    await world.clock.advance(1);
    await stopped;
    world.send.kill();
    assertEquals(world.file("local", newest(world)), "Dk@localhost\0Tz@localhost\0");
    await world.boot();
    await world.clock.advance(200);
    assertEquals([world.delivered, world.files()], [["k@localhost", "z@localhost"], {}]);
  });

  it("bounces once when the bounce is being queued, taken or not", async () => {
    for (const taken of [true, false]) {
      using world = journalWorld();
      await world.boot();
      const bounced = Promise.withResolvers<void>();
      world.beforeBounceAnswer = () => bounced.promise;
      world.takesBounces = taken;
      await world.accept(["k@localhost", "d@localhost"]);
      const stopped = world.send.run(() => world.manager.stop(1000));
      await world.clock.advance(0.1);
      bounced.resolve();
      await world.clock.advance(2);
      await stopped;
      world.send.kill();
      world.takesBounces = true;
      await world.boot();
      await world.clock.advance(10);
      assertEquals([world.delivered, world.bounces.length], [["k@localhost"], 1], `taken: ${taken}`);
      assertEquals([world.files(), world.queue.store.journalSize], [{}, 0]);
    }
  });

  it("does not wait for a qmail-queue that is away", async () => {
    using world = new World({
      segments: 4,
      answer: (address, attempt) => address[0] === "d" ? "D" : byLetter(address, attempt),
    });
    await world.boot();
    await world.accept(["k@localhost", "h@localhost"]);
    await world.accept(["d@localhost", "h2@localhost"]);
    world.killQueue();
    let hasStopped = false;
    void world.send.run(() => world.manager.stop(1000)).then(() => hasStopped = true);
    // Within what the supervisor allows.
    await world.clock.advance(1.45);
    assert(hasStopped);
    world.send.kill();
    await world.boot();
    await world.clock.advance(100);
    // Nobody could be told of the first delivery, so it is repeated; and nobody is forgotten.
    assertEquals(world.delivered.toSorted(), ["h2@localhost", "h@localhost", "k@localhost", "k@localhost"]);
    assertEquals([world.bounces.length, world.files()], [1, {}]);
  });
});
