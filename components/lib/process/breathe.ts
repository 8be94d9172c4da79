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

const nothing = new Uint8Array(0);

/**
 * Settles after input and output have had their turn, 0.3 ms later where there is none: for work that somebody waits for.
 * What another thread has done is heard of as a socket is, so the event loop looks at all of them (measured beside slices of
 * 4 ms: an octet waits one slice in the median, as with {@link breathe}, and 230 ms with setImmediate).
 */
export async function giveWay(): Promise<void> {
  await crypto.subtle.digest("SHA-1", nothing);
}

/** Others wait no longer than that for work that is done in slices. */
const sliceMs = 4;

/**
 * Between two pieces of long work: settles at once while the pieces since the last pause have taken less than a slice, after
 * `pause` otherwise. A pause after each piece would cost more than a small piece itself.
 */
export function breatheInSlices(
  pause: () => Promise<void>,
  nowMs: () => number = () => performance.now(),
): () => Promise<void> {
  let begunAtMs = nowMs();
  return async () => {
    if (nowMs() - begunAtMs < sliceMs) return;
    await pause();
    begunAtMs = nowMs();
  };
}
