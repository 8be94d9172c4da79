/**
 * A manual page as data; text.ts and roff.ts print it.
 * @module
 */

/** One part of a page, in order. */
export type Block =
  | { readonly kind: "text"; readonly text: string }
  /** Terms and what they mean. */
  | { readonly kind: "list"; readonly rows: readonly (readonly [term: string, text: string])[] }
  /** Lines as they are: usage, command lines, files. */
  | { readonly kind: "lines"; readonly lines: readonly string[] };

export interface Part {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** man(1)'s sections: 1 programs for everybody, 5 files, 7 overviews, 8 for operators. */
export type ManSection = 1 | 5 | 7 | 8;

export interface Page {
  /** As in the page's first line, `dqmail-status` or `databytes`. */
  readonly name: string;
  readonly section: ManSection;
  /** One line, without a full stop. */
  readonly does: string;
  readonly parts: readonly Part[];
  /** What else to read, as `dqmail help` calls it. */
  readonly seeAlso: readonly string[];
}

export function text(words: string): Block {
  return { kind: "text", text: words };
}

export function list(rows: readonly (readonly [string, string])[]): Block {
  return { kind: "list", rows };
}

export function lines(...rows: readonly string[]): Block {
  return { kind: "lines", lines: rows };
}

/** A part, or nothing where it would be empty. */
export function part(title: string, ...blocks: readonly Block[]): readonly Part[] {
  const full = blocks.filter((block) => !isEmpty(block));
  return full.length === 0 ? [] : [{ title, blocks: full }];
}

function isEmpty(block: Block): boolean {
  switch (block.kind) {
    case "text":
      return block.text === "";
    case "list":
      return block.rows.length === 0;
    case "lines":
      return block.lines.length === 0;
  }
}

/** The page with each of its sentences as `say` has it. */
export function mapPage(page: Page, say: (text: string) => string): Page {
  const parts = page.parts.map(({ title, blocks }) => ({ title, blocks: blocks.map((block) => mapBlock(block, say)) }));
  return { ...page, parts };
}

function mapBlock(block: Block, say: (text: string) => string): Block {
  switch (block.kind) {
    case "text":
      return text(say(block.text));
    case "list":
      return list(block.rows.map(([term, meaning]) => [say(term), say(meaning)]));
    case "lines":
      return lines(...block.lines.map(say));
  }
}

/** The parts of a page with its name in front and what else to read behind. */
export function wholeParts({ name, does, parts, seeAlso }: Page): readonly Part[] {
  return [
    ...part("NAME", text(`${name} - ${does}`)),
    ...parts,
    ...part("SEE ALSO", text(seeAlso.map((topic) => `dqmail help ${topic}`).join(", "))),
  ];
}
