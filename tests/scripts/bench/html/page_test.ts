import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { formatPage } from "../../../../scripts/bench/html/page.ts";
import { drawPlot } from "../../../../scripts/bench/html/plot.ts";

const x = { label: "seconds", spread: "linear" } as const;
const y = { label: "messages/s <all>", spread: "linear" } as const;

describe("drawPlot()", () => {
  it("draws a line from the lowest left to the highest right, with both axes' labels", () => {
    const svg = drawPlot({ title: "a & b", x, y, series: [{ name: "one", colour: 1, points: [[0, 0], [10, 100]] }] });
    assertStringIncludes(svg, '<path class="line c1" d="M62 222L540 40"/>');
    for (const text of ["a &amp; b", ">seconds<", "messages/s &lt;all&gt;", ">one<", ">100<"]) {
      assertStringIncludes(svg, text);
    }
  });

  it("names lines of one name once", () => {
    const points = [[0, 1], [1, 2]] as const;
    const series = [{ name: "same", colour: 0, points }, { name: "same", colour: 0, points }];
    assertEquals(drawPlot({ title: "t", x, y, series }).split(">same<").length, 2);
  });

  it("leaves dashed lines out of the legend", () => {
    const series = [{ name: "p99", colour: 0, dashed: true, points: [[0, 1], [1, 2]] as const }];
    const svg = drawPlot({ title: "t", x, y, series });
    assertEquals([svg.includes("p99"), svg.includes("dashed")], [false, true]);
  });

  it("draws axes where there is nothing to show", () => {
    const svg = drawPlot({ title: "t", x, y, series: [{ name: "none", colour: 0, points: [] }] });
    assertStringIncludes(svg, "</svg>");
    assert(!svg.includes("NaN"));
  });
});

describe("formatPage()", () => {
  const page = {
    title: "t <1>",
    lead: ["first & last"],
    sections: [{ title: "s", notes: ["n"], plots: ["<svg></svg>"], table: [["head", "b"], ["<x>", "1"]] }],
  };

  it("needs nothing but itself, and no script", () => {
    const text = formatPage(page);
    for (const part of ["<script", "http:", "https:", "@import", "url("]) assert(!text.includes(part), part);
    assertStringIncludes(text, "prefers-color-scheme: dark");
  });

  it("has what it was given, escaped, the first row as head", () => {
    const text = formatPage(page);
    const parts = [
      "<h1>t &lt;1&gt;</h1>",
      "<p>first &amp; last</p>",
      "<svg></svg>",
      "<th>head</th>",
      "<td>&lt;x&gt;</td>",
    ];
    for (const part of parts) assertStringIncludes(text, part);
  });
});
