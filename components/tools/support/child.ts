/**
 * Another program, started with its caller's environment and arguments octet for octet. Deno hands over texts, so words
 * that are no UTF-8 travel in octal, and a shell that knows nothing of the environment puts them together again; then
 * env(1) sets it and becomes the program.
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import { toOctets } from "../../lib/octets.ts";
import { type Caller, Ending } from "./caller.ts";
import { type Output, writeOctets } from "./input.ts";

/** The program all others are started by: the one right to run that a tool needs. */
export const shell = "/bin/sh";

/**
 * Decodes the words, each in its turn from the front to the back, and becomes the last of them. The x keeps line ends at
 * a word's end, which `$()` would cut. Line ends and all else of a word are never read as the shell's own.
 */
const decodeAndBecome = `
left=$#
while [ $left -gt 0 ]; do
  case $1 in
    t*) set -- "$@" "\${1#t}" ;;
    *) word=$(printf "\${1#o}x") && set -- "$@" "\${word%x}" || exit 111 ;;
  esac
  shift
  left=$((left - 1))
done
exec /usr/bin/env -i -- "$@"
`;

/** One octet string as a word that any decoder leaves alone: `t` and the text, or `o` and all its octets in octal. */
export function encodeWord(word: string): string {
  const octets = toOctets(word);
  if (isUtf8(octets)) return `t${Buffer.from(octets).toString("utf8")}`;
  return `o${Array.from(octets, (octet) => `\\${octet.toString(8).padStart(3, "0")}`).join("")}`;
}

/**
 * Arguments for {@link shell} that make it become `words[0]`. `first` is shell text that runs before, for descriptors.
 * Throws an {@link Ending} for a program's name that env(1) would take for a variable.
 */
export function shellArguments(
  environment: readonly string[],
  words: readonly string[],
  first = "",
): string[] {
  if (words[0]?.includes("=") !== false) throw new Ending(111, `unable to run a program of that name: ${words[0]}`);
  // env(1) would take for the program what has no "=".
  const variables = environment.filter((entry) => entry.indexOf("=") > 0);
  return ["-c", `${first}${decodeAndBecome}`, "sh", ...[...variables, ...words].map(encodeWord)];
}

/** How a program ended: its exit code, or `undefined` where a signal ended it. */
export type Exit = number | undefined;

/** Runs a program that has this process's input, output and errors; answers how it ended. */
export async function runWithInput({ environment }: Caller, words: readonly string[]): Promise<Exit> {
  const child = new Deno.Command(shell, { args: shellArguments(environment, words), clearEnv: true, stdin: "inherit" })
    .spawn();
  return exitOf(await child.status);
}

function exitOf({ code, signal }: Deno.CommandStatus): Exit {
  return signal === null ? code : undefined;
}

/**
 * Runs a program and feeds it `pieces`; answers how it ended. One that does not read to the end is right to do so. Where
 * reading the pieces fails the program is ended before it could take a part for the whole, and that error is thrown.
 */
export async function runFed(
  { environment }: Caller,
  words: readonly string[],
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Exit> {
  const args = shellArguments(environment, words);
  const child = new Deno.Command(shell, { args, clearEnv: true, stdin: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  // What it says of the end is what the writes say.
  writer.closed.catch(() => {});
  try {
    for await (const piece of pieces) {
      if (!await feed(writer, piece)) break;
    }
  } catch (error) {
    child.kill("SIGKILL");
    await child.status;
    throw error;
  }
  await writer.close().catch(() => {});
  return exitOf(await child.status);
}

/** Whether the program still reads. */
function feed(writer: Output, piece: Uint8Array): Promise<boolean> {
  return writeOctets(writer, piece).then(() => true, () => false);
}

/** What a program says about a message by its exit code, for those that ask one. */
export type Answer = "yes" | "no" | "later";

/** 0 is yes; 111 and a crash mean that it has to be asked again; all else is no (qmail's interface). */
export function answerOf(exit: Exit): Answer {
  if (exit === 0) return "yes";
  return exit === 111 || exit === undefined ? "later" : "no";
}

/** Whether it said yes. Throws an {@link Ending} where it has to be asked again. */
export function requireAnswer(exit: Exit): boolean {
  const answer = answerOf(exit);
  if (answer === "later") throw new Ending(111, exit === undefined ? "child crashed" : "temporary child error");
  return answer === "yes";
}
