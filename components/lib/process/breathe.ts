/**
 * Pauses in long work, so that a component answers others meanwhile.
 * @module
 */

/**
 * Settles after input and output have had their turn, some 2 ms later, or `ms`. Long work that calls this between its slices delays
 * whoever asks something by one slice at most.
 *
 * Not setImmediate: as long as there is always a next one, deno looks at sockets only every 61st time (measured: an octet
 * waits 150 ms beside slices of 5 ms, 3 ms with this).
 */
export function breathe(ms = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Others wait no longer than that for work that is done in slices. */
const sliceMs = 4;

/**
 * Between two pieces of long work: settles at once while the pieces since the last pause have taken less than a slice, after
 * {@link breathe} otherwise. A pause after each piece would cost more than a small piece itself.
 */
export function breatheInSlices(
  pause: () => Promise<void> = breathe,
  nowMs: () => number = () => performance.now(),
): () => Promise<void> {
  let begunAtMs = nowMs();
  return async () => {
    if (nowMs() - begunAtMs < sliceMs) return;
    await pause();
    begunAtMs = nowMs();
  };
}
