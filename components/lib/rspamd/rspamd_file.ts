/**
 * control/rspamd: where rspamd's worker "normal" listens.
 * @module
 */
import { expectedAddress, parseScannerAddress, type ScannerAddress } from "../scanners/address.ts";
import { err, ok, type Result } from "../result.ts";

/** As rspamd comes. */
export const defaultRspamd: ScannerAddress = { kind: "tcp", host: "127.0.0.1", port: 11333 };

/**
 * One line, one address.
 *
 * @example
 * ```ts
 * import { parseRspamd } from "./rspamd_file.ts";
 * parseRspamd("127.0.0.1:11333\n");
 * ```
 */
export function parseRspamd(text: string): Result<ScannerAddress, string> {
  const line = (text.split("\n", 1)[0] ?? "").trim();
  const address = parseScannerAddress(line);
  return address === undefined ? err(`expected ${expectedAddress}, got ${JSON.stringify(line)}`) : ok(address);
}
