import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { removeMessage } from "../../components/qmail-clean/run.ts";
import { removalOrder } from "../../components/qmail-clean/removal.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { type CleanOp, cleanOps } from "../../components/lib/wire/clean_protocol.ts";
import { captureLog } from "../support/captured_log.ts";
import { Crash, type FakeDisk } from "../support/fake_disk.ts";
import { emptyQueue, home } from "../support/queue_disk.ts";

const id = 1001;
const paths = {
  mess: "/q/queue/mess/12/1001",
  intd: "/q/queue/intd/1001",
  todo: "/q/queue/todo/1001",
  options: "/q/queue/options/1001",
};

function fullQueue(): FakeDisk {
  const disk = emptyQueue();
  for (const path of Object.values(paths)) disk.put(path, toOctets("x"));
  return disk;
}

const left = (disk: FakeDisk) => Object.keys(disk.files());

describe("removalOrder()", () => {
  const rows: { op: CleanOp; want: string[]; why: string }[] = [
    { op: "todo", want: ["intd", "todo"], why: "qmail's order: intd never outlives todo" },
    { op: "foop", want: ["intd", "options", "mess"], why: "qmail's order: intd never outlives mess" },
    { op: "done", want: ["todo", "intd", "options", "mess"], why: "no envelope without text in between" },
  ];
  for (const { op, want, why } of rows) it(`${op}: ${why}`, () => assertEquals([...removalOrder(op)], want));
});

describe("removeMessage()", () => {
  it("removes the message's files and no others", () => {
    for (const op of cleanOps) {
      const disk = fullQueue();
      disk.put("/q/queue/mess/12/2002", toOctets("y"));
      assert(removeMessage(disk, home, op, id));
      const kept = Object.entries(paths).filter(([dir]) => !removalOrder(op).includes(dir as "mess"));
      assertEquals(left(disk), [...kept.map(([, path]) => path), "/q/queue/mess/12/2002"].sort());
    }
  });

  it("is content when nothing is there", () => {
    for (const op of cleanOps) assert(removeMessage(emptyQueue(), home, op, id));
  });

  it("never leaves an envelope in todo without its text, wherever it stops", () => {
    using _log = captureLog();
    for (const op of ["todo", "done"] as const) {
      for (let n = 0; n <= removalOrder(op).length; n++) {
        const disk = fullQueue();
        disk.stopAt(n);
        try {
          removeMessage(disk, home, op, id);
        } catch (error) {
          assert(error instanceof Crash);
        }
        const files = left(disk.afterCrash());
        assert(!files.includes(paths.todo) || files.includes(paths.mess), `${op} stopped at ${n}: ${files}`);
      }
    }
  });

  it("stops at the first file it cannot remove, says so, and can be asked again", () => {
    using log = captureLog();
    for (const op of cleanOps) {
      for (const [n] of removalOrder(op).entries()) {
        const disk = fullQueue();
        disk.failAt(n, "EIO");
        assertEquals(removeMessage(disk, home, op, id), false);
        const files = left(disk);
        assert(!files.includes(paths.todo) || files.includes(paths.mess));
        assert(removeMessage(disk, home, op, id));
      }
    }
    assertEquals(log.lines().filter((line) => line.startsWith("unremovable message=1001 reason=")).length, 9);
  });
});
