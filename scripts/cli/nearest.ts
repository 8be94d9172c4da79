/**
 * The known word that an unknown one was probably meant to be.
 * @module
 */

/**
 * Steps from one word to the other, each a letter that is added, left out, changed, or has changed places with its
 * neighbour (the restricted Damerau-Levenshtein distance).
 */
export function distance(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row++) {
    const next = [row];
    for (let at = 1; at <= other.length; at++) {
      const same = one[row - 1] === other[at - 1];
      let least = Math.min(last[at]! + 1, next[at - 1]! + 1, last[at - 1]! + (same ? 0 : 1));
      const turned = row > 1 && at > 1 && one[row - 1] === other[at - 2] && one[row - 2] === other[at - 1];
      if (turned) least = Math.min(least, before[at - 2]! + 1);
      next.push(least);
    }
    [before, last] = [last, next];
  }
  return last[other.length]!;
}

/** Longer than any word there is: a word of the caller's may have any length, and the work grows with it. */
const longest = 64;

/** The one of `known` that `word` is nearest to, or undefined where none is near: a third of its letters may be wrong. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word === "" || word.length > longest) return undefined;
  const lower = word.toLowerCase();
  let best: { name: string; steps: number } | undefined;
  for (const name of known) {
    // Who stopped in the middle of a word meant the whole.
    const steps = lower.length > 2 && name.startsWith(lower) ? 1 : distance(lower, name);
    if (steps <= Math.max(1, Math.floor(name.length / 3)) && steps < (best?.steps ?? Infinity)) best = { name, steps };
  }
  return best?.name;
}

/** `WORD is not known`, and what was probably meant. */
export function unknownWord(word: string, known: Iterable<string>): string {
  const meant = nearest(word.replace(/^--?/, "").replace(/=.*$/s, ""), known);
  const dashes = word.startsWith("-") ? "--" : "";
  // deno-lint-ignore no-control-regex
  const shown = word.replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
  return `${shown} is not known${meant === undefined ? "" : `; did you mean ${dashes}${meant}?`}`;
}
