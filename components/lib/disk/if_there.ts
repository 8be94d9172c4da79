/**
 * Looks at files that others may remove at any time: that one is not there is an answer, not trouble.
 * @module
 */

/** What `get` answers; `undefined` where there is nothing of that name (any more). Throws what else the system says. */
export function ifThere<T>(get: () => T): T | undefined {
  try {
    return get();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
