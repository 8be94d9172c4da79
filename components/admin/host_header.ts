/**
 * The Host header (RFC 9110 §7.2) against DNS rebinding: a page of a foreign site may point its own name at 127.0.0.1
 * and have a browser on this machine read us under that name. Only names no foreign site can have are answered: address
 * literals, `localhost`, and this host's own.
 * @module
 */
import { isAddress, parseEndpoint } from "../../config/values.ts";

/** Longer than any domain with a port: nothing longer is looked into. */
const longestHost = 300;

/** Whether a request with this Host header is answered; `me` in lower case. */
export function isOwnHost(header: string | undefined, me: string): boolean {
  if (header === undefined || header.length > longestHost) return false;
  const host = parseEndpoint(header, 80)?.host;
  return host !== undefined && (host === "localhost" || host === me || isAddress(host));
}
