import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { finishMoves } from "../../components/qmail-queue/finish_moves.ts";
import type { FakeDisk } from "../support/fake_disk.ts";
import { home, keptFile } from "../support/queue_disk.ts";
import { accept, acceptLarge, world } from "./store_world.ts";

describe("finishMoves()", () => {
  describe("of a large message", () => {
    async function finishedLarge(prepare: (disk: FakeDisk, id: number, envelope: Uint8Array) => void) {
      using here = await world();
      const { serial, id } = await acceptLarge(here, "bob");
      const { envelope } = here.journal.read(here.journal.find(serial)!);
      await here.journal.close();
      const disk = here.disk.afterPowerLoss(() => "old");
      prepare(disk, id, envelope);
      const journal = await here.open(disk);
      await finishMoves(disk, home, journal);
      const files = Object.keys(disk.files()).filter((path) => /\/(todo|intd|mess|options)\//.test(path));
      return { files, id, inJournal: journal.entries().map((entry) => entry.id) };
    }
    const anothers = toOctets("Received: (qmail 5 ...)\n\nanother's\n");
    const mess = (id: number) => queueFile(home, "mess", id);

    it("leaves it alone where only its text is there", async () => {
      const { files, id, inJournal } = await finishedLarge(() => {});
      assertEquals([inJournal, files], [[id], [mess(id)]]);
    });

    it("takes it out of the journal where its envelope is in todo", async () => {
      const { files, id, inJournal } = await finishedLarge((disk, id, envelope) =>
        disk.put(queueFile(home, "todo", id), envelope)
      );
      assertEquals([inJournal, files], [[], [mess(id), queueFile(home, "todo", id)]]);
    });

    it("removes what a move has begun, but not the text", async () => {
      const { files, id, inJournal } = await finishedLarge((disk, id, envelope) => {
        for (const dir of ["intd", "options"] as const) disk.put(queueFile(home, dir, id), envelope.subarray(0, 5));
      });
      assertEquals([inJournal, files], [[id], [mess(id)]]);
    });

    it("ends it where its text is gone", async () => {
      const { files, inJournal } = await finishedLarge((disk, id) => disk.remove(mess(id)));
      assertEquals([inJournal, files], [[], []]);
    });

    it("ends it where its text is another's by now, and leaves that alone", async () => {
      const sameLength = (text: Uint8Array) => text.map((octet, at) => anothers[at] ?? octet);
      for (const change of [() => anothers, sameLength]) {
        const { files, id, inJournal } = await finishedLarge((disk, id, envelope) => {
          disk.openEmpty(mess(id)).write(change(disk.readFile(mess(id)).slice()));
          disk.put(queueFile(home, "todo", id), envelope);
        });
        assertEquals([inJournal, files], [[], [mess(id), queueFile(home, "todo", id)]]);
      }
    });
  });

  /** One message in the journal, and what another process finds when it has looked after the moves. */
  async function finished(prepare: (disk: FakeDisk, id: number, text: Uint8Array, envelope: Uint8Array) => void) {
    using here = await world();
    const { serial, id } = await accept(here, "amy");
    const { content, envelope } = here.journal.read(here.journal.find(serial)!);
    await here.journal.close();
    const disk = here.disk.afterPowerLoss(() => "new");
    prepare(disk, id, content, envelope);
    const journal = await here.open(disk);
    await finishMoves(disk, home, journal);
    const files = Object.keys(disk.files()).filter((path) => /\/(todo|intd|mess)\//.test(path));
    return { journal, files, id, disk, serial };
  }
  /** The number's file as a mess file with this in it. */
  const writeMess = (disk: FakeDisk, id: number, text: Uint8Array) => {
    disk.openEmpty(keptFile(disk, id)!).write(text);
    disk.link(keptFile(disk, id)!, queueFile(home, "mess", id));
  };
  const allFiles = (id: number) => (["intd", "mess", "todo"] as const).map((dir) => queueFile(home, dir, id));

  it("leaves a message alone that has not begun to move", async () => {
    const { journal, files, id } = await finished(() => {});
    assertEquals([journal.entries().map((entry) => entry.id), files], [[id], []]);
  });

  it("takes one out of the journal that has moved as a whole", async () => {
    const { journal, files, id, disk } = await finished((disk, id, text, envelope) => {
      writeMess(disk, id, text);
      for (const dir of ["intd", "todo"] as const) disk.put(queueFile(home, dir, id), envelope);
    });
    assertEquals([journal.size, files], [0, allFiles(id)]);
    assertEquals(keptFile(disk, id), undefined);
  });

  for (const part of ["none", "half", "all"] as const) {
    it(`removes the pieces of one of whose text ${part} was written, and keeps it in the journal`, async () => {
      const { journal, files, id, disk } = await finished((disk, id, text, envelope) => {
        writeMess(disk, id, text.subarray(0, { none: 0, half: 100, all: text.length }[part]));
        disk.put(queueFile(home, "intd", id), envelope.subarray(0, 5));
      });
      assertEquals([journal.entries().map((entry) => entry.id), files], [[id], []]);
      assert(keptFile(disk, id) !== undefined);
    });
  }

  it("leaves another's message under its number alone, in todo or past it, and gives this one another number", async () => {
    for (const inTodo of [true, false]) {
      const { journal, files, id, disk } = await finished((disk, id, _text, envelope) => {
        writeMess(disk, id, toOctets("Received: (qmail 5 ...)\n\nanother's\n"));
        if (inTodo) { for (const dir of ["intd", "todo"] as const) disk.put(queueFile(home, dir, id), envelope); }
      });
      assertEquals(files, inTodo ? allFiles(id) : [queueFile(home, "mess", id)]);
      const [entry] = journal.entries();
      assert(entry!.id !== id);
      assertEquals(keptFile(disk, id), undefined);
      assert(keptFile(disk, entry!.id) !== undefined);
      assert(fromOctets(disk.readFile(queueFile(home, "mess", id))).endsWith("another's\n"));
    }
  });
});
