/**
 * Patterns with `*` (any octets), `?` (any one) and `[a-z]`, `[^a-z]`, matched against all of a text, as s/qmail's lists
 * have them. The work is bounded by the text's length times the pattern's: after a mismatch only the last `*` takes one
 * octet more, none before it is tried again, so no text of a client's can make it explode.
 * @module
 */
import { err, ok, type Result } from "../result.ts";

type Part =
  | { readonly kind: "many" }
  | { readonly kind: "any" }
  | { readonly kind: "octet"; readonly code: number }
  | { readonly kind: "class"; readonly codes: ReadonlySet<number>; readonly negated: boolean };

export interface Wildmat {
  readonly parts: readonly Part[];
}

/** Reads a pattern, an octet string. Errors: what is wrong with it. */
export function parseWildmat(pattern: string): Result<Wildmat, string> {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at];
    if (char === "*") {
      if (parts.at(-1)?.kind !== "many") parts.push({ kind: "many" });
    } else if (char === "?") parts.push({ kind: "any" });
    else if (char === "[") {
      // A "]" that comes first is one of the class.
      const end = pattern.indexOf("]", at + (pattern[at + 1] === "^" ? 3 : 2));
      if (end < 0) return err('a "[" without its "]"');
      parts.push(classOf(pattern.slice(at + 1, end)));
      at = end;
    } else parts.push({ kind: "octet", code: pattern.charCodeAt(at) });
  }
  return ok({ parts });
}

function classOf(inside: string): Part {
  const negated = inside.startsWith("^");
  const codes = new Set<number>();
  const members = negated ? inside.slice(1) : inside;
  for (let at = 0; at < members.length; at++) {
    const first = members.charCodeAt(at);
    const isRange = members[at + 1] === "-" && at + 2 < members.length;
    const last = isRange ? members.charCodeAt(at + 2) : first;
    for (let code = first; code <= last; code++) codes.add(code);
    if (isRange) at += 2;
  }
  return { kind: "class", codes, negated };
}

/** Whether all of `text` matches. */
export function matchesWildmat({ parts }: Wildmat, text: string): boolean {
  let part = 0;
  let at = 0;
  let lastMany = -1;
  let takenUntil = 0;
  while (at < text.length) {
    const next = parts[part];
    if (next?.kind === "many") {
      lastMany = part++;
      takenUntil = at;
    } else if (next !== undefined && takes(next, text.charCodeAt(at))) {
      part++;
      at++;
    } else if (lastMany >= 0) {
      part = lastMany + 1;
      at = ++takenUntil;
    } else return false;
  }
  while (parts[part]?.kind === "many") part++;
  return part === parts.length;
}

function takes(part: Part, code: number): boolean {
  if (part.kind === "octet") return part.code === code;
  if (part.kind === "class") return part.codes.has(code) !== part.negated;
  return part.kind === "any";
}
