/**
 * The words and specials of an address field (RFC 5322 §3.2, §3.4, read as qmail reads them): what a field's text is made
 * of before anybody asks what is an address in it. Octet strings; one pass, no recursion, so neither depth nor length of
 * what somebody sends matters.
 * @module
 */

/** A word: `text` without its delimiters and escapes, except that a comment keeps its escapes and inner parentheses. */
export interface Word {
  readonly kind: "atom" | "quote" | "literal" | "comment";
  readonly text: string;
  /** A blank stood in front of it, behind a special: what a name looks like with it ("Joe Q. Public"). */
  readonly spaced?: true;
}

/** One of the seven octets that separate words. */
export interface Special {
  readonly kind: "." | "," | "@" | "<" | ">" | ":" | ";";
}

export type Token = Word | Special;

export const comma: Special = { kind: "," };
export const at: Special = { kind: "@" };
export const dot: Special = { kind: "." };

// One object for each: a header of commas costs a pointer apiece.
const specials = new Map<string, Special>([
  [",", comma],
  ["@", at],
  [".", dot],
  ["<", { kind: "<" }],
  [">", { kind: ">" }],
  [":", { kind: ":" }],
  [";", { kind: ";" }],
]);

const blanks = " \t\r\n";
const closers = ")]";
/** What an atom cannot hold without a backslash. */
const atomEnds = new Set([...blanks, ...specials.keys(), ...closers, "(", "[", '"']);

/**
 * The tokens of `text`; undefined where a quote, literal or comment has no end or no beginning, where nothing follows a
 * backslash, and for a NUL, which no address can carry through the queue. A line end inside a word is folding and goes.
 *
 * @example
 * ```ts
 * import { tokenize } from "./token.ts";
 * tokenize('"a b"@c (d)')?.map((token) => token.kind); // ["quote", "@", "atom", "comment"]
 * ```
 */
export function tokenize(text: string): Token[] | undefined {
  if (text.includes("\0")) return undefined;
  const tokens: Token[] = [];
  for (let from = 0; from < text.length;) {
    const octet = text[from]!;
    const special = specials.get(octet);
    if (special !== undefined) {
      tokens.push(special);
      from++;
    } else if (blanks.includes(octet)) from++;
    else if (closers.includes(octet)) return undefined;
    else {
      const taken = takeWord(text, from);
      if (taken === undefined) return undefined;
      const spaced = from > 0 && blanks.includes(text[from - 1]!) && tokens.at(-1)?.kind.length === 1;
      tokens.push(spaced ? { ...taken.word, spaced } : taken.word);
      from = taken.end;
    }
  }
  return tokens;
}

interface Taken {
  readonly word: Word;
  /** Index behind it. */
  readonly end: number;
}

function takeWord(text: string, from: number): Taken | undefined {
  switch (text[from]) {
    case "(":
      return takeComment(text, from);
    case '"':
      return takeDelimited(text, from, "quote", '"');
    case "[":
      return takeDelimited(text, from, "literal", "]");
    default:
      return takeAtom(text, from);
  }
}

function takeComment(text: string, from: number): Taken | undefined {
  let depth = 0;
  for (let end = from; end < text.length; end++) {
    const octet = text[end];
    if (octet === "\\") {
      if (++end === text.length) return undefined;
    } else if (octet === "(") depth++;
    else if (octet === ")" && --depth === 0) {
      return { word: { kind: "comment", text: unfolded(text.slice(from + 1, end)) }, end: end + 1 };
    }
  }
  return undefined;
}

/** Without line ends; a backslash in front of one goes with it, or it would be in front of what comes next. */
function unfolded(comment: string): string {
  return comment.replace(/\\[^\n]|\\?\n/g, (found) => found.endsWith("\n") ? "" : found);
}

function takeDelimited(text: string, from: number, kind: "quote" | "literal", closer: string): Taken | undefined {
  const parts: string[] = [];
  let start = from + 1; // of the run not yet copied
  for (let end = start; end < text.length; end++) {
    const octet = text[end];
    if (octet === closer) {
      parts.push(text.slice(start, end));
      return { word: { kind, text: parts.join("") }, end: end + 1 };
    }
    if (octet !== "\\" && octet !== "\n") continue;
    parts.push(text.slice(start, end));
    start = end + 1;
    // The octet behind a backslash is copied with the next run, whatever it is, unless it folds the line.
    if (octet === "\\" && text[end + 1] !== "\n" && ++end === text.length) return undefined;
  }
  return undefined;
}

function takeAtom(text: string, from: number): Taken | undefined {
  const parts: string[] = [];
  let start = from;
  let end = from;
  for (; end < text.length && !atomEnds.has(text[end]!); end++) {
    if (text[end] !== "\\") continue;
    parts.push(text.slice(start, end));
    start = ++end;
    if (end === text.length) return undefined;
  }
  const plain = parts.length === 0;
  parts.push(text.slice(start, end));
  // What needed a backslash is written in quotes again.
  return { word: { kind: plain ? "atom" : "quote", text: parts.join("").replaceAll("\n", "") }, end };
}

/** The tokens of one word as a local part: a dot-atom as atoms and dots, anything else as a quoted string. */
export function localPartTokens(text: string): Token[] {
  const words = text.split(".");
  const isDotAtom = words.every((word) => word !== "" && !/[\\\0]/.test(word) && !hasAtomEnd(word));
  if (!isDotAtom) return [{ kind: "quote", text }];
  return words.flatMap((word, index) => [...(index === 0 ? [] : [dot]), { kind: "atom", text: word } as const]);
}

function hasAtomEnd(word: string): boolean {
  return [...word].some((octet) => atomEnds.has(octet));
}

/** A comment that says `text`. */
export function commentOf(text: string): Word {
  return { kind: "comment", text: text.replace(/[()\\]/g, "\\$&") };
}
