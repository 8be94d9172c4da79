/**
 * A port for a program that cannot be told to choose one.
 * @module
 */

/** Below the ports that systems give to whoever asks for any: no other test is given one of these. */
const [first, count] = [20_000, 12_000];

/** A port of 127.0.0.1 that nobody listens on. Chosen at random, for tests run beside each other. */
export function freePort(): number {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = first + Math.floor(Math.random() * count);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error("no port is free");
}
