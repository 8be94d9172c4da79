/**
 * Manual pages for a terminal.
 * @module
 */
import { mostColumns, wrap, wrapList } from "../cli/wrap.ts";
import { type Block, type Page, wholeParts } from "./page.ts";

const indent = 4;

/** The page as lines, without a line end behind the last. */
export function formatPage(page: Page, columns: number = mostColumns): string {
  const width = Math.max(40, Math.min(columns, mostColumns));
  const head = `${page.name.toUpperCase()}(${page.section})`;
  const parts = wholeParts(page).map(({ title, blocks }) =>
    `${title}\n${blocks.map((block) => formatBlock(block, width)).join("\n\n")}`
  );
  return [head, ...parts].join("\n\n");
}

function formatBlock(block: Block, columns: number): string {
  switch (block.kind) {
    case "text":
      return wrap(block.text, columns, indent);
    case "list":
      // The list's own indent is two.
      return wrapList(block.rows, columns - 2).split("\n").map((line) => `  ${line}`).join("\n");
    case "lines":
      return block.lines.map((line) => line === "" ? "" : " ".repeat(indent) + line).join("\n");
  }
}
