/**
 * The text of an MTA-STS policy (RFC 8461 §3.2): lines `key: value` that end in CRLF or LF, in any order. Of a key that
 * comes twice the first one counts, but for `mx`; unknown keys are passed over; a line that is none, a value that is none or
 * a key that is missing makes the whole text no policy.
 * @module
 */
import { isDomain } from "../../../config/values.ts";
import { err, ok, type Result } from "../result.ts";

export const stsModes = ["enforce", "testing", "none"] as const;
export type StsMode = (typeof stsModes)[number];

export interface StsPolicy {
  readonly mode: StsMode;
  /** Patterns of exchangers' names, lower case: a name, or `*.` and a name. None only in mode none. */
  readonly mx: readonly string[];
  /** How long it is valid after it was fetched. */
  readonly maxAgeSeconds: number;
}

/** The longest that RFC 8461 §3.2 knows, about a year. A longer one is taken for it. */
export const longestAgeSeconds = 31_557_600;
/** Octets of a text that is looked at (§3.3). */
export const longestPolicy = 64 * 1024;
/** Far more than anybody has exchangers: each policy is kept in memory. */
const mostPatterns = 100;

/** A key, of those known or of an extension (§3.2), and what stands behind the colon. */
const line = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,31})[ \t]*:[ \t]*(.*?)[ \t]*$/;

/**
 * Reads a policy's octets, an octet string. Errors: what is wrong, one line.
 *
 * @example
 * ```ts
 * import { parsePolicyText } from "./policy_text.ts";
 * parsePolicyText("version: STSv1\r\nmode: enforce\r\nmx: *.mx.example\r\nmax_age: 604800\r\n");
 * // { ok: true, value: { mode: "enforce", mx: ["*.mx.example"], maxAgeSeconds: 604800 } }
 * ```
 */
export function parsePolicyText(text: string): Result<StsPolicy, string> {
  if (text.length > longestPolicy) return err(`longer than ${longestPolicy} octets`);
  const first = new Map<string, string>();
  const mx: string[] = [];
  for (const raw of text.split("\n")) {
    const content = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    // Not in the grammar, and at the end of many a policy.
    if (/^[ \t]*$/.test(content)) continue;
    const [, key, value] = line.exec(content) ?? [];
    if (key === undefined || value === undefined || hasControls(value)) return err("a line that is no field");
    if (key !== "mx") {
      if (!first.has(key)) first.set(key, value);
      continue;
    }
    const pattern = value.toLowerCase();
    if (!isMxPattern(pattern)) return err("an mx that is no name of a host");
    if (mx.length === mostPatterns) return err(`more than ${mostPatterns} mx`);
    mx.push(pattern);
  }
  return finish(first, mx);
}

function finish(fields: ReadonlyMap<string, string>, mx: readonly string[]): Result<StsPolicy, string> {
  if (fields.get("version") !== "STSv1") return err("a version other than STSv1");
  const mode = stsModes.find((mode) => mode === fields.get("mode"));
  if (mode === undefined) return err("a mode other than enforce, testing and none");
  const age = fields.get("max_age");
  if (age === undefined || !/^[0-9]{1,10}$/.test(age)) return err("a max_age that is no number");
  if (mx.length === 0 && mode !== "none") return err("no mx");
  return ok({ mode, mx, maxAgeSeconds: Math.min(Number(age), longestAgeSeconds) });
}

function hasControls(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /[\x00-\x08\x0a-\x1f\x7f]/.test(text);
}

/** The wildcard stands for the first label alone, and for all of it (§4.1). */
function isMxPattern(pattern: string): boolean {
  return isDomain(pattern.startsWith("*.") ? pattern.slice(2) : pattern);
}

/** The lines of a policy, as a report has them (RFC 8460 §4.4). */
export function policyStrings({ mode, mx, maxAgeSeconds }: StsPolicy): string[] {
  return ["version: STSv1", `mode: ${mode}`, ...mx.map((pattern) => `mx: ${pattern}`), `max_age: ${maxAgeSeconds}`];
}
