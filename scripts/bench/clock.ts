/**
 * Time that two processes of one machine can compare.
 * @module
 */

/** Milliseconds since 1970, with fractions. A step of the machine's clock while a process runs does not reach it. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Resolves after `ms`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
