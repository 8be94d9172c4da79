/**
 * Expected outcomes as values: what a parser or a policy answers when "no" is part of the job. Exceptions stay for bugs
 * and broken machines (see CONTRIBUTING).
 * @module
 */

/** Either a value, or the error that explains why there is none. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

/**
 * Wraps a value as success.
 *
 * @example
 * ```ts
 * import { ok } from "./result.ts";
 * const port = ok(25); // { ok: true, value: 25 }
 * ```
 */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/**
 * Wraps an expected error.
 *
 * @example
 * ```ts
 * import { err } from "./result.ts";
 * const refusal = err("syntax"); // { ok: false, error: "syntax" }
 * ```
 */
export function err<const E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/**
 * Ends a `switch` over a union: a forgotten case fails to compile. At run time it throws, for then some cast has let in
 * a value that the types exclude.
 */
export function assertNever(x: never): never {
  throw new Error(`Unhandled case: expected none, got ${JSON.stringify(x)}`);
}
