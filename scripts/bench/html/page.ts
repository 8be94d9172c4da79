/**
 * One HTML file that needs nothing else: no script, no font, no picture from anywhere. Plots with a table beside each.
 * @module
 */
import { escapeHtml } from "./escape.ts";

/** Rows of cells; the first row is the head. */
export type Table = readonly (readonly string[])[];

export interface Section {
  readonly title: string;
  readonly notes: readonly string[];
  /** `svg` elements. */
  readonly plots: readonly string[];
  /** Stands beside the plots. */
  readonly table: Table;
}

export interface Page {
  readonly title: string;
  /** What was measured, when and on what. */
  readonly lead: readonly string[];
  readonly sections: readonly Section[];
}

const style = `
:root { color-scheme: light dark; --ink: #1a1c20; --paper: #fff; --grid: #d9dce2;
  --c0: #0b62c4; --c1: #c2410c; --c2: #15803d; --c3: #9333ea; --c4: #a16207; --c5: #be185d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --paper: #15171b; --grid: #3a3e46;
  --c0: #6cb2ff; --c1: #ff9a62; --c2: #5fd38a; --c3: #c99bff; --c4: #e6c04a; --c5: #ff86b8; } }
body { margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; } p { margin: .2rem 0; }
section > div { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
.plots { flex: 1 1 24rem; max-width: 35rem; min-width: min(20rem, 100%); } svg { width: 100%; height: auto; }
svg text { fill: currentColor; font-size: 11px; } svg text.title { font-size: 13px; font-weight: 600; }
.grid { stroke: var(--grid); fill: none; } .line { fill: none; stroke-width: 1.6; } .dashed { stroke-dasharray: 5 3; }
.dots { stroke-width: 6; stroke-linecap: round; }
${[0, 1, 2, 3, 4, 5].map((at) => `.c${at} { stroke: var(--c${at}); }`).join(" ")}
.scroll { flex: 1 1 22rem; min-width: 0; overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { vertical-align: bottom; } th, td { padding: .15rem .5rem; border-bottom: 1px solid var(--grid); text-align: right; }
th:first-child, td:first-child { text-align: left; }
`;

/** The file's text. */
export function formatPage({ title, lead, sections }: Page): string {
  return [
    "<!DOCTYPE html>",
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${style}</style>`,
    `<h1>${escapeHtml(title)}</h1>`,
    ...lead.map(paragraph),
    ...sections.map(formatSection),
    "</html>",
    "",
  ].join("\n");
}

function formatSection({ title, notes, plots, table }: Section): string {
  return [
    "<section>",
    `<h2>${escapeHtml(title)}</h2>`,
    ...notes.map(paragraph),
    "<div>",
    ...(plots.length === 0 ? [] : [`<div class="plots">${plots.join("\n")}</div>`]),
    ...(table.length === 0 ? [] : [formatRows(table)]),
    "</div>",
    "</section>",
  ].join("\n");
}

function formatRows([head = [], ...rows]: Table): string {
  const row = (cells: readonly string[], tag: "th" | "td") =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;
  return `<div class="scroll"><table>${row(head, "th")}${
    rows.map((cells) => row(cells, "td")).join("\n")
  }</table></div>`;
}

function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}
