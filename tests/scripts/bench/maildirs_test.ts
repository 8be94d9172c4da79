import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { Maildirs } from "../../../scripts/bench/maildirs.ts";

const limits = { limitMs: 0, firstNumber: 100, recipientsPerMessage: 1 };

describe("Maildirs", () => {
  it("counts what came since it was opened: new, repeated, late, and not numbered", async () => {
    const root = await Deno.makeTempDir();
    try {
      for (const user of ["u0", "u1"]) await Deno.mkdir(`${root}/${user}/new`, { recursive: true });
      put(`${root}/u0/new/old`, 100);
      const maildirs = new Maildirs([`${root}/u0`, `${root}/u1`]);
      put(`${root}/u0/new/a`, 100);
      put(`${root}/u1/new/b`, 101);
      put(`${root}/u1/new/c`, 101);
      put(`${root}/u1/new/d`, 99);
      put(`${root}/u1/new/e`, undefined);
      const { lastAtMs, marks, ...counts } = await maildirs.reached(5, limits);
      assertEquals(counts, { deliveries: 2, duplicates: 1, unnumbered: 1, late: 1 });
      assertEquals(marks.at(-1)?.[1], 5);
      assertEquals(lastAtMs, newest([`${root}/u0/new`, `${root}/u1/new`]));
      put(`${root}/u0/new/f`, 102);
      assertEquals((await maildirs.reached(1, limits)).deliveries, 1);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });

  it("waits for the rest of a run", async () => {
    const root = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${root}/u0/new`, { recursive: true });
      const filled = new Maildirs([`${root}/u0`]).reached(1, { ...limits, limitMs: 30_000 });
      put(`${root}/u0/new/a`, 100);
      assertEquals((await filled).deliveries, 1);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });

  it("refuses a folder that is no Maildir", () => {
    assertThrows(() => new Maildirs(["/nonexistent"]));
  });
});

function put(path: string, running: number | undefined): void {
  const field = running === undefined ? "" : `X-Bench-Number: ${String(running).padStart(10, "0")}\n`;
  Deno.writeTextFileSync(path, `Received: from a\n${field}\nbody\n`);
}

function newest(folders: readonly string[]): number {
  return Math.max(...folders.map((dir) => Deno.statSync(dir).mtime!.getTime()));
}
