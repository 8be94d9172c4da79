/** Text in lines of a terminal's width. @module */

/** Lines are read best when they are no longer, however wide the terminal is. */
export const mostColumns = 100;

/**
 * `text` in lines of at most `columns`, each but the first begun with `indent` blanks. A word that is longer stands on a
 * line of its own; words joined by a no-break space stay together.
 */
export function wrap(text: string, columns: number, indent = 0, first = indent): string {
  const lines: string[] = [];
  let line = " ".repeat(first);
  let empty = true;
  for (const word of text.split(/[ \n]+/)) {
    if (!empty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = " ".repeat(indent);
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  lines.push(line);
  return lines.join("\n").replaceAll("\u00a0", " ");
}

/** `rows` of a term and its meaning, the meanings below each other. */
export function wrapList(rows: readonly (readonly [term: string, text: string])[], columns: number): string {
  const widest = Math.max(0, ...rows.map(([term]) => term.length).filter((length) => length <= 26));
  return rows.map(([term, text]) => {
    const at = widest + 4;
    const lines = wrap(text, columns, at);
    return term.length > widest ? `  ${term}\n${lines}` : `  ${term.padEnd(widest)}  ${lines.slice(at)}`;
  }).join("\n");
}
