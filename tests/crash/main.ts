/**
 * `deno task crash`: kills the parts of a running dqmail thousands of times under load, and holds what arrived against
 * what was answered 250. See harness.ts for what of a run its seed repeats.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fail } from "../../scripts/fail.ts";
import { killable, run } from "./harness.ts";
import { formatTotals } from "./report.ts";

const help = `Usage: deno task crash [--kills N] [--seed S] [--every N] [--only NAME,...] [--keep]

  --kills N   processes to kill (default 600); all of them at one moment count as so many
  --seed S    for whom and when, and for the messages; a whole number (default: one by chance)
  --every N   kills between two checks of all that was sent (default 300)
  --only      kill these components and nothing else (by default any, and the supervisor)
  --keep      leave the system's home where it is, with its log beside it

Exit code 0: nothing was lost and nothing was found; 1: what was found is printed, and the home is kept.`;

const defaults = { kills: 600, every: 300 } as const;

function wholeNumber(name: string, given: unknown, absent: number, least: number): number {
  if (given === undefined) return absent;
  if (/^[0-9]{1,9}$/.test(String(given)) && Number(given) >= least) return Number(given);
  fail(`deno task crash: --${name} takes a whole number from ${least} on, got ${JSON.stringify(given)}`);
}

function names(given: unknown): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const found = String(given).split(",");
  const wrong = found.find((name) => !killable.includes(name));
  if (wrong === undefined) return found;
  fail(`deno task crash: --only takes names of ${killable.join(", ")}, got ${JSON.stringify(wrong)}`);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["kills", "seed", "every", "only"],
    boolean: ["keep", "help"],
    unknown: (arg) => fail(`deno task crash: ${arg} is not known\n\n${help}`),
  });
  if (args["help"] === true) return console.log(help);
  const seed = wholeNumber("seed", args["seed"], Math.floor(Math.random() * 1e9), 0);
  console.log(`seed ${seed}`);
  const report = await run({
    kills: wholeNumber("kills", args["kills"], defaults.kills, 1),
    every: wholeNumber("every", args["every"], defaults.every, 1),
    seed,
    only: names(args["only"]),
    keep: args["keep"] === true,
    print: (line) => console.log(line),
  });
  for (const finding of report.findings) console.log(`\n${finding}`);
  console.log(`\n${formatTotals(report, seed)}`);
  Deno.exit(report.findings.length === 0 ? 0 : 1);
}

if (import.meta.main) await main();
