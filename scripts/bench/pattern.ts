/**
 * Recipient and Maildir patterns, in which one text stands for many names.
 *
 * | in the pattern | becomes |
 * |---|---|
 * | `%n` | the running number of the recipient |
 * | `%u` | the running number modulo the number of users (0..99 unless told otherwise) |
 * | `%h` | the running number modulo the number of domains |
 * | `%%` | a percent sign |
 * @module
 */

/** How far `%u` and `%h` count. */
export interface PatternCounts {
  readonly users: number;
  readonly domains: number;
}

/**
 * One name out of a pattern.
 *
 * @example
 * ```ts
 * import { expandPattern } from "./pattern.ts";
 * expandPattern("u%u@localhost", 205, { users: 100, domains: 1 }); // "u5@localhost"
 * ```
 */
export function expandPattern(pattern: string, running: number, counts: PatternCounts): string {
  if (!pattern.includes("%")) return pattern;
  return pattern.replace(/%([nuh%])/g, (_, letter: string) => {
    switch (letter) {
      case "n":
        return String(running);
      case "u":
        return String(running % counts.users);
      case "h":
        return String(running % counts.domains);
      default:
        return "%";
    }
  });
}

/**
 * The Maildirs a pattern stands for, one for each user where it has a `%d` or `%u`, otherwise one.
 */
export function expandMaildirs(pattern: string, users: number): readonly string[] {
  const named = pattern.replaceAll("%d", "%u");
  if (!named.includes("%u")) return [expandPattern(named, 0, { users: 1, domains: 1 })];
  return Array.from({ length: users }, (_, user) => expandPattern(named, user, { users, domains: 1 }));
}
