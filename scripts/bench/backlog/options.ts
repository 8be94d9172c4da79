/**
 * The command line of `bench backlog`.
 * @module
 */
import { err, ok, type Result } from "../../../components/lib/result.ts";
import { readArguments } from "../arguments.ts";

/** The queue that is measured. */
export type Place =
  /** Made below `dir`, and removed afterwards. */
  | { readonly kind: "temporary"; readonly dir: string }
  /** Made there, and kept. */
  | { readonly kind: "keep"; readonly home: string }
  /** Made and kept by an earlier run. */
  | { readonly kind: "kept"; readonly home: string };

export interface BacklogOptions {
  readonly place: Place;
  /** Messages that wait; a home that was kept knows its own. */
  readonly messages: number;
  /** Messages of one round of load, and how they are sent. */
  readonly load: number;
  readonly sessions: number;
  readonly sizeBytes: number;
  /** Rounds of load after the scan. */
  readonly rounds: number;
  /** Longest wait for a 220, for mail to arrive, for the end of the scan, and for an orderly end. */
  readonly limitMs: number;
  readonly json: boolean;
}

const known = {
  numbers: { messages: 0, load: 1, sessions: 1, size: 0, rounds: 1, limit: 1 },
  texts: ["dir", "home", "keep-home"],
  flags: ["json"],
} as const;

/** Reads what follows `backlog`. The error is a sentence for the operator. */
export function parseBacklogOptions(argv: readonly string[]): Result<BacklogOptions, string> {
  const args = readArguments(argv, known);
  if (!args.ok) return args;
  const { words, number, text, flag, has } = args.value;
  if (words.length > 0) return err(`Expected options only, got ${JSON.stringify(words[0])}`);
  const [dir, home, keep] = [text("dir"), text("home"), text("keep-home")];
  const places = [dir, home, keep].filter((place) => place !== undefined);
  if (places.length > 1) return err("Options --dir, --home and --keep-home exclude each other");
  if (places.includes("")) return err("Options --dir, --home and --keep-home take a folder");
  if (home !== undefined && has("messages")) return err("Option --messages does not go with --home: its queue is made");
  const place: Place = home !== undefined
    ? { kind: "kept", home }
    : keep !== undefined
    ? { kind: "keep", home: keep }
    : { kind: "temporary", dir: dir ?? "/tmp" };
  return ok({
    place,
    messages: number("messages", 20_000),
    load: number("load", 500),
    sessions: number("sessions", 20),
    sizeBytes: number("size", 10_240),
    rounds: number("rounds", 3),
    limitMs: number("limit", 600) * 1000,
    json: flag("json"),
  });
}
