import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { existsSync } from "@std/fs";
import { makeHome, removeHome, writeControls } from "../../../scripts/bench/home.ts";

describe("removeHome()", () => {
  it("removes everything, and tells of every folder of the queue", async () => {
    const home = await makeHome("/tmp");
    await writeControls(home, { me: "localhost" });
    for (const folder of ["mess/0", "mess/1", "todo"]) await Deno.mkdir(`${home}/queue/${folder}`, { recursive: true });
    await Deno.writeTextFile(`${home}/queue/mess/1/7`, "");
    const told: number[][] = [];
    await removeHome(home, (done, total) => told.push([done, total]));
    assertEquals(told.at(-1), [3, 3]);
    assertEquals(existsSync(home), false);
  });

  it("is content where there is nothing", async () => {
    await removeHome("/tmp/dqmail-bench-of-nobody");
  });
});
