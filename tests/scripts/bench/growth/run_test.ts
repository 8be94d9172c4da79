import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { dimensionNames, dimensions } from "../../../../scripts/bench/growth/dimensions.ts";
import { parseGrowthOptions } from "../../../../scripts/bench/growth/options.ts";
import { riseOf } from "../../../../scripts/bench/growth/report.ts";
import { parseOptions } from "../../../../scripts/bench/options.ts";

const program = fromFileUrl(new URL("../../../../scripts/bench.ts", import.meta.url));

describe("dimensions", () => {
  it("are scenarios that the benchmark knows, from small to large", () => {
    assertEquals(dimensions.map(({ name }) => name), [...dimensionNames]);
    for (const { steps } of dimensions) {
      for (const { argv } of steps) assertEquals(parseOptions(argv).ok, true, argv.join(" "));
      const sizes = steps.map(({ x }) => x);
      assertEquals(sizes, [...sizes].sort((a, b) => a - b));
    }
  });

  it("reach what is asked for: a million that wait, 100,000 recipients, 50 MiB, 10,000 mailboxes, 5,000 connections", () => {
    assertEquals(dimensions.map(({ steps }) => steps.at(-1)?.x), [1_000_000, 100_000, 51_200, 10_000, 5000]);
  });
});

describe("riseOf()", () => {
  const rows: { values: (number | undefined)[]; want: number | undefined }[] = [
    { values: [2, 1, undefined, 3], want: 3 },
    { values: [32, 4, 2], want: 0.5 },
    { values: [5], want: undefined },
    { values: [], want: undefined },
  ];
  for (const { values, want } of rows) it(`of [${values}] is ${want}`, () => assertEquals(riseOf(values), want));
});

describe("parseGrowthOptions()", () => {
  it("takes dimensions by name, and refuses others", () => {
    const options = parseGrowthOptions(["--only", "size,queue"]);
    assertEquals(options.ok && options.value.only, ["queue", "size"]);
    const refused = parseGrowthOptions(["--only", "width"]);
    assertStringIncludes(refused.ok ? "" : refused.error, 'got "width"');
  });
});

describe("bench growth", () => {
  it("measures the steps up to a bound, with the peaks of memory where they are asked for, and writes a page", async () => {
    const dir = await Deno.makeTempDir();
    try {
      const args = ["growth", "--only", "size", "--most", "1", "--settle", "0", "--json", "--html", `${dir}/page.html`];
      const { code, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--allow-all", program, ...args],
        stderr: "null",
      }).output();
      const { dimensions: measured, failedRuns } = JSON.parse(new TextDecoder().decode(stdout));
      assertEquals([code, failedRuns, measured.length, measured[0].steps.length], [0, 0, 1, 1]);
      const [{ x, cpuMs, peakMib }] = measured[0].steps;
      assertEquals(x, 1);
      assert(cpuMs > 0 && peakMib.smtpd > 0 && peakMib.queue > 0);
      assertStringIncludes(await Deno.readTextFile(`${dir}/page.html`), "qmail-queue");
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
});
