/**
 * What a client is told on a scanner's word. A scanner's own text may quote the mail it was about, so only printable ASCII
 * of one line gets through.
 * @module
 */
import type { Verdict } from "../filters/filter.ts";
import { exitCode } from "../queue/exit_code.ts";

type Refusal = Extract<Verdict, { readonly kind: "refuse" }>;

/** Of the text; with letter and status a verdict's takes 255. */
const longestText = 200;

/**
 * A refusal for good or for now; `text` an octet string, `status` its enhanced code (RFC 3463).
 *
 * @example
 * ```ts
 * import { refusal } from "./refusal.ts";
 * refusal("permanent", "spam\r\n250 ok", "5.7.1"); // { kind: "refuse", code: 31, text: "Dspam 250 ok (#5.7.1)" }
 * ```
 */
export function refusal(kind: "permanent" | "temporary", text: string, status: string): Refusal {
  const [letter, code] = kind === "permanent" ? ["D", exitCode.refused] : ["Z", exitCode.temporary];
  return { kind: "refuse", code, text: `${letter}${plain(text)} (#${status})` };
}

function plain(text: string): string {
  return text.slice(0, 4 * longestText)
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x20]+/g, " ")
    .replace(/[^\x20-\x7e]/g, "?")
    .trim()
    .slice(0, longestText) || "refused";
}

/** Of a header that splitMail() does not take. */
export const tooManyFields: Refusal = refusal("permanent", "message header is too long", "5.6.0");
