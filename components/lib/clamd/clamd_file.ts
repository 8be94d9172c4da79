/**
 * control/clamd: where clamd listens, and what becomes of a message that is larger than it takes.
 * @module
 */
import { expectedAddress, parseScannerAddress, type ScannerAddress } from "../scanners/address.ts";
import { err, ok, type Result } from "../result.ts";

export interface Clamd {
  readonly address: ScannerAddress;
  /** `pass`: it is delivered, with a header field that says so. */
  readonly whenTooLarge: "pass" | "refuse";
}

/** As Debian's clamav-daemon has it. */
export const defaultClamd: Clamd = {
  address: { kind: "unix", path: "/run/clamav/clamd.ctl" },
  whenTooLarge: "pass",
};

/**
 * One line: the address, and `toolarge=pass` (the default) or `toolarge=refuse`.
 *
 * @example
 * ```ts
 * import { parseClamd } from "./clamd_file.ts";
 * parseClamd("127.0.0.1:3310 toolarge=refuse\n");
 * ```
 */
export function parseClamd(text: string): Result<Clamd, string> {
  const line = (text.split("\n", 1)[0] ?? "").trim();
  const [where = "", option = "toolarge=pass", ...more] = line.split(/[ \t]+/);
  const address = parseScannerAddress(where);
  const [, whenTooLarge] = /^toolarge=(pass|refuse)$/.exec(option) ?? [];
  if (address === undefined || whenTooLarge === undefined || more.length > 0) {
    return err(
      `expected ${expectedAddress}, and perhaps toolarge=pass or toolarge=refuse, got ${JSON.stringify(line)}`,
    );
  }
  return ok({ address, whenTooLarge: whenTooLarge as Clamd["whenTooLarge"] });
}
