import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { parseDiskOptions } from "../../../../scripts/bench/disk/options.ts";
import { formatDisk } from "../../../../scripts/bench/disk/run.ts";
import { works } from "../../../../scripts/bench/disk/works.ts";
import { tempDir } from "../../../support/temp_dir.ts";

function optionsOf(...argv: string[]) {
  const options = parseDiskOptions(argv);
  if (!options.ok) throw new Error(options.error);
  return options.value;
}

describe("bench disk", () => {
  for (const [name, work] of Object.entries(works)) {
    it(`does what it says, and counts that: ${name}`, async () => {
      using dir = tempDir();
      const { count, seconds } = await work(
        optionsOf("--files", "20", "--mailboxes", "20", "--writers", "4"),
        dir.path,
      );
      assertEquals(count, name.includes("1 MiB") ? 2 : 20);
      assert(seconds > 0);
      const left = [...Deno.readDirSync(dir.path)];
      assertEquals(left.length, name.startsWith("records") ? 1 : count);
      if (name.includes("Maildirs")) {
        for (const { name: mailbox } of left) {
          assertEquals(Deno.statSync(`${dir.path}/${mailbox}/new/text`).size, 10_240);
        }
      }
    });
  }

  it("refuses what it does not know", () => {
    assertEquals(parseDiskOptions(["fast"]).ok, false);
    assertEquals(parseDiskOptions(["--writers", "0"]).ok, false);
  });

  it("prints what one takes beside how many there are in a second", () => {
    const machine = { loadAverage: 0, cores: 2, memoryMib: 1, kernel: "6", deno: "2" };
    const figures = { "files": { median: 2500, min: 2000, max: 3000 } };
    const text = formatDisk({ date: "2026-11-23T20:00:00Z", machine, options: optionsOf("--dir", "/srv"), figures });
    assertEquals(text.split("\n").slice(1, 4), [
      "20 at a time; files below /srv; medians of 3 runs",
      "",
      "    2500/s    0.400 ms  files",
    ]);
  });
});
