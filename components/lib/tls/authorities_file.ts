/**
 * control/tlsclientca: certificates of the authorities that are believed when they vouch for other servers.
 * @module
 */
import { err, ok, type Result } from "../result.ts";

/** PEM, whole certificates only, whatever stands between them. Errors: there is none. */
export function parseAuthorities(text: string): Result<readonly string[], string> {
  const found = text.match(/-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----/g) ?? [];
  return found.length > 0 ? ok(found) : err("expected certificates (PEM), got none");
}
