/**
 * What the scenarios' command lines have in common: whole numbers with a least value, texts, flags, and nothing else.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { err, ok, type Result } from "../../components/lib/result.ts";

/** The options that a scenario has. */
export interface Known<N extends string, T extends string, F extends string> {
  /** Each with its least value. */
  readonly numbers: Readonly<Record<N, number>>;
  readonly texts: readonly T[];
  readonly flags: readonly F[];
}

/** A command line whose options are all known and whose numbers are numbers. */
export interface Arguments<N extends string, T extends string, F extends string> {
  /** What is no option. */
  readonly words: readonly string[];
  number(name: N, absent: number): number;
  text(name: T): string | undefined;
  flag(name: F): boolean;
  has(name: N | T): boolean;
}

/** Reads a command line. The error is a sentence for the operator. */
export function readArguments<N extends string, T extends string, F extends string>(
  argv: readonly string[],
  known: Known<N, T, F>,
): Result<Arguments<N, T, F>, string> {
  const unknown: string[] = [];
  const args = parseArgs([...argv], {
    string: [...Object.keys(known.numbers), ...known.texts],
    boolean: [...known.flags],
    unknown: (arg) => arg.startsWith("-") ? (unknown.push(arg), false) : true,
  });
  if (unknown[0] !== undefined) return err(`Unknown option ${JSON.stringify(unknown[0])}`);
  const wrong = Object.entries<number>(known.numbers).find(([name, least]) => !isNumber(args[name], least));
  if (wrong !== undefined) {
    return err(`Option --${wrong[0]} takes a whole number from ${wrong[1]} on, got ${JSON.stringify(args[wrong[0]])}`);
  }
  return ok({
    words: args._,
    number: (name, absent) => Number(args[name] ?? absent),
    text: (name) => args[name] === undefined ? undefined : String(args[name]),
    flag: (name) => args[name] === true,
    has: (name) => args[name] !== undefined,
  });
}

function isNumber(given: unknown, least: number): boolean {
  return given === undefined || (/^[0-9]{1,9}$/.test(String(given)) && Number(given) >= least);
}
