import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { parseOptionsFile } from "../../components/lib/queue/options_file.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { mostFirstAttempt, smallMessageBytes } from "../../components/lib/wire/queue_protocol.ts";
import type { FakeDisk } from "../support/fake_disk.ts";
import { home, keptFile, queued } from "../support/queue_disk.ts";
import { envelopeOf, optionsOf, textOf } from "./lives.ts";
import { accept, acceptLarge, world } from "./store_world.ts";

const todoNames = (disk: FakeDisk) => disk.list(home.queue("todo"));

describe("QueueStore.accept()", () => {
  it("puts a small message into the journal and tells its envelope and place", async () => {
    using here = await world();
    const qp = await here.store.accept(envelopeOf("amy"), textOf("amy", 300));
    const [message] = here.told.journal;
    const { id, serial, place, sizeBytes, ...rest } = message!;
    assertEquals(rest, {
      birthSeconds: here.clock.seconds,
      qp,
      uid: 7,
      sender: "amy@a.example",
      recipients: ["amy@b.example"],
    });
    assertEquals(place.serial, serial);
    assertEquals([here.journal.size, todoNames(here.disk), here.told.todo], [1, [], []]);
    const { content } = here.journal.read(here.journal.find(serial)!);
    assertEquals([content.length, here.journal.find(serial)!.id], [sizeBytes, id]);
    assert(fromOctets(content).startsWith(`Received: (qmail ${qp} invoked from network); `));
    assert(fromOctets(content).endsWith(fromOctets(textOf("amy", 300))));
    assertEquals([here.store.acceptedMessages, here.store.acceptedBytes], [1, 300]);
  });

  const many = (count: number) => envelopeOf("many", Array.from({ length: count }, (_, n) => `${n}@b.example`));
  const rows = [
    { claim: "128 KiB", envelope: envelopeOf("a"), sizeBytes: smallMessageBytes, text: "journal", todo: false },
    { claim: "one octet more", envelope: envelopeOf("a"), sizeBytes: smallMessageBytes + 1, text: "mess", todo: false },
    { claim: "100 recipients", envelope: many(mostFirstAttempt), sizeBytes: 300, text: "journal", todo: false },
    { claim: "101 recipients", envelope: many(mostFirstAttempt + 1), sizeBytes: 300, text: "mess", todo: true },
  ];
  for (const { claim, envelope, sizeBytes, text, todo } of rows) {
    it(`puts the text of one of ${claim} into ${text}, its envelope into ${todo ? "todo" : "the journal"}`, async () => {
      using here = await world();
      await here.store.accept(envelope, textOf("a", sizeBytes));
      assertEquals([here.told.journal.length, here.told.todo.length], todo ? [0, 1] : [1, 0]);
      assertEquals([here.journal.size, todoNames(here.disk).length], todo ? [0, 1] : [1, 0]);
      const messFiles = Object.keys(here.disk.files()).filter((path) => path.includes("/mess/"));
      assertEquals(messFiles.length, text === "mess" ? 1 : 0);
    });
  }

  it("tells of a large one what it tells of a small one, told again as well, and records the beginning of its text", async () => {
    using here = await world();
    const message = await acceptLarge(here, "bob");
    const { id, serial, sizeBytes, recipients, options } = message;
    const mess = here.disk.readFile(queueFile(home, "mess", id));
    assertEquals([mess.length, recipients, options], [sizeBytes, ["bob@b.example"], optionsOf("bob")]);
    const { content, messBytes } = here.journal.read(here.journal.find(serial)!);
    assertEquals(fromOctets(content), fromOctets(mess).split("\n", 1)[0] + "\n");
    assertEquals(messBytes, sizeBytes);
    assertEquals([...here.store.journalMessages()], [message]);
  });

  it("puts a large one into the layout where the journal has no room for its envelope", async () => {
    using here = await world({ segments: 0 });
    await here.store.accept(envelopeOf("bob"), textOf("bob", smallMessageBytes + 1));
    assertEquals([here.told.journal.length, here.told.todo.length, here.journal.size], [0, 1, 0]);
    assertEquals(queued(here.disk).map(({ recipients }) => recipients), [["bob@b.example"]]);
  });

  it("leaves nothing of a large one whose record the disk refuses", async () => {
    using here = await world();
    await accept(here, "before");
    const before = Object.keys(here.disk.files());
    const begun = here.disk.operations.length;
    const at = await (async () => {
      using other = await world();
      await accept(other, "before");
      const first = other.disk.operations.length;
      await acceptLarge(other, "a");
      return other.disk.operations.slice(first).findIndex((line) => /^write .*journal/.test(line));
    })();
    assert(at > 0);
    here.disk.failAt(begun + at, "EIO");
    await assertRejects(() => here.store.accept(envelopeOf("a"), textOf("a", smallMessageBytes + 1)));
    assertEquals([here.told.journal.length, Object.keys(here.disk.files())], [1, before]);
  });

  it("puts what the journal has no room for into the layout", async () => {
    using here = await world({ segment: { bytes: 1024, records: 8 }, segments: 1 });
    for (let n = 0; n < 5; n++) await here.store.accept(envelopeOf(`a${n}`), textOf(`a${n}`, 300));
    assertEquals([here.told.journal.length, here.told.todo.length], [2, 3]);
    assertEquals(
      queued(here.disk).map(({ recipients }) => recipients[0]),
      ["a2", "a3", "a4"].map((a) => `${a}@b.example`),
    );
  });

  it("puts everything into the layout while qmail-send wants it so", async () => {
    using here = await world();
    here.store.accepting = false;
    await here.store.accept(envelopeOf("a"), textOf("a", 300));
    here.store.accepting = true;
    await here.store.accept(envelopeOf("b"), textOf("b", 300));
    assertEquals([here.told.journal.length, here.told.todo.length], [1, 1]);
  });

  it("tells nobody of a message whose sync failed, and counts it nowhere", async () => {
    using here = await world();
    await accept(here, "before");
    await here.clock.settle();
    here.disk.failAt(here.disk.operations.length + 1, "EIO");
    await assertRejects(() => here.store.accept(envelopeOf("a"), textOf("a", 300)));
    assertEquals([here.told.journal.length, here.store.acceptedMessages, here.store.acceptedBytes], [1, 1, 300]);
  });

  it("says which mess files nobody writes, and nobody will", async () => {
    using here = await world();
    const { id } = await accept(here, "amy");
    const { draft } = here.store.begin("network", 7);
    assertEquals(here.store.abandoned([draft.id, id, 5]), [5]);
    here.store.abort(draft);
    assertEquals(here.store.abandoned([draft.id, 5]), [draft.id, 5]);
    const large = await acceptLarge(here, "bob");
    assertEquals(here.store.abandoned([large.id]), []);
    here.store.done([large.serial]);
    assertEquals(here.store.abandoned([large.id]), [large.id]);
  });
});

describe("QueueStore.move()", () => {
  it("puts a message into todo under its number, with its birth, and answers true again when asked again", async () => {
    using here = await world();
    const { serial, id, birthSeconds } = await accept(here, "amy");
    await here.clock.advance(100);
    for (let times = 0; times < 2; times++) assertEquals(await here.store.move(serial, id), true);
    const [message] = queued(here.disk);
    assertEquals([message?.id, message?.recipients], [id, ["amy@b.example"]]);
    assert(message?.text?.endsWith(fromOctets(textOf("amy", 300))));
    const mess = here.disk.stat(queueFile(home, "mess", id));
    assertEquals([mess?.inode, mess?.mtimeSeconds], [id, birthSeconds]);
    assertEquals(keptFile(here.disk, id), undefined);
    assertEquals(here.journal.size, 0);
  });

  it("writes only the envelope of a large one, and what was asked for, beside its text", async () => {
    using here = await world();
    const { serial, id } = await acceptLarge(here, "bob");
    const text = here.disk.readFile(queueFile(home, "mess", id));
    const begun = here.disk.operations.length;
    for (let times = 0; times < 2; times++) assertEquals(await here.store.move(serial, id), true);
    assertEquals(here.disk.operations.slice(begun).filter((line) => line.includes("/mess/")), []);
    assertEquals(queued(here.disk).map((message) => message.id), [id]);
    assertEquals(here.disk.readFile(queueFile(home, "mess", id)), text);
    const options = here.disk.readFile(queueFile(home, "options", id));
    assertEquals(parseOptionsFile(options, text), optionsOf("bob"));
    assertEquals(here.journal.size, 0);
  });

  it("leaves the text of a large one where it is when the disk is full, and moves it later", async () => {
    using here = await world();
    const { serial, id } = await acceptLarge(here, "bob");
    await here.clock.settle();
    here.disk.failAt(here.disk.operations.length + 2, "ENOSPC");
    assertEquals(await here.store.move(serial, id), false);
    const left = (["mess", "intd", "todo", "options"] as const).map((dir) =>
      here.disk.exists(queueFile(home, dir, id))
    );
    assertEquals(left, [true, false, false, false]);
    assertEquals([...here.store.journalMessages()], here.told.journal);
    assertEquals(await here.store.move(serial, id), true);
    assertEquals(queued(here.disk).length, 1);
  });

  it("answers false for what is neither in the journal nor in todo, and for a number that is not the message's", async () => {
    using here = await world();
    const { serial, id } = await accept(here, "amy");
    assertEquals([await here.store.move(serial + 1, id), await here.store.move(serial, id + 1)], [false, false]);
    assertEquals([here.journal.size, queued(here.disk)], [1, []]);
  });

  it("answers both who ask at one time, and moves it once", async () => {
    using here = await world();
    const { serial, id } = await accept(here, "amy");
    assertEquals(await Promise.all([here.store.move(serial, id), here.store.move(serial, id)]), [true, true]);
    assertEquals(queued(here.disk).length, 1);
  });

  it("answers false where its done mark cannot be synced, and true once it could, without moving it again", async () => {
    using here = await world();
    const { serial, id } = await accept(here, "amy");
    await here.clock.settle();
    const begun = here.disk.operations.length;
    const operations = await (async () => {
      using other = await world();
      const twin = await accept(other, "amy");
      await other.clock.settle();
      const before = other.disk.operations.length;
      assertEquals(await other.store.move(twin.serial, twin.id), true);
      return other.disk.operations.slice(before);
    })();
    here.disk.failAt(begun + operations.findIndex((line) => /^sync .*\.done$/.test(line)), "EIO");
    assertEquals(await here.store.move(serial, id), false);
    const [first] = queued(here.disk);
    assertEquals(await here.store.move(serial, id), true);
    assertEquals(queued(here.disk), [first!]);
    assertEquals(await here.store.move(serial, id), true);
  });

  it("answers false when the disk is full, leaves no pieces, and moves it later", async () => {
    using here = await world();
    const { serial, id } = await accept(here, "amy");
    await here.clock.settle();
    here.disk.failAt(here.disk.operations.length + 2, "ENOSPC");
    assertEquals(await here.store.move(serial, id), false);
    assertEquals(["mess", "intd", "todo"].map((dir) => here.disk.stat(queueFile(home, dir as "mess", id))), [
      undefined,
      undefined,
      undefined,
    ]);
    assert(here.log.lines().some((line) => line.includes("unmoved")));
    assertEquals(await here.store.move(serial, id), true);
    assertEquals(queued(here.disk).length, 1);
  });
});

describe("QueueStore.journalMessages()", () => {
  it("tells again what was told before, and skips what is done, meanwhile as well", async () => {
    using here = await world();
    const told = [];
    for (const name of ["a", "b", "c"]) told.push(await accept(here, name));
    here.store.done([told[0]!.serial]);
    const messages = here.store.journalMessages();
    const first = messages.next().value;
    assertEquals(first, told[1]);
    here.store.done([told[2]!.serial]);
    assertEquals(messages.next().done, true);
  });

  it("passes over what cannot be read, and says so", async () => {
    using here = await world();
    const [a, b] = [await accept(here, "a"), await accept(here, "b")];
    here.disk.openWrite(home.queue("journal", "1")).writeAt(a.place.offset + 60, toOctets("?"));
    assertEquals([...here.store.journalMessages()], [b]);
    assert(here.log.lines().some((line) => line.includes("unreadable")));
  });
});

describe("QueueStore.done()", () => {
  it("removes the text of a large one, and says so where it cannot", async () => {
    using here = await world();
    const [a, b] = [await acceptLarge(here, "a"), await acceptLarge(here, "b")];
    here.store.done([a.serial]);
    here.disk.failAt(here.disk.operations.length, "EIO");
    here.store.done([b.serial]);
    assertEquals([a, b].map(({ id }) => here.disk.exists(queueFile(home, "mess", id))), [false, true]);
    assertEquals(here.journal.size, 0);
    assert(here.log.lines().some((line) => line.includes("unremoved")));
  });
});
