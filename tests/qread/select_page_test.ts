import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type QueueFilter, type SortKey, sortKeys, sortOrders } from "../../components/lib/wire/qread_protocol.ts";
import { cursorOf, formatCursor, parseCursor } from "../../components/qread/cursor.ts";
import { nextSecondsOf, type Observed, stateOf } from "../../components/qread/observed.ts";
import { QueueIndex } from "../../components/qread/queue_index.ts";
import { type PageRequest, selectPage } from "../../components/qread/select_page.ts";
import { anyObserved, observed } from "./support.ts";

const nowSeconds = 10;

function indexOf(messages: Iterable<Observed>): QueueIndex {
  const index = new QueueIndex();
  for (const message of messages) index.put(message);
  return index;
}

function page(index: QueueIndex, changes: Partial<PageRequest> = {}) {
  const request = { sort: "id", order: "ascending", filter: {}, after: undefined, count: 200, nowSeconds } as const;
  const { slots, ...rest } = selectPage(index, { ...request, ...changes });
  return { ids: slots.map(({ block, at }) => block.id[at]!), last: slots.at(-1), ...rest };
}

/** Numbers of all that match, a page after the other. */
function allPages(index: QueueIndex, request: Pick<PageRequest, "sort" | "order" | "filter" | "count">): number[] {
  const ids: number[] = [];
  let after: string | undefined;
  do {
    const cursor = after === undefined ? undefined : parseCursor(request.sort, after);
    assert(after === undefined || cursor !== undefined);
    const found = page(index, { ...request, after: cursor });
    assertEquals(found.place, ids.length);
    ids.push(...found.ids);
    assert(ids.length === found.matching || found.ids.length === request.count);
    after = found.last === undefined || ids.length === found.matching
      ? undefined
      : formatCursor(request.sort, cursorOf(index, request.sort, found.last));
  } while (after !== undefined);
  return ids;
}

const keyOf: Readonly<Record<SortKey, (message: Observed) => number | string>> = {
  id: ({ id }) => id,
  born: ({ birthSeconds }) => birthSeconds,
  next: nextSecondsOf,
  size: ({ sizeBytes }) => sizeBytes,
  sender: ({ sender }) => sender.toLowerCase(),
};

function matches({ sender, recipient, domain, state, text }: QueueFilter, message: Observed): boolean {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  const includes = (address: string) => address.toLowerCase().includes(text!.toLowerCase());
  return (sender === undefined || same(sender, message.sender)) &&
    (recipient === undefined || message.recipients.some((one) => same(one, recipient))) &&
    (domain === undefined || message.recipients.some((one) => same(one.slice(one.lastIndexOf("@") + 1), domain))) &&
    (state === undefined || stateOf(message.fresh, nextSecondsOf(message), nowSeconds) === state) &&
    (text === undefined || includes(message.sender) || message.recipients.some(includes) ||
      String(message.id) === text);
}

const anyFilter: fc.Arbitrary<QueueFilter> = fc.record({
  sender: fc.constantFrom("", "AMY@a.example", "amy@a.exampl", "z\xff@a.example"),
  recipient: fc.constantFrom("Amy@a.example", "my@a.example", "bob@b.example"),
  domain: fc.constantFrom("a.example", "B.Example", "example"),
  state: fc.constantFrom("new", "due", "waiting", "held", "ending"),
  text: fc.constantFrom("amy", "B.E", "a.example", "4", "zz"),
}, { requiredKeys: [] });

describe("selectPage()", () => {
  it("gives every message that matches once and in order, a page after the other", () =>
    fc.assert(fc.property(
      fc.array(anyObserved, { maxLength: 80 }),
      fc.array(fc.nat(60), { maxLength: 20 }),
      fc.constantFrom(...sortKeys),
      fc.constantFrom(...sortOrders),
      anyFilter,
      fc.integer({ min: 1, max: 9 }),
      (messages, removed, sort, order, filter, count) => {
        const index = indexOf(messages);
        const model = new Map(messages.map((message) => [message.id, message]));
        for (const id of removed) {
          index.remove(id);
          model.delete(id);
        }
        assertEquals(index.size, model.size);
        const key = keyOf[sort];
        const sign = order === "ascending" ? 1 : -1;
        const want = [...model.values()].filter((message) => matches(filter, message)).sort((a, b) =>
          sign * (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.id - b.id)
        ).map(({ id }) => id);
        assertEquals(allPages(index, { sort, order, filter, count }), want);
      },
    )));

  it("goes on behind a message that is gone meanwhile, or that comes elsewhere now", () => {
    const index = indexOf([1, 2, 3, 4, 5].map((id) => observed({ id, birthSeconds: id })));
    const first = page(index, { sort: "born", count: 2 });
    const after = cursorOf(index, "born", first.last!);
    index.remove(2);
    index.put(observed({ id: 1, birthSeconds: 9 }));
    const second = page(index, { sort: "born", after });
    assertEquals([first.ids, second.ids, second.place, second.matching], [[1, 2], [3, 4, 5, 1], 0, 4]);
  });

  it("finds nothing of itself in a text that goes over the end of an address", () => {
    const index = indexOf([observed({ id: 1, sender: "a@b", recipients: ["c@d"] })]);
    const found = (filter: QueueFilter) => page(index, { filter }).ids.length;
    assertEquals(
      [found({ text: "a@b" }), found({ text: "bc" }), found({ domain: "b" }), found({ recipient: "a@b" })],
      [1, 0, 0, 0],
    );
  });

  it("says how many messages have recipients that it could not look at", () => {
    const many = Array.from({ length: 200 }, (_, n) => `recipient-${n}@b.example`);
    const index = indexOf([
      observed({ id: 1, recipients: many, remote: { left: many.length, done: 0 } }),
      observed({ id: 2 }),
    ]);
    const filter = { recipient: "recipient-199@b.example" };
    assertEquals([page(index, { filter }).ids, page(index, { filter }).unsearched], [[], 1]);
    assertEquals(page(index, { filter: { recipient: "recipient-0@b.example" } }).ids, [1]);
    assertEquals(page(index, { filter: { state: "held" } }).unsearched, 0);
  });
});

describe("QueueIndex", () => {
  it("takes some 150 octets a message, over many blocks, and gives memory back", () => {
    const count = 200_000;
    const index = new QueueIndex();
    for (let n = 1; n <= count; n++) {
      index.put(
        observed({ id: n, sender: `bounces-${n}@lists.example`, recipients: [`recipient-${n}@b${n % 9}.example`] }),
      );
    }
    assert(index.bytes < 180 * count, `${index.bytes / count} octets each`);
    assertEquals(page(index, { order: "descending", count: 2 }).ids, [count, count - 1]);
    assertEquals(page(index, { filter: { sender: "bounces-77777@lists.example" } }).ids, [77_777]);
    for (let n = 1; n <= count; n++) if (n !== 150_000) index.remove(n);
    assertEquals(page(index).ids, [150_000]);
    assert(index.bytes < 25_000_000, `${index.bytes}`);
  });

  it("keeps no more addresses than it has room for, and all senders", () => {
    const index = new QueueIndex({ mostTextBytes: 1000 });
    for (let id = 1; id <= 1000; id++) index.put(observed({ id, sender: `s${id}@a.example` }));
    assertEquals(page(index, { filter: { sender: "s999@a.example" } }).ids, [999]);
    const { matching, unsearched } = page(index, { filter: { domain: "b.example" } });
    assertEquals(matching + unsearched, 1000);
    assert(matching > 10 && unsearched > 900);
  });

  it("takes out what a look did not find, and nothing that came during it", () => {
    const index = indexOf([1, 2, 3, 4].map((id) => observed({ id })));
    for (let looks = 0; looks < 300; looks++) {
      index.beginLook();
      index.touch(index.find(2)!);
      index.put(observed({ id: 7 }));
      for (const _ of index.removeUnseen());
      assertEquals(page(index).ids, [2, 7]);
    }
  });

  it("gathers addresses after many changes, and finds them all the same", () => {
    const index = new QueueIndex();
    const long = "x".repeat(900);
    for (let id = 1; id <= 10_000; id++) index.put(observed({ id, sender: `${id}${long}@a.example` }));
    for (let id = 1; id <= 10_000; id++) if (id % 20 !== 0) index.put(observed({ id, sender: "" }));
    const before = index.bytes;
    for (const _ of index.compact());
    assert(index.bytes < before, `${before} octets before, ${index.bytes} after`);
    assertEquals(page(index, { filter: { sender: `9980${long}@a.example` } }).ids, [9980]);
    assertEquals(page(index, { filter: { sender: "" } }).matching, 9500);
  });
});

describe("parseCursor()", () => {
  for (
    const [sort, text] of [["id", ""], ["id", "1"], ["born", "1:x"], ["sender", "x:a@b"], [
      "sender",
      "1:\u0394",
    ]] as const
  ) {
    it(`refuses ${JSON.stringify(text)} for ${sort}`, () => assertEquals(parseCursor(sort, text), undefined));
  }
});
