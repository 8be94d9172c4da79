/**
 * `@std/cli/parse-args` on a machine that cannot reach JSR: the part of its interface this project uses (`string`,
 * `boolean`, `default`, `alias`, `unknown`), written over its documentation. `--name value`, `--name=value`, `-x`, `--`.
 * @module
 */

/** The options that {@link parseArgs} knows; the same names as in `@std/cli/parse-args`. */
export interface ParseOptions {
  readonly string?: readonly string[];
  readonly boolean?: readonly string[];
  readonly default?: Readonly<Record<string, unknown>>;
  readonly alias?: Readonly<Record<string, string>>;
  readonly unknown?: (arg: string) => unknown;
}

/** Positional words in `_`, each flag under its name. */
export type Args = { _: string[] } & Record<string, unknown>;

/**
 * Reads a command line. A `string` flag takes the next word or what follows `=`; a `boolean` flag takes none.
 * Flags in neither list are given to `unknown`, which drops them by answering `false`.
 */
export function parseArgs(args: readonly string[], options: ParseOptions = {}): Args {
  const result: Args = { _: [], ...options.default };
  for (const name of options.boolean ?? []) result[name] ??= false;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--") {
      result._.push(...args.slice(at + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      if (options.unknown?.(arg) !== false) result._.push(arg);
      continue;
    }
    const word = arg.replace(/^--?/, "");
    const equals = word.indexOf("=");
    const given = equals < 0 ? word : word.slice(0, equals);
    const name = options.alias?.[given] ?? given;
    if (options.boolean?.includes(name)) {
      result[name] = equals < 0 ? true : word.slice(equals + 1) === "true";
    } else if (options.string?.includes(name)) {
      result[name] = equals < 0 ? args[++at] ?? "" : word.slice(equals + 1);
    } else if (options.unknown?.(arg) !== false) {
      result[name] = equals < 0 ? true : word.slice(equals + 1);
    }
  }
  return result;
}
