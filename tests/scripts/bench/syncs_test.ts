import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { countSyncs, hasStrace, parseCalls, totalOf } from "../../../scripts/bench/syncs.ts";
import { Child } from "../../../scripts/bench/json_lines.ts";

const summary = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ------------------
 81.20    0.001234          10       119           fdatasync
 18.80    0.000286           2       100         3 fsync
------ ----------- ----------- --------- --------- ------------------
100.00    0.001520           6       219         3 total
`;

describe("parseCalls()", () => {
  const rows: { name: string; text: string; want: Record<string, number> }[] = [
    { name: "of each call, with and without errors", text: summary, want: { fdatasync: 119, fsync: 100 } },
    { name: "of nothing", text: "", want: {} },
  ];
  for (const { name, text, want } of rows) it(`reads the count ${name}`, () => assertEquals(parseCalls(text), want));

  it("is summed up by totalOf()", () => assertEquals(totalOf(parseCalls(summary)), 219));
});

describe("countSyncs()", { ignore: !hasStrace() || Deno.uid() !== 0 }, () => {
  it("counts what a process syncs while the work is done, and lets it go on afterwards", async () => {
    const file = await Deno.makeTempFile();
    try {
      await using child = new Child<string, number>("../../tests/scripts/bench/syncing_child.ts", ["--allow-write"]);
      const pid = await child.ask(file);
      const calls = await countSyncs(pid, () => child.ask(file));
      assert(calls !== undefined);
      assertEquals(totalOf(calls), 2);
      assertEquals(await child.ask(file), pid);
    } finally {
      await Deno.remove(file);
    }
  });
});
