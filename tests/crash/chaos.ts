/**
 * Whom SIGKILL hits next, and when: seeded, decided only.
 *
 * Components are dealt like cards, each once before one comes again: the supervisor starts a component later and later
 * that dies again and again within two seconds of its start, and one that is away because of that is none to kill.
 * @module
 */
import type { Choices } from "./choices.ts";

export type Blow =
  /** SIGKILL to these at one moment. */
  | { readonly kind: "components"; readonly names: readonly string[] }
  /** SIGKILL to the supervisor alone: the others see their input end. */
  | { readonly kind: "supervisor" }
  /** SIGKILL to every process at one moment. */
  | { readonly kind: "everything" }
  /** SIGALRM to qmail-send: what was deferred is due now, in the midst of it all. */
  | { readonly kind: "alarm" };

export interface Step {
  /** After the step before. */
  readonly delayMs: number;
  readonly blow: Blow;
}

/** One of so many steps is of this kind. */
const oneIn = { everything: 100, supervisor: 100, alarm: 20, several: 8 } as const;
const delaysMs = { least: 40, most: 400 } as const;
const mostAtOnce = 4;

/** Steps without end for components of these names; with `othersLive`, nothing but those is killed. */
export function* steps(
  choices: Choices,
  names: readonly string[],
  { othersLive = false }: { readonly othersLive?: boolean } = {},
): Generator<Step, never, undefined> {
  let deck: string[] = [];
  const deal = (count: number): string[] => {
    if (deck.length < count) {
      // The rest of the old deck comes first, and not twice into one hand.
      const rest = deck;
      deck = [...rest, ...choices.shuffled(names.filter((name) => !rest.includes(name))), ...choices.shuffled(rest)];
    }
    return deck.splice(0, count);
  };
  const blow = (): Blow => {
    if (!othersLive && choices.whole(1, oneIn.everything) === 1) return { kind: "everything" };
    if (!othersLive && choices.whole(1, oneIn.supervisor) === 1) return { kind: "supervisor" };
    if (choices.whole(1, oneIn.alarm) === 1) return { kind: "alarm" };
    const several = choices.whole(1, oneIn.several) === 1;
    return {
      kind: "components",
      names: deal(several ? choices.whole(Math.min(2, names.length), Math.min(mostAtOnce, names.length)) : 1),
    };
  };
  for (;;) yield { delayMs: choices.whole(delaysMs.least, delaysMs.most), blow: blow() };
}
