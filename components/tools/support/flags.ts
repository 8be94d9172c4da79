/**
 * Options of one letter, as getopt() reads them: any number behind one "-", up to the first other word or "--". The words
 * behind are another program's: none of them is touched.
 * @module
 */

export interface Flags {
  /** The letters in their order. */
  readonly flags: readonly string[];
  readonly rest: readonly string[];
}

/** `undefined` for a letter that is not among `known`. */
export function parseFlags(args: readonly string[], known: string): Flags | undefined {
  const flags: string[] = [];
  let at = 0;
  for (; at < args.length && /^-./s.test(args[at]!); at++) {
    if (args[at] === "--") return { flags, rest: args.slice(at + 1) };
    for (const letter of args[at]!.slice(1)) {
      if (!known.includes(letter)) return undefined;
      flags.push(letter);
    }
  }
  return { flags, rest: args.slice(at) };
}
