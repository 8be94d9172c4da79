/**
 * control/tlsrptfrom and control/dmarcrptfrom: whom reports are from, and who may be asked about them.
 * @module
 */
import { isPlainAddress } from "./mailto.ts";
import { err, ok, type Result } from "../result.ts";

/** An address that needs no quotes, so that it can stand in any field and file name. */
export function parseReportFrom(text: string): Result<string, string> {
  const line = (text.split("\n", 1)[0] ?? "").trim();
  if (isPlainAddress(line)) return ok(line);
  return err(`expected an address, got ${JSON.stringify(line)}`);
}
