/**
 * qmail-pw2u [-ohHuUC/] [-c CHARACTER]: reads passwd(5), prints users/assign, with users/include, exclude, mailnames,
 * subusers and append. Homes are looked at where they lie in control/userhomes or are alias's; any other counts for
 * missing, which a warning tells. Exit codes: 0; 100 called wrongly; 111 any trouble.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { ifThere } from "../lib/disk/if_there.ts";
import { describeError, flushLog, log } from "../lib/log/log.ts";
import { fromOctets, toOctets } from "../lib/octets.ts";
import { runTool } from "../lib/process/tool.ts";
import { isAbsence } from "../lib/users/home_owner.ts";
import { defaultPw2uOptions, pw2u, type Pw2uFiles, type Pw2uOptions } from "../lib/users/pw2u.ts";
import { parseCaller } from "./support/caller.ts";

const usage = "usage: qmail-pw2u [ -/ohHuUC ] [ -c char ]";

/** The options of a command line (octet strings), as getopt() reads them; undefined where one is unknown. */
export function parsePw2uOptions(args: readonly string[]): Pw2uOptions | undefined {
  let options = defaultPw2uOptions;
  for (let at = 0; at < args.length && /^-./s.test(args[at]!) && args[at] !== "--"; at++) {
    const letters = args[at]!.slice(1);
    for (let letterAt = 0; letterAt < letters.length; letterAt++) {
      const letter = letters[letterAt]!;
      if (letter === "c") {
        // Its character follows in this word or is the next.
        const value = letters.slice(letterAt + 1) || args[++at];
        if (value === undefined) return undefined;
        options = { ...options, delimiter: value.slice(0, 1) };
        break;
      }
      const change = changes.get(letter);
      if (change === undefined) return undefined;
      options = { ...options, ...change };
    }
  }
  return options;
}

const changes: ReadonlyMap<string, Partial<Pw2uOptions>> = new Map([
  ["o", { homes: "owned" }],
  ["h", { homes: "present" }],
  ["H", { homes: "any" }],
  ["u", { capitals: true }],
  ["U", { capitals: false }],
  ["C", { delimiter: "" }],
  ["/", { dash: "-/" }],
]);

/** The owner of a home; a folder outside of the grant is missing, with a warning. */
function ownerOf(home: string): number | "absent" | "unsure" {
  try {
    return Deno.statSync(home).uid ?? "unsure";
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      log(`qmail-pw2u: warning: ${home} is in no folder of control/userhomes: taken for missing`);
      return "absent";
    }
    return isAbsence(error) ? "absent" : "unsure";
  }
}

function readFiles(home: Home): Pw2uFiles {
  const read = (name: string) => {
    const octets = ifThere(() => Deno.readFileSync(home.users(name)));
    return octets && fromOctets(octets);
  };
  const [include, exclude, mailnames] = [read("include"), read("exclude"), read("mailnames")];
  return { include, exclude, mailnames, subusers: read("subusers"), append: read("append") };
}

function fail(code: number, text: string): never {
  log(`qmail-pw2u: ${text}`);
  flushLog();
  Deno.exit(code);
}

async function main(): Promise<void> {
  const { home, args } = parseCaller(Deno.args);
  const options = parsePw2uOptions(args);
  if (options === undefined) fail(100, usage);
  const passwd = fromOctets(new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer()));
  let files: Pw2uFiles;
  try {
    files = readFiles(home);
  } catch (error) {
    log(`qmail-pw2u: warning: ${describeError(error)}`);
    fail(111, "fatal: unable to read controls");
  }
  const made = pw2u(passwd, files, options, ownerOf);
  if (!made.ok) fail(111, `fatal: ${made.error}`);
  const octets = toOctets(made.value);
  for (let at = 0; at < octets.length;) at += await Deno.stdout.write(octets.subarray(at));
}

if (import.meta.main) await runTool("qmail-pw2u", main);
