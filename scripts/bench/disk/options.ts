/**
 * The command line of `bench disk`.
 * @module
 */
import { err, ok, type Result } from "../../../components/lib/result.ts";
import { readArguments } from "../arguments.ts";

export interface DiskOptions {
  /** The folder in which the files are made. */
  readonly dir: string;
  /** Of each work. */
  readonly runs: number;
  /** Done at a time. */
  readonly writers: number;
  /** Files and records of 10 KiB; a tenth as many of 1 MiB. */
  readonly files: number;
  readonly mailboxes: number;
  /** How long to wait for a quiet machine before each run. */
  readonly settleMs: number;
  readonly json: boolean;
}

const known = {
  numbers: { runs: 1, writers: 1, files: 10, mailboxes: 1, settle: 0 },
  texts: ["dir"],
  flags: ["json"],
} as const;

/** Reads what follows `disk`. The error is a sentence for the operator. */
export function parseDiskOptions(argv: readonly string[]): Result<DiskOptions, string> {
  const args = readArguments(argv, known);
  if (!args.ok) return args;
  const { words, number, text, flag } = args.value;
  if (words.length > 0) return err(`Expected options only, got ${JSON.stringify(words[0])}`);
  return ok({
    dir: text("dir") ?? "/tmp",
    runs: number("runs", 3),
    writers: number("writers", 20),
    files: number("files", 4000),
    mailboxes: number("mailboxes", 10_000),
    settleMs: number("settle", 8) * 1000,
    json: flag("json"),
  });
}
