/**
 * control/tlsrptfrom: whom reports are from, and who may be asked about them.
 * @module
 */
import { isDomain } from "../../../config/values.ts";
import { err, ok, type Result } from "../result.ts";

/** An address that needs no quotes, so that it can stand in any field and file name. */
export function parseTlsrptFrom(text: string): Result<string, string> {
  const line = (text.split("\n", 1)[0] ?? "").trim();
  const at = line.lastIndexOf("@");
  const isPlain = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}$/.test(line.slice(0, Math.max(at, 0)));
  if (isPlain && isDomain(line.slice(at + 1))) return ok(line);
  return err(`expected an address, got ${JSON.stringify(line)}`);
}
