/**
 * The command line of `bench fairness`.
 * @module
 */
import { err, ok, type Result } from "../../../components/lib/result.ts";
import { readArguments } from "../arguments.ts";

export interface FairnessOptions {
  /** The folder in which homes are made. */
  readonly dir: string;
  /** How long fresh mail is sent in each situation, and how often. */
  readonly seconds: number;
  readonly everyMs: number;
  /** Of the large messages, and how many domains the remote ones are in. */
  readonly recipients: number;
  readonly domains: number;
  /** The sink waits so long before it takes a message. */
  readonly delayMs: number;
  /** Messages for a host that does not answer. */
  readonly waiting: number;
  /** Longest time for the intake of what stands in the way, and for the arrival of what was sent. */
  readonly limitMs: number;
  /** How long to wait for a quiet machine before each situation. */
  readonly settleMs: number;
  readonly json: boolean;
}

const known = {
  numbers: { seconds: 1, "every-ms": 1, recipients: 1, domains: 1, "delay-ms": 0, waiting: 1, limit: 1, settle: 0 },
  texts: ["dir"],
  flags: ["json"],
} as const;

/** Reads what follows `fairness`. The error is a sentence for the operator. */
export function parseFairnessOptions(argv: readonly string[]): Result<FairnessOptions, string> {
  const args = readArguments(argv, known);
  if (!args.ok) return args;
  const { words, number, text, flag } = args.value;
  if (words.length > 0) return err(`Expected options only, got ${JSON.stringify(words[0])}`);
  const options: FairnessOptions = {
    dir: text("dir") ?? "/tmp",
    seconds: number("seconds", 20),
    everyMs: number("every-ms", 100),
    recipients: number("recipients", 100_000),
    domains: number("domains", 1000),
    delayMs: number("delay-ms", 50),
    waiting: number("waiting", 2000),
    limitMs: number("limit", 120) * 1000,
    settleMs: number("settle", 8) * 1000,
    json: flag("json"),
  };
  // Local and remote in turn: each needs one.
  if (options.seconds * 1000 < 2 * options.everyMs) return err("Option --seconds leaves no time for two messages");
  return ok(options);
}
