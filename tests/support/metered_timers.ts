/**
 * Counts the timers that are started. The log's own, one for many lines, are node's and not among them. The time of day
 * stands still meanwhile, so that what is remembered for a second is so however slow the machine is.
 * @module
 */
import type { Tally } from "./budget.ts";

export function meterTimers(tally: Tally): Disposable {
  const { setTimeout: later, setInterval: again } = globalThis;
  const { now } = Date;
  const nowMs = now();
  globalThis.setTimeout = ((...args: Parameters<typeof later>) => {
    tally.add("timers");
    return later(...args);
  }) as typeof later;
  globalThis.setInterval = ((...args: Parameters<typeof again>) => {
    tally.add("timers");
    return again(...args);
  }) as typeof again;
  Date.now = () => nowMs;
  return {
    [Symbol.dispose]: () => {
      Object.assign(globalThis, { setTimeout: later, setInterval: again });
      Date.now = now;
    },
  };
}
