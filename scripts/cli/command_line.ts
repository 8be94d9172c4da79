/**
 * A command line held against what its command knows: no option is taken for something else, or for nothing.
 * @module
 */
import { type Args, parseArgs } from "@std/cli/parse-args";
import { err, ok, type Result } from "../../components/lib/result.ts";
import { fail } from "../fail.ts";
import { type Command, optionsOf } from "./command.ts";
import { formatHelp, formatUsage } from "./help_text.ts";
import { unknownWord } from "./nearest.ts";

/** Its words and options, "help" where help was asked for. Errors: a sentence for the operator. */
export function checkCommandLine(command: Command, argv: readonly string[]): Result<Args | "help", string> {
  const unknown: string[] = [];
  const strings = command.options.filter(({ value }) => value !== undefined).map(({ name }) => name);
  const booleans = command.options.filter(({ value }) => value === undefined).map(({ name }) => name);
  const args = parseArgs(argv, {
    string: strings,
    boolean: [...booleans, "help"],
    alias: { h: "help" },
    unknown: (arg) => arg.startsWith("-") && arg !== "-" ? (unknown.push(arg), false) : true,
  });
  if (args["help"] === true) return ok("help");
  const given = optionNames(argv, strings);
  const word = command.words === undefined ? undefined : args._[0];
  if (unknown[0] !== undefined) return err(unknownWord(unknown[0], [...strings, ...booleans, "help"]));
  if (command.words !== undefined && word === undefined) return ok("help");
  if (word !== undefined && !command.words!.some(({ name }) => name === word)) {
    return err(unknownWord(word, command.words!.map(({ name }) => name)));
  }
  const last = command.words?.find(({ name }) => name === word);
  const most = last === undefined ? command.mostWords : last.then === undefined ? 1 : undefined;
  if (most !== undefined && args._.length > most) return err(`${args._[most]} is not known`);
  const allowed = optionsOf(command, word).map(({ name }) => name);
  const foreign = given.names.find((name) => !allowed.includes(name));
  if (foreign !== undefined) {
    const of = command.options.find(({ name }) => name === foreign)?.of?.join(", ");
    return err(`${word ?? command.name}: --${foreign} is not known${of === undefined ? "" : ` here; it is for ${of}`}`);
  }
  if (given.lacksValue !== undefined) {
    const option = command.options.find(({ name }) => name === given.lacksValue);
    return err(`--${given.lacksValue} needs ${option?.value ?? "a value"}`);
  }
  for (const { name, value, takes } of command.options) {
    if (value === undefined || typeof takes !== "object" || args[name] === undefined) continue;
    if (!takes.includes(String(args[name]))) return err(`--${name}: expected one of ${takes.join(", ")}`);
  }
  return ok(args);
}

/** The options among the words, and the one that the line ended behind, where it takes a value. */
function optionNames(argv: readonly string[], strings: readonly string[]): { names: string[]; lacksValue?: string } {
  const names: string[] = [];
  for (let at = 0; at < argv.length && argv[at] !== "--"; at++) {
    const [, name, equals] = /^--?([^=]+)(=)?/.exec(argv[at]!) ?? [];
    if (name === undefined) continue;
    names.push(name);
    if (!strings.includes(name) || equals !== undefined) continue;
    at++;
    if (at === argv.length) return { names, lacksValue: name };
  }
  return { names };
}

/**
 * Words and options of the command line; undefined where help was asked for, and has been printed. Ends with 100 where
 * something is wrong with it.
 */
export function readCommandLine(command: Command, argv: readonly string[]): Args | undefined {
  const args = checkCommandLine(command, argv);
  if (!args.ok) failUsage(command, args.error);
  if (args.value !== "help") return args.value;
  console.log(formatHelp(command));
  return undefined;
}

/** Says what is wrong and how the command is used, and ends with 100. */
export function failUsage(command: Command, message: string): never {
  fail(`dqmail ${command.name}: ${message}\n\n${formatUsage(command)}\n\n"dqmail ${command.name} --help" says more`);
}
