/**
 * What the words behind `dqmail` call: a command with its own words.
 * @module
 */
import { err, ok, type Result } from "../../components/lib/result.ts";
import { commandNames, findCommand } from "./commands.ts";
import { unknownWord } from "./nearest.ts";

/** One of the scripts, and what it is given. */
export interface Call {
  readonly command: string;
  readonly args: readonly string[];
}

/** Words that people try, for what they mean. */
const others: ReadonlyMap<string, readonly string[]> = new Map([
  ["--version", ["version"]],
  ["-V", ["version"]],
  ["ps", ["status"]],
  ["man", ["help"]],
]);

/**
 * The command and its words; "overview" where there is none. `home`: the home where the words name none. Options in front
 * of the command are its own. Errors: a sentence for the operator.
 */
export function parseCall(argv: readonly string[], home: string | undefined): Result<Call | "overview", string> {
  const { before, words } = leading(argv);
  const [first, ...rest] = words;
  if (first === undefined) {
    const stray = before.find((word) => word !== "--help" && word !== "-h");
    return stray === undefined ? ok("overview") : err(`${stray}: a command is missing`);
  }
  const [name = first, ...more] = others.get(first) ?? [first];
  const command = findCommand(name);
  if (command === undefined) return err(unknownWord(first, commandNames));
  const named = [...before, ...rest].some((word) => word === "--home" || word.startsWith("--home="));
  const given = command.hasHome && !named && home !== undefined && home !== "" ? ["--home", home] : [];
  return ok({ command: name, args: [...given, ...before, ...more, ...rest] });
}

/** Options in front of the command: `--home DIR`, `--json` and `--help` are those that all know. */
function leading(argv: readonly string[]): { readonly before: readonly string[]; readonly words: readonly string[] } {
  let at = 0;
  while (at < argv.length && argv[at]!.startsWith("-") && !others.has(argv[at]!)) at += argv[at] === "--home" ? 2 : 1;
  return { before: argv.slice(0, at), words: argv.slice(at) };
}
