/**
 * How one key takes over from another: the next one's record is published days before it signs, the last one's stays for
 * days after, as what it has signed may be looked at again. Days are UTC, as `2026-07-01`.
 * @module
 */
import { type Algorithm, currentSelectors } from "./choose.ts";
import type { Selector } from "./dkim_file.ts";

/** A selector and what its key file says. */
export interface KeyState extends Selector {
  readonly algorithm: Algorithm;
}

/**
 * What a key does: `signs`; `waits` for its day; `signed` until `until`, its record has to stay for a while; `done`: that
 * while is over, record and key may go.
 */
export type Phase =
  | { readonly kind: "signs" }
  | { readonly kind: "waits" }
  | { readonly kind: "signed" | "done"; readonly until: string };

/** For so long after its last signature a key's record is to be found: longer than mail waits in a queue. */
export const overlapDays = 14;

const dayMs = 86_400_000;

/** A day so many days later. */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10);
}

/** What a key does on `today`, among all of its domain. */
export function phaseOf(key: KeyState, all: readonly KeyState[], today: string): Phase {
  if (key.from > today) return { kind: "waits" };
  const algorithmOf = ({ name }: Selector) => all.find((one) => one.name === name)?.algorithm;
  if (currentSelectors(all, algorithmOf, today).some(({ name }) => name === key.name)) return { kind: "signs" };
  // Whoever took over first: from then on it has signed nothing. One without a day was overtaken from the beginning.
  const later = all.filter(({ algorithm, from, name }) =>
    algorithm === key.algorithm && name !== key.name && from >= key.from && from <= today
  ).map(({ from }) => from).sort();
  const until = later[0] ?? key.from;
  return { kind: until !== "" && addDays(until, overlapDays) > today ? "signed" : "done", until };
}

/** Names for a pair of new selectors that none of `taken` has: of the day, and with a letter for each further pair. */
export function freshNames(today: string, taken: ReadonlySet<string>): Readonly<Record<Algorithm, string>> {
  const day = today.replaceAll("-", "");
  for (let at = 0;; at++) {
    const suffix = at === 0 ? "" : `-${at + 1}`;
    const [rsa, ed] = [`r${day}${suffix}`, `e${day}${suffix}`];
    if (!taken.has(rsa) && !taken.has(ed)) return { "rsa-sha256": rsa, "ed25519-sha256": ed };
  }
}
