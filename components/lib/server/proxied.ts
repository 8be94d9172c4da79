/**
 * Reads the PROXY header with which a connection to a listener with `proxy` begins. Reads not one octet more, so that what
 * follows, be it SMTP or TLS, is found where it would be without a proxy.
 * @module
 */
import { fixedProxyOctets, longestRemainder, parseProxyHeader, type ProxyHeader } from "../smtp/proxy_protocol.ts";
import { err, ok, type Result } from "../result.ts";

/** A proxy sends its header at once; nobody but proxies may connect. */
const limitMs = 10_000;

/** What of a connection is needed here. */
export type Readable = Pick<Deno.Conn, "read" | "close">;

/** Never rejects. The error is a word for the log; the connection is the caller's to close, if it is not closed already. */
export async function readProxyHeader(
  conn: Readable,
  withinMs: number = limitMs,
): Promise<Result<ProxyHeader, string>> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    closeQuietly(conn);
  }, withinMs);
  const octets = new Uint8Array(fixedProxyOctets + longestRemainder);
  let length = 0;
  try {
    for (;;) {
      const step = parseProxyHeader(octets.subarray(0, length));
      if (step.kind === "error") return err(`proxy-${step.reason.replaceAll(" ", "-")}`);
      if (step.kind === "header") return ok(step.header);
      const count = await conn.read(octets.subarray(length, length + step.least));
      if (count === null) return err("proxy-ended");
      length += count;
    }
  } catch {
    // Reset by the proxy, or closed above.
    return err(isLate ? "proxy-timeout" : "proxy-ended");
  } finally {
    clearTimeout(timer);
  }
}

export function closeQuietly(conn: Readable): void {
  try {
    conn.close();
  } catch {
    // Its other end was quicker.
  }
}
