/**
 * A port that only root may bind.
 * @module
 */

/** The highest free port below 1024 of a loopback address: take one that is hardly anybody's, as 127.0.0.77. */
export function freeLowPort(hostname: string): number {
  for (let port = 1023; port > 600; port--) {
    try {
      Deno.listen({ hostname, port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`no free port below 1024 on ${hostname}`);
}
