/**
 * What something costs, counted, held against what it may cost: the figures of one run are those of every run on any
 * machine, so a slower shape fails its test where a stopwatch would not have noticed.
 * @module
 */

/** How often each thing was done, by what it is called: `writes to the client`. What was not done is not in it. */
export type Counts = Readonly<Record<string, number>>;

/**
 * What may be done how often. A number is exact: less is a gain, to be written down here lest it be lost again unseen. A
 * `most` is for what depends on when the system wakes whom. What is not named may not be done at all.
 */
export type Budget = Readonly<Record<string, number | { readonly most: number }>>;

/** Where to look when a count rose, by what is counted. */
export type Look = Readonly<Record<string, string>>;

/** Counts that go on; {@link Tally.since} says what came to them. */
export class Tally {
  readonly #counts: Record<string, number> = {};

  add(what: string, count = 1): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + count;
  }

  now(): Counts {
    return { ...this.#counts };
  }

  since(before: Counts): Counts {
    return Object.fromEntries(
      Object.entries(this.#counts).map(([what, count]) => [what, count - (before[what] ?? 0)] as const)
        .filter(([, count]) => count !== 0),
    );
  }
}

/** Fails where `counts` are not within `budget`, and says what rose or fell, and where to look. */
export function assertBudget(costs: string, counts: Counts, budget: Budget, look: Look = {}): void {
  const lines: string[] = [];
  for (const what of new Set([...Object.keys(budget), ...Object.keys(counts)])) {
    const count = counts[what] ?? 0;
    const allowed = budget[what] ?? 0;
    const most = typeof allowed === "number" ? allowed : allowed.most;
    const place = look[what] === undefined ? "" : `: look in ${look[what]}`;
    if (count > most) lines.push(`${what} rose from ${most} to ${count}${place}`);
    else if (typeof allowed === "number" && count < allowed) {
      lines.push(`${what} fell from ${allowed} to ${count}: lower the budget at the head of this test, to keep it so`);
    }
  }
  if (lines.length > 0) throw new Error(`the budget of ${costs} does not fit:\n  ${lines.join("\n  ")}`);
}
