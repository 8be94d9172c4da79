import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { measureProcess, measureTree, parseStat, processesBelow, treeOf } from "../../../scripts/bench/processes.ts";

describe("parseStat()", () => {
  const tail = "S 12 42 42 0 -1 4194304 1 2 3 4 100 20 3 4 20 0 1 0 55 6 7";
  const rows: { text: string; want: ReturnType<typeof parseStat> }[] = [
    { text: `42 (deno) ${tail}`, want: { pid: 42, parent: 12, cpuTicks: 127 } },
    { text: `42 (a) b) (c) ${tail}`, want: { pid: 42, parent: 12, cpuTicks: 127 } },
    { text: "", want: undefined },
    { text: "42 (deno) S 12", want: undefined },
  ];
  for (const { text, want } of rows) it(`reads ${JSON.stringify(text)}`, () => assertEquals(parseStat(text), want));
});

describe("treeOf()", () => {
  it("finds a process with all below it and nothing else", () => {
    const pairs = [[1, 0], [2, 1], [3, 1], [4, 2], [5, 4], [6, 9]] as const;
    const all = pairs.map(([pid, parent]) => ({ pid, parent, cpuTicks: 0 }));
    assertEquals(treeOf(2, all).map((stat) => stat.pid), [2, 4, 5]);
    assertEquals(treeOf(7, all), []);
  });
});

describe("measureTree()", () => {
  it("finds this process", () => {
    const use = measureTree(Deno.pid);
    assert(use.processes >= 1 && use.cpuMs > 0 && use.pssKib > 0);
  });
});

describe("processesBelow()", () => {
  it("begins with the process itself", () => assertEquals(processesBelow(Deno.pid)[0], Deno.pid));
});

describe("measureProcess()", () => {
  it("tells of this process, and nothing of none", () => {
    const { pssKib, rssKib, peakRssKib } = measureProcess(Deno.pid);
    assert(pssKib > 0 && rssKib > 0 && peakRssKib > 0);
    assertEquals(measureProcess(0), { pssKib: 0, rssKib: 0, peakRssKib: 0 });
  });
});
