/**
 * Whom a mail exchanger belongs to: what deliveries are paced by, since a big provider's thousands of domains and hundreds
 * of hosts are one to it.
 * @module
 */
import { getDomain } from "tldts";

// A name from the DNS, no URL; and `github.io` is one site to whoever is paced.
const options = { extractHostname: false, validateHostname: false, allowPrivateDomains: false };

/** The registered domain of a host name; of an address, or of a name that has none (one label, say), itself. */
export function siteOf(host: string): string {
  return getDomain(host, options) ?? host;
}
