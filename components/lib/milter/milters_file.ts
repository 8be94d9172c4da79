/**
 * control/milters: the milters a message is shown to, in order.
 * @module
 */
import { listLines } from "../policy/list_lines.ts";
import { err, ok, type Result } from "../result.ts";
import { expectedAddress, parseScannerAddress, type ScannerAddress } from "../scanners/address.ts";

export interface Milter {
  readonly address: ScannerAddress;
  /** `pass`: the message goes on as if this one had not been asked. `fail`: so it does for the whole filter. */
  readonly onTrouble: "pass" | "fail";
}

/** Each may take its part of the time there is for a message. */
const mostMilters = 8;

/**
 * One a line: its address, and `pass` behind it where mail goes on without it when it hangs or dies. Otherwise
 * control/filters says what happens.
 *
 * @example
 * ```ts
 * import { parseMilters } from "./milters_file.ts";
 * parseMilters("unix:/run/opendkim/opendkim.sock\n127.0.0.1:11332 pass\n");
 * ```
 */
export function parseMilters(text: string): Result<readonly Milter[], string> {
  const milters: Milter[] = [];
  for (const line of listLines(text)) {
    const [where = "", option, ...more] = line.split(/[ \t]+/);
    const address = parseScannerAddress(where);
    if (address === undefined || more.length > 0 || (option !== undefined && option !== "pass")) {
      return err(`expected ${expectedAddress}, and perhaps "pass", got ${JSON.stringify(line)}`);
    }
    milters.push({ address, onTrouble: option === "pass" ? "pass" : "fail" });
  }
  return milters.length > mostMilters
    ? err(`expected at most ${mostMilters} milters, got ${milters.length}`)
    : ok(milters);
}
