import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { toOctets } from "../../components/lib/octets.ts";
import { formatTodo } from "../../components/lib/queue/envelope.ts";
import { heldSeconds } from "../../components/lib/queue/held.ts";
import { putMark, putRecord, recordBytes } from "../../components/lib/queue/journal/record.ts";
import { journalMarks, journalSegment, queueFile } from "../../components/lib/queue/layout.ts";
import type { ListReply, ListRequest } from "../../components/lib/wire/qread_protocol.ts";
import { Listing, Unreadable } from "../../components/qread/listing.ts";
import { readMessageStart } from "../../components/qread/message_octets.ts";
import { putLarge } from "../support/journal_segment.ts";
import { type RealQueue, realQueue } from "../support/real_queue.ts";

const nowSeconds = 1_700_000_000;

/** A queue, and a listing of it whose clock goes on when it is told to. */
class World implements Disposable {
  readonly queue: RealQueue = realQueue();
  readonly trouble: unknown[] = [];
  nowMs = nowSeconds * 1000;
  readonly listing = new Listing(this.queue.home, {
    breathe: () => Promise.resolve(),
    nowMs: () => this.nowMs,
    onTrouble: (error) => this.trouble.push(error),
  });

  /** A message that waits; its next attempt is due at that time. */
  waiting(sender: string, remote: string, atSeconds: number): number {
    const id = this.queue.message({ info: `F${sender}\0`, remote });
    Deno.utimeSync(queueFile(this.queue.home, "remote", id), atSeconds, atSeconds);
    return id;
  }

  /** Puts messages into the journal, of which some are done. */
  journal(messages: readonly { id: number; recipients: readonly string[]; text: string; done?: boolean }[]): void {
    const segment = new Uint8Array(64 * 1024);
    const marks = new Uint8Array(1024);
    let at = 0;
    for (const [index, { id, recipients, text, done }] of messages.entries()) {
      const envelope = formatTodo({ uid: 1, qp: 2, sender: "j@a.example", recipients });
      const head = { generation: 1, serial: index + 1, id, birthSeconds: nowSeconds - 5 };
      at = putRecord(segment, at, head, envelope, [toOctets(text)]);
      assertEquals(recordBytes(envelope, [toOctets(text)]) > 0, true);
      if (done === true) putMark(marks.subarray(index * 8), 0, 1);
    }
    Deno.writeFileSync(journalSegment(this.queue.home, 1), segment);
    Deno.writeFileSync(journalMarks(this.queue.home, 1), marks);
  }

  async list(changes: Partial<ListRequest> = {}): Promise<ListReply> {
    return await this.listing.list({ sort: "id", order: "ascending", filter: {}, count: 200, ...changes });
  }

  async ids(changes: Partial<ListRequest> = {}): Promise<readonly number[]> {
    return (await this.list(changes)).rows.map(({ id }) => id).toSorted((a, b) => a - b);
  }

  [Symbol.dispose](): void {
    this.listing.forget();
    this.queue[Symbol.dispose]();
  }
}

const sorted = (ids: readonly number[]) => ids.toSorted((a, b) => a - b);

describe("Listing", () => {
  it("tells what each message's files say, wherever it stands", async () => {
    using world = new World();
    const { queue } = world;
    const waits = queue.message({
      info: "Famy@a.example\0",
      local: "Djoe@l.example\0Tann@l.example\0",
      remote: "Tbob@b.example\0Tbill@b.example\0Dcal@c.example\0",
      bounce: "x",
    }, "Subject: x\n\n12345\n");
    for (
      const [dir, seconds] of [["local", nowSeconds + 9], ["remote", nowSeconds + 5], [
        "mess",
        nowSeconds - 99,
      ]] as const
    ) {
      Deno.utimeSync(queueFile(queue.home, dir, waits), seconds, seconds);
    }
    const todo = queue.message({ todo: "u1\0p2\0Fnew@a.example\0Ta@b\0Tc@d\0", info: "Fold@x\0", remote: "Told@x\0" });
    const held = world.waiting("", "Tbob@b.example\0", heldSeconds);
    const due = world.waiting("z\xff@a.example", "Tbob@b.example\0", nowSeconds);
    const ending = queue.message({ info: "Fe@a.example\0" });
    world.journal([{ id: 77, recipients: ["x@y.example"], text: "abc" }, {
      id: 78,
      recipients: ["x@y"],
      text: "d",
      done: true,
    }]);

    const { rows, total, matching, indexed, whole } = await world.list();
    assertEquals([total, matching, indexed, whole, world.trouble], [6, 6, 6, true, []]);
    const row = (id: number) => rows.find((one) => one.id === id)!;
    assertEquals(row(waits), {
      ...{ id: waits, sender: "amy@a.example", birthSeconds: nowSeconds - 99, sizeBytes: 18 },
      ...{ local: { left: 1, done: 1 }, remote: { left: 2, done: 1 } },
      recipients: ["ann@l.example", "bob@b.example", "bill@b.example"],
      ...{ nextSeconds: nowSeconds + 5, state: "waiting", journal: false, bouncing: true },
    });
    assertEquals([row(todo).sender, row(todo).recipients, row(todo).state], ["new@a.example", ["a@b", "c@d"], "new"]);
    assertEquals([row(held).sender, row(held).state, row(held).nextSeconds], ["", "held", undefined]);
    assertEquals([row(due).sender, row(due).state, row(due).nextSeconds], ["z\xff@a.example", "due", nowSeconds]);
    assertEquals(row(ending).state, "ending");
    assertEquals(row(77), {
      ...{ id: 77, sender: "j@a.example", birthSeconds: nowSeconds - 5, sizeBytes: 3 },
      ...{ local: { left: 0, done: 0 }, remote: { left: 1, done: 0 }, recipients: ["x@y.example"] },
      ...{ state: "new", journal: true, bouncing: false },
    });
  });

  it("shows what has changed since its last look, and leaves out what is gone", async () => {
    using world = new World();
    const ids = [1, 2, 3, 4, 5, 6].map((n) => world.waiting(`s${n}@a.example`, `Tr${n}@b.example\0`, nowSeconds + n));
    assertEquals(await world.ids(), sorted(ids));
    for (const dir of ["info", "remote", "mess"] as const) Deno.removeSync(queueFile(world.queue.home, dir, ids[0]!));
    Deno.utimeSync(queueFile(world.queue.home, "remote", ids[1]!), heldSeconds, heldSeconds);
    // No time has passed: the index rests on the look before. A page is filled up with what comes behind.
    const { rows } = await world.list({ sort: "sender", count: 3 });
    assertEquals(rows.map(({ id, state }) => [id, state]), [[ids[1], "held"], [ids[2], "waiting"], [
      ids[3],
      "waiting",
    ]]);
    assertEquals(await world.ids({ filter: { state: "waiting" } }), sorted(ids.slice(2)));
  });

  it("looks again for messages that came, and for other recipients, after a rest", async () => {
    using world = new World();
    const first = world.waiting("a@a.example", "Tr@b.example\0", nowSeconds);
    assertEquals(await world.ids(), [first]);
    const second = world.waiting("b@a.example", "Tr@c.example\0", nowSeconds);
    assertEquals(await world.ids(), [first]);
    world.nowMs += 60_000;
    assertEquals(await world.ids({ filter: { domain: "c.example" } }), [second]);
    Deno.writeFileSync(queueFile(world.queue.home, "remote", second), toOctets("Tr@d.example\0"));
    world.nowMs += 60_000;
    assertEquals(await world.ids({ filter: { domain: "d.example" } }), [second]);
    Deno.removeSync(queueFile(world.queue.home, "info", first));
    world.nowMs += 60_000;
    assertEquals([await world.ids(), (await world.list()).total], [[second], 1]);
  });

  it("goes through all of them in any order, and ends", async () => {
    using world = new World();
    const ids = Array.from(
      { length: 23 },
      (_, n) => world.waiting(`s${n % 3}@a.example`, "Tr@b.example\0", nowSeconds + n % 4),
    );
    for (const sort of ["id", "born", "next", "size", "sender"] as const) {
      for (const order of ["ascending", "descending"] as const) {
        const seen: number[] = [];
        let after: string | undefined;
        do {
          const { rows, next, place } = await world.list({ sort, order, count: 5, after });
          assertEquals(place, seen.length);
          seen.push(...rows.map(({ id }) => id));
          after = next;
        } while (after !== undefined && seen.length <= ids.length);
        assertEquals(sorted(seen), sorted(ids));
      }
    }
  });

  it("takes what is no cursor for none", async () => {
    using world = new World();
    const id = world.waiting("a@a.example", "Tr@b.example\0", nowSeconds);
    assertEquals(await world.ids({ after: "nonsense" }), [id]);
  });

  it("passes over files that are not in their format", async () => {
    using world = new World();
    const good = world.waiting("a@a.example", "Tr@b.example\0", nowSeconds);
    world.queue.message({ info: "nonsense", remote: "\0\0" });
    world.queue.message({ todo: "nonsense" });
    const odd = world.queue.message({ info: "Fb@a.example\0", remote: "Tr@b.example\0xyz\0Tno end" });
    Deno.mkdirSync(world.queue.home.queue("info", "0", "0"));
    Deno.writeTextFileSync(world.queue.home.queue("info", "0", "x"), "F\0");
    assertEquals(await world.ids(), sorted([good, odd]));
    assertEquals((await world.list()).rows.find(({ id }) => id === odd)!.remote, { left: 1, done: 0 });
  });

  it("says so where the queue cannot be read, and goes on when it can", async () => {
    using world = new World();
    const { home } = world.queue;
    Deno.renameSync(home.queue("info"), home.queue("away"));
    assert(await world.list().catch((error) => error) instanceof Unreadable);
    assert(world.trouble.length > 0);
    Deno.renameSync(home.queue("away"), home.queue("info"));
    const id = world.waiting("a@a.example", "Tr@b.example\0", nowSeconds);
    world.nowMs += 60_000;
    assertEquals(await world.ids(), [id]);
  });

  it("forgets all, and begins anew", async () => {
    using world = new World();
    const id = world.waiting("a@a.example", "Tr@b.example\0", nowSeconds);
    await world.list();
    assertEquals(world.listing.index?.size, 1);
    world.listing.forget();
    assertEquals(world.listing.index, undefined);
    assertEquals(await world.ids(), [id]);
  });
});

describe("readMessageStart()", () => {
  it("reads the beginning of a message in the layout or in the journal, and of nothing else", () => {
    using world = new World();
    const { home } = world.queue;
    const id = world.queue.message({ info: "F\0" }, "x".repeat(300_000));
    const unborn = world.queue.message({});
    world.journal([{ id: 7, recipients: ["a@b"], text: "Subject: j\n\nx" }]);
    const start = (message: number, most = 10) => {
      const found = readMessageStart(home, message, most);
      return found && [found.octets.length, found.sizeBytes];
    };
    assertEquals(
      [start(id), start(id, 1_000_000), start(7), start(unborn), start(5)],
      [[10, 300_000], [300_000, 300_000], [10, 13], undefined, undefined],
    );
    putLarge(home, unborn, new Uint8Array(Deno.statSync(queueFile(home, "mess", unborn)).size));
    assertEquals(start(unborn, 1_000_000)?.[1], Deno.statSync(queueFile(home, "mess", unborn)).size);
  });
});
