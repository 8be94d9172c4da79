/**
 * Programs of other makes, for tests: whether one is installed, and one run of it.
 * @module
 */
import { existsSync } from "@std/fs";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { within } from "./wait.ts";

/** Where programs are that are not in every user's PATH. */
const systemFolders = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/** The path of a program, found as a shell would and in the system's folders; undefined: not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), ...systemFolders].filter((folder) => folder !== "");
  return folders.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
}

/** The options of a test that needs programs, and what its name says where one of them is missing. */
export interface Need {
  readonly ignore: boolean;
  /** " (skipped: NAME is not installed)", or nothing. */
  readonly note: string;
}

/** What a test needs that runs these programs, and, where `root` is said, is run by root. */
export function needs(names: readonly string[], { root = false }: { root?: boolean } = {}): Need {
  const missing = names.find((name) => findProgram(name) === undefined);
  if (missing !== undefined) return { ignore: true, note: ` (skipped: ${missing} is not installed)` };
  return root && Deno.uid() !== 0 ? { ignore: true, note: " (skipped: needs root)" } : { ignore: false, note: "" };
}

/** Swaks with the modules of Perl's that its TLS and CRAM-MD5 need. */
export const swaksNeed: Need = needOfSwaks();

function needOfSwaks(): Need {
  const need = needs(["swaks"]);
  if (need.ignore) return need;
  const { stdout } = new Deno.Command(findProgram("swaks")!, { args: ["--support"], stdin: "null" }).outputSync();
  const said = fromOctets(stdout);
  const missing = ["TLS", "AUTH CRAM-MD5"].find((feature) => !said.includes(`=== ${feature} supported`));
  return missing === undefined ? need : { ignore: true, note: ` (skipped: swaks without ${missing})` };
}

export interface Run {
  readonly code: number;
  /** Octet strings. */
  readonly stdout: string;
  readonly stderr: string;
}

const runMs = 60_000;

/** Runs a program to its end, with `input` (octet string) as its standard input. Kills it after a minute. */
export async function runProgram(
  name: string,
  args: readonly string[],
  { input, env = {} }: { input?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Run> {
  const child = new Deno.Command(findProgram(name) ?? name, {
    args: [...args],
    env: { ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A program that wants no input may have ended before it is written.
  const written = (async () => {
    if (input !== undefined) await writer.write(toOctets(input));
    await writer.close();
  })().catch(() => {});
  try {
    const { code, stdout, stderr } = await within(child.output(), runMs, () => `the end of ${name} ${args.join(" ")}`);
    await written;
    return { code, stdout: fromOctets(stdout), stderr: fromOctets(stderr) };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** As {@link runProgram}; throws, with what the program said, unless it ends with 0. Answers all that it said. */
export async function runWell(
  name: string,
  args: readonly string[],
  options: { input?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(name, args, options);
  if (code !== 0) throw new Error(`${name} ended with ${code}; it said:\n${stdout}${stderr}`);
  return stdout + stderr;
}
