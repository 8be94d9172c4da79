import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { homeAt } from "../../../config/home.ts";
import { MessageFile, pieceBytes } from "../../../components/lib/delivery/message_file.ts";
import { queueFile, queueFolder } from "../../../components/lib/queue/layout.ts";
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
