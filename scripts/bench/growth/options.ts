/**
 * The command line of `bench growth`.
 * @module
 */
import { err, ok, type Result } from "../../../components/lib/result.ts";
import { readArguments } from "../arguments.ts";
import { type DimensionName, dimensionNames } from "./dimensions.ts";

export interface GrowthOptions {
  readonly only: readonly DimensionName[];
  /** The largest steps as well. */
  readonly full: boolean;
  /** Steps above it are left out. */
  readonly most: number;
  readonly runs: number;
  readonly dir: string;
  readonly limitSeconds: number;
  readonly settleSeconds: number;
  readonly json: boolean;
  readonly html: string | undefined;
}

const known = {
  numbers: { most: 1, runs: 1, limit: 1, settle: 0 },
  texts: ["only", "dir", "html"],
  flags: ["full", "json"],
} as const;

/** Reads what follows `growth`. The error is a sentence for the operator. */
export function parseGrowthOptions(argv: readonly string[]): Result<GrowthOptions, string> {
  const args = readArguments(argv, known);
  if (!args.ok) return args;
  const { words, number, text, flag } = args.value;
  if (words.length > 0) return err(`Expected options only, got ${JSON.stringify(words[0])}`);
  const names = text("only")?.split(",") ?? dimensionNames;
  const unknown = names.find((name) => !dimensionNames.some((one) => one === name));
  if (unknown !== undefined) {
    return err(
      `Option --only takes ${dimensionNames.join(", ")}, with commas between them, got ${JSON.stringify(unknown)}`,
    );
  }
  if (text("html") === "") return err("Option --html takes a file");
  return ok({
    only: dimensionNames.filter((name) => names.includes(name)),
    full: flag("full"),
    most: number("most", Infinity),
    runs: number("runs", 1),
    dir: text("dir") ?? "/tmp",
    limitSeconds: number("limit", 120),
    settleSeconds: number("settle", 8),
    json: flag("json"),
    html: text("html"),
  });
}
