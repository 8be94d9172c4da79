import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { Arrivals } from "../../../scripts/bench/arrivals.ts";
import { nowMs } from "../../../scripts/bench/clock.ts";

describe("Arrivals", () => {
  it("tells when each numbered message came, be it renamed, linked or written there", async () => {
    const maildir = await Deno.makeTempDir();
    try {
      for (const folder of ["tmp", "new"]) await Deno.mkdir(`${maildir}/${folder}`);
      put(`${maildir}/new/before`, 1);
      using arrivals = new Arrivals(maildir);
      const begin = nowMs();
      put(`${maildir}/tmp/a`, 2);
      Deno.renameSync(`${maildir}/tmp/a`, `${maildir}/new/a`);
      put(`${maildir}/tmp/b`, 3);
      Deno.linkSync(`${maildir}/tmp/b`, `${maildir}/new/b`);
      put(`${maildir}/new/c`, 4);
      Deno.writeTextFileSync(`${maildir}/new/d`, "no number\n");
      assert(await arrivals.reached([2, 3, 4], 30_000));
      assertEquals([...arrivals.atMs.keys()].sort(), [2, 3, 4]);
      for (const at of arrivals.atMs.values()) assert(at >= begin && at <= nowMs());
    } finally {
      await Deno.remove(maildir, { recursive: true });
    }
  });

  it("does not wait longer than its limit", async () => {
    const maildir = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${maildir}/new`);
      using arrivals = new Arrivals(maildir);
      assertEquals(await arrivals.reached([1], 0), false);
    } finally {
      await Deno.remove(maildir, { recursive: true });
    }
  });
});

function put(path: string, running: number): void {
  Deno.writeTextFileSync(path, `X-Bench-Number: ${String(running).padStart(10, "0")}\n\nbody\n`);
}
