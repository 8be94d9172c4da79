import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { Arrivals, type JournalMessage } from "../../components/qmail-send/arrivals.ts";
import { type Message, type NewMessage, newMessage } from "../../components/qmail-send/message.ts";
import { captureLog } from "../support/captured_log.ts";
import { FakeClock } from "../support/fake_clock.ts";

function entry(serial: number, id = serial): JournalMessage {
  const place = { serial, segment: 1, offset: 0, bytes: 100 };
  return { id, place, birthSeconds: 0, sizeBytes: 1, qp: 1, uid: 0, sender: "", recipients: ["a@b"] };
}

/** Arrivals before a manager that begins what it is given, as long as it has room, and ends it when told. */
class Bench {
  readonly known = new Map<number, Message>();
  readonly begun: NewMessage[] = [];
  readonly done = new Set<number>();
  /** What is in todo; false: it cannot be read. */
  readonly inTodo = new Map<number, boolean>();
  readonly read: { id: number; scanned: boolean }[] = [];
  readonly moves: { serial: number; resolve: (moved: boolean) => void }[] = [];
  room = Infinity;
  /** Whether messages end as soon as they are begun. */
  endsAtOnce = false;
  readonly arrivals: Arrivals = new Arrivals({
    known: (id) => this.known.get(id),
    hasRoom: () => this.known.size < this.room,
    readTodo: (id, scanned) => {
      this.read.push({ id, scanned });
      const isReadable = this.inTodo.get(id);
      if (isReadable === undefined) return undefined;
      return isReadable ? { ok: true, value: { ...entry(0, id), place: undefined } } : { ok: false, error: "no" };
    },
    begin: (message) => {
      this.begun.push(message);
      this.known.set(message.id, newMessage(message, message.place === undefined ? "todo" : "journal"));
      if (this.endsAtOnce) this.end(message.id);
    },
    isDone: (serial) => this.done.has(serial),
    move: (serial) => new Promise((resolve) => this.moves.push({ serial, resolve })),
  });

  end(id: number): void {
    const serial = this.known.get(id)?.place?.serial;
    if (serial === undefined) this.inTodo.delete(id);
    else this.done.add(serial);
    this.known.delete(id);
    this.arrivals.ended(id);
    this.arrivals.beginMore();
  }

  get serials(): (number | undefined)[] {
    return this.begun.map(({ place }) => place?.serial);
  }
}

describe("Arrivals", () => {
  it("begin messages in the order they came, as long as there is room", () => {
    const bench = new Bench();
    bench.room = 2;
    bench.arrivals.journal([1, 2, 3, 4].map((serial) => entry(serial)));
    assertEquals([bench.serials, bench.arrivals.size], [[1, 2], 2]);
    bench.end(2);
    assertEquals(bench.serials, [1, 2, 3]);
    // Told of once more: running, done, and waiting.
    bench.arrivals.journal([1, 2, 4].map((serial) => entry(serial)));
    bench.end(1);
    bench.end(3);
    bench.end(4);
    assertEquals([bench.serials, bench.arrivals.size], [[1, 2, 3, 4], 0]);
  });

  it("let a message wait whose number another has that is still ending", () => {
    const bench = new Bench();
    bench.arrivals.journal([entry(1, 49)]);
    bench.arrivals.journal([entry(2, 49)]);
    assertEquals(bench.serials, [1]);
    bench.end(49);
    assertEquals(bench.serials, [1, 2]);
    bench.inTodo.set(49, true);
    bench.arrivals.todo([49]);
    bench.end(49);
    assertEquals(bench.serials, [1, 2, undefined]);
  });

  it("read a message from todo that had to leave the journal before it was begun", async () => {
    const bench = new Bench();
    bench.room = 0;
    bench.arrivals.journal([entry(1), entry(2)]);
    assertEquals([bench.arrivals.vacate(1), bench.arrivals.vacate(3)], [true, false]);
    assertEquals([bench.moves.map(({ serial }) => serial), bench.arrivals.has(1)], [[1], true]);
    bench.inTodo.set(1, true);
    bench.moves[0]!.resolve(true);
    await Promise.resolve();
    bench.room = 9;
    bench.arrivals.beginMore();
    assertEquals(bench.serials, [2, undefined]);
  });

  it("take no notice of a message while it moves, from wherever it is told", async () => {
    using clock = new FakeClock();
    const bench = new Bench();
    bench.room = 0;
    bench.arrivals.journal([entry(1)]);
    bench.arrivals.vacate(1);
    bench.room = 9;
    // qmail-queue was started again; a scan of todo has found what it had moved.
    bench.arrivals.journal([entry(1)]);
    bench.inTodo.set(1, true);
    bench.arrivals.todo([1], true);
    assertEquals(bench.begun, []);
    bench.moves[0]!.resolve(true);
    await clock.settle();
    assertEquals(bench.serials, [undefined]);
  });

  it("begin from the journal, five seconds later, what could not be moved, however often it is told of", async () => {
    using clock = new FakeClock();
    const bench = new Bench();
    bench.room = 0;
    bench.arrivals.journal([entry(1)]);
    bench.arrivals.vacate(1);
    bench.moves[0]!.resolve(false);
    await clock.settle();
    bench.room = 9;
    bench.arrivals.journal([entry(1)]);
    assertEquals(bench.begun, []);
    await clock.advance(5);
    assertEquals(bench.serials, [1]);
    bench.end(1);
    bench.done.clear();
    await clock.advance(100);
    assertEquals([bench.serials, bench.arrivals.size], [[1], 0]);
  });

  it("have messages moved away beyond ten thousand that wait, and no message that waits for its number", () => {
    const bench = new Bench();
    bench.arrivals.journal([entry(20_000)]);
    bench.room = 0;
    bench.arrivals.journal(Array.from({ length: 10_001 }, (_, n) => entry(n + 1)));
    bench.arrivals.journal([entry(20_001, 20_000)]);
    assertEquals([bench.moves.map(({ serial }) => serial), bench.arrivals.journalSize], [[10_001], 10_001]);
  });

  it("begin any number of messages that end at once", () => {
    const bench = new Bench();
    bench.endsAtOnce = true;
    bench.room = 0;
    bench.arrivals.journal(Array.from({ length: 10_000 }, (_, n) => entry(n + 1)));
    bench.room = 9;
    bench.arrivals.beginMore();
    assertEquals([bench.begun.length, bench.arrivals.size], [10_000, 0]);
  });

  it("remember of an unreadable message that a scan found it", async () => {
    using _log = captureLog();
    using clock = new FakeClock();
    const bench = new Bench();
    bench.inTodo.set(49, false);
    bench.arrivals.todo([49], true);
    bench.arrivals.todo([49]);
    bench.inTodo.set(49, true);
    await clock.advance(124);
    assertEquals(bench.begun.length, 1);
    assert(bench.read.at(-1)!.scanned);
  });
});
