/**
 * badmailfrom, badrcptto and badhelo: lists of addresses or names, in the grammar that qmail's and s/qmail's lists share.
 *
 * | line | matches |
 * |---|---|
 * | `amy@example.org` | that address; in badhelo a name |
 * | `@example.org` | every address in that domain |
 * | `*@*.example.org`, `m[0-9]?.example` | by `*`, `?` and classes, all of the text |
 * | `!` or `?` in front | an exception: never refused, wherever in the file it stands |
 * | `+` at the end | refused only of clients that may not relay and have not logged in |
 *
 * ASCII case does not matter. Unlike s/qmail: lines with `~` in front, or `-` or `=` at the end, which hang on the
 * client's name in the DNS, are not understood. Unlike the collections of patches: there are no regular expressions, as
 * one that takes exponential time is written easily and found by whoever sends mail. Both are refused when the file is
 * read, so that no line is without effect unnoticed.
 * @module
 */
import type { Parse } from "../../../config/values.ts";
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { utf8Octets } from "../octets.ts";
import { err, ok } from "../result.ts";
import { listLines } from "./list_lines.ts";
import { matchesWildmat, parseWildmat, type Wildmat } from "./wildmat.ts";

/** What matching lines say: bits, so that several are one number. */
const refusesAll = 1;
const refusesStrangers = 2;
const excepts = 4;

const longestLine = 512;

/** Looked up by key where that can be: only what is left is tried pattern by pattern. */
interface Tables {
  /** Whole texts; "@example.org" for a domain. */
  readonly exact: Map<string, number>;
  /** Suffixes of a domain or name that begin with a dot. */
  readonly suffixes: Map<string, number>;
  readonly wildmats: { readonly pattern: Wildmat; readonly bits: number }[];
}

export class PatternList {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  get isEmpty(): boolean {
    const { exact, suffixes, wildmats } = this.#tables;
    return exact.size + suffixes.size + wildmats.length === 0;
  }

  /** Whether an address or a name (an octet string) is refused; `trusted`: of a client that may relay or has logged in. */
  refuses(octets: string, trusted: boolean): boolean {
    const text = lowerCaseAscii(octets);
    const { exact, suffixes, wildmats } = this.#tables;
    const at = text.lastIndexOf("@");
    let bits = (exact.get(text) ?? 0) | (at < 0 ? 0 : exact.get(text.slice(at)) ?? 0);
    if (suffixes.size > 0) {
      for (let dot = text.indexOf(".", at + 1); dot >= 0; dot = text.indexOf(".", dot + 1)) {
        bits |= suffixes.get(text.slice(dot)) ?? 0;
      }
    }
    for (const { pattern, bits: own } of wildmats) {
      if ((bits & own) !== own && matchesWildmat(pattern, text)) bits |= own;
    }
    return (bits & excepts) === 0 && (bits & (trusted ? refusesAll : refusesAll | refusesStrangers)) !== 0;
  }
}

/** The list of no lines. */
export const noPatterns: PatternList = new PatternList({ exact: new Map(), suffixes: new Map(), wildmats: [] });

/** Reads such a list. */
export const parsePatternList: Parse<PatternList> = (text) => {
  const tables: Tables = { exact: new Map(), suffixes: new Map(), wildmats: [] };
  for (const line of listLines(text)) {
    const defect = defectOf(line);
    if (defect !== undefined) return err(`expected ${defect}, got ${JSON.stringify(line)}`);
    const isException = line.startsWith("!") || line.startsWith("?");
    const forStrangers = line.endsWith("+");
    const pattern = lowerCaseAscii(utf8Octets(line.slice(isException ? 1 : 0, forStrangers ? -1 : undefined)));
    const bits = isException ? excepts : forStrangers ? refusesStrangers : refusesAll;
    if (!take(tables, pattern, bits)) {
      return err(`expected an address, @domain or a pattern of *, ? and [a-z], got ${JSON.stringify(line)}`);
    }
  }
  return ok(new PatternList(tables));
};

function defectOf(line: string): string | undefined {
  if (line.length > longestLine) return `at most ${longestLine} characters a line`;
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f]/.test(line)) return "printable text";
  if (line.startsWith("~") || line.endsWith("=") || line.endsWith("-")) {
    return "no ~ in front and no - or = at the end (the client's name in the DNS is not looked up for this list)";
  }
  if (line.includes("\\") || line.includes(".*") || line.startsWith("^") || line.endsWith("$")) {
    return "no regular expression (*@example.org stands for all of that domain)";
  }
  return undefined;
}

/** Puts a pattern where it is found fastest; answers whether it is one. */
function take({ exact, suffixes, wildmats }: Tables, pattern: string, bits: number): boolean {
  if (pattern === "" || pattern === "@") return false;
  const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) | bits);
  const suffix = /^(?:\*?@)?\*(\.[^@*?[]+)$/.exec(pattern)?.[1];
  const domain = /^\*(@[^@*?[]+)$/.exec(pattern)?.[1];
  if (suffix !== undefined) add(suffixes, suffix);
  else if (domain !== undefined) add(exact, domain);
  else if (!/[*?[]/.test(pattern)) add(exact, pattern);
  else {
    // "@*.example" without a local part stands for all of them, as "@example" does.
    const parsed = parseWildmat(pattern.startsWith("@") ? `*${pattern}` : pattern);
    if (!parsed.ok) return false;
    wildmats.push({ pattern: parsed.value, bits });
  }
  return true;
}
