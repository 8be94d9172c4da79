/**
 * Manual pages in roff's language with the man macros, for man(1).
 * @module
 */
import { type Block, type Page, type Part, wholeParts } from "./page.ts";

/** The page; `version` stands in its foot. Ends in LF. */
export function formatRoff(page: Page, version: string): string {
  const title = `.TH ${argument(page.name.toUpperCase())} ${page.section} "" ${argument(`dqmail ${version}`)} dqmail`;
  return [`.\\" Made by dqmail help --man.`, title, ...wholeParts(page).map(formatPart)].join("\n") + "\n";
}

function formatPart({ title, blocks }: Part): string {
  return [
    `.SH ${argument(title)}`,
    ...blocks.map((block, at) => at === 0 ? formatBlock(block) : `.PP\n${formatBlock(block)}`),
  ]
    .join("\n");
}

function formatBlock(block: Block): string {
  switch (block.kind) {
    case "text":
      return escapeLine(block.text);
    case "list":
      return block.rows.map(([term, meaning]) => `.TP\n.B ${argument(term)}\n${escapeLine(meaning)}`).join("\n");
    case "lines":
      return [".nf", ".RS 4", ...block.lines.map(escapeLine), ".RE", ".fi"].join("\n");
  }
}

/** Text that no macro and no escape begins in. A plain `-` would become a hyphen, which cannot be pasted into a shell. */
export function escapeLine(text: string): string {
  const plain = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("\n", " ");
  const quoted = plain.replaceAll("'", "\\(aq").replaceAll("`", "\\(ga").replaceAll("^", "\\(ha").replaceAll(
    "~",
    "\\(ti",
  );
  return /^[.]/.test(quoted) ? `\\&${quoted}` : quoted;
}

/** One argument of a macro. */
function argument(text: string): string {
  return `"${escapeLine(text).replaceAll('"', "\\(dq")}"`;
}
