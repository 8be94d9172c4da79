/**
 * Whether an MTA-STS policy names an exchanger (RFC 8461 §4.1).
 * @module
 */

/**
 * Whether `host` is one of a policy's `patterns`: the very name, or for `*.example.org` a name with one label
 * in front of `example.org`, not more and not none.
 *
 * @example
 * ```ts
 * import { isListedMx } from "./mx_match.ts";
 * isListedMx(["*.mx.example"], "a.mx.example"); // true
 * isListedMx(["*.mx.example"], "a.b.mx.example"); // false
 * ```
 */
export function isListedMx(patterns: readonly string[], host: string): boolean {
  const name = (host.endsWith(".") ? host.slice(0, -1) : host).toLowerCase();
  const dot = name.indexOf(".");
  const below = dot > 0 ? `*${name.slice(dot)}` : undefined;
  return patterns.map((pattern) => pattern.toLowerCase()).some((pattern) => pattern === name || pattern === below);
}
