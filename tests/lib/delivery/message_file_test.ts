import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { homeAt } from "../../../config/home.ts";
import { MessageFile, MessageOctets, openMessage, pieceBytes } from "../../../components/lib/delivery/message_file.ts";
import { JournalReader } from "../../../components/lib/queue/journal/reader.ts";
import { putRecord, recordBytes } from "../../../components/lib/queue/journal/record.ts";
import { journalSegment, queueFile, queueFolder } from "../../../components/lib/queue/layout.ts";
import { tempDir } from "../../support/temp_dir.ts";

const id = 1000;

/** A home with the folder of message 1000. */
function place() {
  const dir = tempDir();
  const home = homeAt(dir.path);
  Deno.mkdirSync(queueFolder(home, "mess", id), { recursive: true });
  return { home, path: queueFile(home, "mess", id), [Symbol.dispose]: () => dir[Symbol.dispose]() };
}

describe("MessageFile", () => {
  it("reads a message in pieces of 128 KiB", () => {
    using here = place();
    Deno.writeFileSync(here.path, new Uint8Array(pieceBytes + 5));
    const file = MessageFile.open(here.home, id);
    assertEquals(file.sizeBytes, pieceBytes + 5);
    assertEquals([0, pieceBytes, pieceBytes + 5, pieceBytes + 6].map((at) => file.read(at).length), [
      pieceBytes,
      5,
      0,
      0,
    ]);
    file.close();
  });

  it("throws when the message becomes shorter while it is read", () => {
    using here = place();
    Deno.writeFileSync(here.path, new Uint8Array(10));
    const file = MessageFile.open(here.home, id);
    Deno.truncateSync(here.path, 5);
    assertThrows(() => file.read(0));
    file.close();
  });

  it("throws NotFound when there is none", () => {
    using here = place();
    assert(assertThrows(() => MessageFile.open(here.home, id)) instanceof Deno.errors.NotFound);
  });

  const foreign: { claim: string; make: (path: string) => void }[] = [
    { claim: "a folder", make: (path) => Deno.mkdirSync(path) },
    { claim: "a symlink", make: (path) => Deno.symlinkSync("/etc/passwd", path) },
    {
      claim: "a FIFO, without waiting for a writer",
      make: (path) => void new Deno.Command("mkfifo", { args: [path] }).outputSync(),
    },
  ];
  for (const { claim, make } of foreign) {
    it(`refuses ${claim}`, () => {
      using here = place();
      make(here.path);
      assertThrows(() => MessageFile.open(here.home, id));
    });
  }
});

describe("MessageOctets", () => {
  it("reads a message in pieces of 128 KiB", () => {
    const octets = new Uint8Array(pieceBytes + 5).map((_, at) => at);
    const message = new MessageOctets(octets);
    assertEquals(message.sizeBytes, pieceBytes + 5);
    assertEquals(message.read(0), octets.subarray(0, pieceBytes));
    assertEquals(message.read(pieceBytes), octets.subarray(pieceBytes));
    assertEquals([pieceBytes + 5, pieceBytes + 6].map((at) => message.read(at).length), [0, 0]);
    message.close();
  });
});

describe("openMessage()", () => {
  const content = new Uint8Array([1, 2, 3]);
  const bytes = recordBytes(new Uint8Array(), [content]);
  const there = { serial: 7, segment: 1, offset: 0, bytes };

  /** A home with one message in segment 1 of the journal, and another text under its number in mess. */
  function both() {
    const here = place();
    const segment = new Uint8Array(1000);
    putRecord(segment, 0, { generation: 7, serial: 7, id, birthSeconds: 0 }, new Uint8Array(), [content]);
    Deno.mkdirSync(here.home.queue("journal"));
    Deno.writeFileSync(journalSegment(here.home, 1), segment);
    Deno.writeFileSync(here.path, new Uint8Array([9]));
    const journal = new JournalReader(here.home);
    const end = () => {
      journal.close();
      here[Symbol.dispose]();
    };
    return { ...here, journal, [Symbol.dispose]: end };
  }

  const rows = [
    { claim: "reads the journal where the message has its place", at: there, want: content },
    { claim: "reads mess where it has none", at: undefined, want: new Uint8Array([9]) },
    {
      claim: "reads mess where the journal has another by now",
      at: { ...there, serial: 6 },
      want: new Uint8Array([9]),
    },
  ];
  for (const { claim, at, want } of rows) {
    it(claim, () => {
      using here = both();
      const message = openMessage(here.home, here.journal, id, at);
      assertEquals([message.sizeBytes, message.read(0)], [want.length, want]);
      message.close();
    });
  }

  it("throws NotFound where it is in neither", () => {
    using here = both();
    Deno.removeSync(here.path);
    const open = () => openMessage(here.home, here.journal, id, { ...there, serial: 6 });
    assert(assertThrows(open) instanceof Deno.errors.NotFound);
  });
});
