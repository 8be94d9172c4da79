/**
 * Waiting for what no event tells of: a file that appears, a process that is gone, promises that follow each other.
 * @module
 */

const pollMs = 10;

/**
 * Asks `condition` again and again until it answers something other than `undefined`, `false` or `null`, and answers
 * that. Throws after `timeoutMs`, naming `what` was waited for.
 */
export async function waitFor<T>(
  condition: () => T | undefined | false | null | Promise<T | undefined | false | null>,
  what: string,
  timeoutMs = 10_000,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await condition();
    if (answer !== undefined && answer !== false && answer !== null) return answer;
    if (performance.now() >= endMs) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Settles as `promise` does; rejects after `timeoutMs` with what `describe` says then. */
export async function within<T>(promise: Promise<T>, timeoutMs: number, describe: () => string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms for ${describe()}`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Settles when so many promises that settle at once have done so one after the other: what needs no event has happened. */
export async function microtasks(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}
