/**
 * Finding lines in a log too large to be read as lines: blocks of it as octet strings, looked through for words. Whoever
 * drives a search decides after each block whether it may go on.
 * @module
 */

/** The files of a log as one: the oldest octet has the number 0. */
export interface LogText {
  readonly size: number;
  /** Those from `from` up to `to`, as an octet string. */
  read(from: number, to: number): string;
}

/** How much of what a request may cost is spent: from 0 to 1 and beyond. */
export type Spent = () => number;

/** A line without its end, and where it begins. */
export interface Hit {
  readonly line: string;
  readonly at: number;
}

/** What one block has. */
export interface Block {
  readonly hits: readonly Hit[];
  /** Where it begins. */
  readonly start: number;
}

export interface SearchOptions {
  /** Lines that begin from here on; default all. */
  readonly from?: number;
  /** Lines that end up to here; default all. */
  readonly to?: number;
  /** Words are lower-case then, and met in any case. */
  readonly anyCase?: boolean;
  /** Octets of one block; for tests. */
  readonly blockBytes?: number;
}

/** Looked through without a break in between: a millisecond or two. */
const usualBlockBytes = 1024 * 1024;

/**
 * Lines with one of `words` in them, the newest first, all those of one block at a time; without words all lines. Each
 * block ends where a line does. A line longer than a block is met in pieces.
 */
export function* backwards(
  log: LogText,
  words: readonly string[],
  { from = 0, to = log.size, anyCase = false, blockBytes = usualBlockBytes }: SearchOptions = {},
): Generator<Block, void, undefined> {
  for (let end = to; end > from;) {
    const start = Math.max(from, end - blockBytes);
    const text = log.read(start, end);
    // What stands in front of the first line end may have begun in the block before.
    const cut = start === from ? 0 : text.indexOf("\n") + 1;
    // That line end may be the block's last octet.
    const whole = cut === text.length ? 0 : cut;
    yield { hits: hitsIn(text.slice(whole), start + whole, words, anyCase).reverse(), start: start + whole };
    end = start + whole;
  }
}

/** The same from the oldest on. */
export function* forwards(
  log: LogText,
  words: readonly string[],
  { from = 0, to = log.size, anyCase = false, blockBytes = usualBlockBytes }: SearchOptions = {},
): Generator<Block, void, undefined> {
  for (let start = from; start < to;) {
    const end = Math.min(to, start + blockBytes);
    const text = log.read(start, end);
    const cut = end === to ? text.length : text.lastIndexOf("\n") + 1;
    const whole = cut === 0 ? text.length : cut;
    yield { hits: hitsIn(text.slice(0, whole), start, words, anyCase), start };
    start += whole;
  }
}

function hitsIn(text: string, at: number, words: readonly string[], anyCase: boolean): Hit[] {
  const starts = words.length === 0 ? everyLine(text) : linesWith(anyCase ? lowered(text) : text, words);
  return starts.map((start) => {
    const end = text.indexOf("\n", start);
    return { line: text.slice(start, end < 0 ? text.length : end), at: at + start };
  });
}

/** No octet becomes two, so that places stay what they are. */
function lowered(text: string): string {
  return text.toLowerCase();
}

function everyLine(text: string): number[] {
  const starts: number[] = [];
  for (let at = 0; at < text.length;) {
    starts.push(at);
    const end = text.indexOf("\n", at);
    if (end < 0) break;
    at = end + 1;
  }
  return starts;
}

function linesWith(text: string, words: readonly string[]): number[] {
  const starts = new Set<number>();
  for (const word of words) {
    for (let at = text.indexOf(word); at >= 0;) {
      starts.add(text.lastIndexOf("\n", at) + 1);
      // The rest of this line says nothing new.
      const end = text.indexOf("\n", at);
      at = end < 0 ? -1 : text.indexOf(word, end);
    }
  }
  const sorted = [...starts];
  return words.length === 1 ? sorted : sorted.sort((one, other) => one - other);
}
