import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { Line, mostWaiting } from "../../../components/lib/workers/line.ts";

/** A line, and who had his turn. */
function world() {
  const line = new Line();
  const served: string[] = [];
  const join = (key: string, inFront = false) => line.join(key, () => served.push(key), inFront);
  return { line, served, join };
}

describe("Line", () => {
  it("serves in the order of coming, a returning one first", () => {
    const { line, served, join } = world();
    for (const key of ["a", "b", "c"]) join(key);
    line.next();
    join("a", true);
    for (let count = 0; count < 4; count++) line.next();
    assertEquals(served, ["a", "a", "b", "c"]);
  });

  it("serves all who wait for the process that is there now", () => {
    const { line, served, join } = world();
    for (const key of ["a", "b", "a"]) join(key);
    line.serve("a");
    assertEquals([served, line.length], [["a", "a"], 1]);
  });

  it("lets one leave, and no more in than there is room for", () => {
    const { line, served, join } = world();
    const leave = join("a")!;
    join("b");
    leave();
    leave();
    line.next();
    assertEquals(served, ["b"]);
    for (let count = 0; count < mostWaiting; count++) assert(join("x") !== undefined);
    assertEquals(join("y"), undefined);
  });
});
