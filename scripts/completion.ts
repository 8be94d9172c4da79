/**
 * `dqmail completion bash|zsh|fish`: prints the script that has a shell complete.
 * @module
 */
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf, commands } from "./cli/commands.ts";
import { bashCompletion, type Completions, fishCompletion, zshCompletion } from "./cli/completion.ts";
import { controlFiles } from "./config/control_value.ts";
import { topics } from "./help/pages.ts";

const shells: Readonly<Record<string, (completions: Completions) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** What this command does with the words behind its name. */
// deno-lint-ignore require-await -- every command answers a promise
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("completion"), argv);
  if (args === undefined) return;
  const names = [...new Set(topics.map(({ name }) => name))];
  console.log(shells[args._[0]!]!({ commands, controls: controlFiles, topics: names }).trimEnd());
}

if (import.meta.main) await main(Deno.args);
