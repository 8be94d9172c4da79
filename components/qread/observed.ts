/**
 * One message as its files, or its record in the journal, tell of it at one time.
 * @module
 */
import { heldSeconds } from "../lib/queue/held.ts";
import type { ListedCount, ListedState } from "../lib/wire/qread_protocol.ts";

/** Addresses are octet strings. */
export interface Observed {
  readonly id: number;
  readonly sender: string;
  readonly birthSeconds: number;
  readonly sizeBytes: number;
  /** Whether its first attempt runs or waits: it stands in todo, or in the journal. */
  readonly fresh: boolean;
  readonly journal: boolean;
  readonly bouncing: boolean;
  /** The times of its files in local and remote, seconds since 1970; 0 where there is none. */
  readonly localSeconds: number;
  readonly remoteSeconds: number;
  readonly local: ListedCount;
  readonly remote: ListedCount;
  /** Some of them, those that are left before those that are done. */
  readonly recipients: readonly string[];
}

/** When its next attempt is due; {@link heldSeconds}: it is held; 0: nobody knows. */
export function nextSecondsOf({ fresh, localSeconds, remoteSeconds }: Observed): number {
  if (fresh) return 0;
  if (localSeconds >= heldSeconds || remoteSeconds >= heldSeconds) return heldSeconds;
  if (localSeconds === 0 || remoteSeconds === 0) return Math.max(localSeconds, remoteSeconds);
  return Math.min(localSeconds, remoteSeconds);
}

/** `nextSeconds` as {@link nextSecondsOf} tells. */
export function stateOf(fresh: boolean, nextSeconds: number, nowSeconds: number): ListedState {
  if (fresh) return "new";
  if (nextSeconds === 0) return "ending";
  if (nextSeconds >= heldSeconds) return "held";
  return nextSeconds <= nowSeconds ? "due" : "waiting";
}
