/**
 * What a tool gets of its caller's world: arguments and environment, octet for octet. Both are an attacker's octets when
 * a .qmail line calls the tool (an address may hold quotes, line ends, what is no UTF-8), so no shell and no decoder may
 * meet them: the script around a tool (scripts/home/tools.ts) hands them over in base64, and here they become octet
 * strings. The tool's own environment is empty but for what deno needs.
 * @module
 */
import { Buffer } from "node:buffer";
import { parseArgs } from "@std/cli/parse-args";
import type { Home } from "../../../config/home.ts";
import { fromOctets } from "../../lib/octets.ts";
import { homeOptions, parseHomeArgs } from "../../lib/process/home_args.ts";

export interface Caller {
  readonly home: Home;
  /** The words behind the program's name. Octet strings. */
  readonly args: readonly string[];
  /** `NAME=value` and whatever else was there, in its order. Octet strings. */
  readonly environment: readonly string[];
  /** What queues where QMAILQUEUE is not set; absent: the daemon. */
  readonly queueProgram?: string;
  /** Whom messages go through on their way to the daemon, as formatRouteText() writes it. */
  readonly filters?: string;
}

/** The words in front of the tool's own arguments on the command line of the process that waits for it. */
export const wordsBeforeArguments = 7;

/** The command line that the script writes: `--home DIR [--queue-program PATH] [--filters TEXT] --environment BASE64 … --command-line BASE64 …`. */
export function parseCaller(words: readonly string[]): Caller {
  const [environmentAt, commandAt] = [words.indexOf("--environment"), words.lastIndexOf("--command-line")];
  if (environmentAt < 0 || commandAt < environmentAt) throw new Error("expected to be started by the script in bin/");
  const options = parseArgs(words.slice(0, environmentAt), { string: [...homeOptions, "queue-program", "filters"] });
  const { "queue-program": queueProgram, filters } = options;
  return {
    home: parseHomeArgs(options),
    ...(typeof queueProgram === "string" ? { queueProgram } : {}),
    ...(typeof filters === "string" ? { filters } : {}),
    args: decodeStrings(words.slice(commandAt + 1)).slice(wordsBeforeArguments),
    environment: decodeStrings(words.slice(environmentAt + 1, commandAt)),
  };
}

/** NUL ends each string; the base64 comes in lines of whole groups. */
function decodeStrings(base64: readonly string[]): string[] {
  return fromOctets(Buffer.from(base64.join(""), "base64")).split("\0").slice(0, -1);
}

/** The first of that name counts, as for getenv(). */
export function variable(caller: Caller, name: string): string | undefined {
  return caller.environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** A way for a tool to end that its caller is to be told: said on standard error, then the exit code. */
export class Ending extends Error {
  override name = "Ending";
  constructor(readonly code: number, message: string) {
    super(message);
  }
}

/** A variable that has to be there; who calls the tool by hand may not know that. */
export function requireVariable(caller: Caller, name: string): string {
  const value = variable(caller, name);
  if (value === undefined) throw new Ending(100, `${name} not set`);
  return value;
}
