/**
 * fastforward [-nNpPdD] CDB: forwards the message by a table made by setforward or newaliases, for ~alias/.qmail-default.
 * Exit codes: 0 forwarded, with -p 99; not in the table: 100, with -p 0; 100 refused; 111.
 * @module
 */
import { parseDestinations } from "../lib/aliases/destinations.ts";
import { expand, type Expansion, isTextList } from "../lib/aliases/expand.ts";
import { Table, TableError } from "../lib/aliases/table.ts";
import { cdbBytes } from "../lib/cdb/reader.ts";
import { toOctets } from "../lib/octets.ts";
import { type Caller, Ending, requireVariable, variable } from "./support/caller.ts";
import { carryOut, readByShell, type Step } from "./support/deliveries.ts";
import { parseFlags } from "./support/flags.ts";
import { writeOctets } from "./support/input.ts";
import { runProgram, say, usage } from "./support/run_program.ts";

/** The commands of a list kept in a file. */
export function listCommands(octets: string): readonly string[] | undefined {
  if (!isTextList(octets)) return octets.split("\0").slice(0, -1);
  const parsed = parseDestinations(octets);
  if (!parsed.ok) return undefined;
  // Of a file that others may write only the addresses are followed: no program is theirs to choose.
  return parsed.value.flatMap((destination) => destination.kind === "address" ? [`&${destination.address}`] : []);
}

async function readList(path: string): Promise<readonly string[]> {
  const octets = await readByShell(path);
  if (octets === undefined) throw new Ending(111, `unable to find ${path}`);
  const commands = listCommands(octets);
  if (commands === undefined) throw new Ending(111, `unable to parse ${path}`);
  return commands;
}

/** As -n says it. */
export function describeExpansion({ sender, programs, recipients }: Expansion): string {
  const lines = programs.map((program) => `run ${program}\n`);
  if (recipients.length === 0) return [...lines, "no forwarding\n"].join("");
  return [...lines, `from <${sender}>\n`, ...recipients.map((recipient) => `to <${recipient}>\n`)].join("");
}

function recipientOf(caller: Caller, byDefault: boolean): string {
  if (!byDefault) return requireVariable(caller, "RECIPIENT");
  const local = variable(caller, "DEFAULT") ?? variable(caller, "EXT");
  if (local === undefined) throw new Ending(100, "DEFAULT and EXT not set");
  return `${local}@${requireVariable(caller, "HOST")}`;
}

async function expandBy(path: string, caller: Caller, byDefault: boolean): Promise<Expansion | undefined> {
  const octets = await readByShell(path);
  if (octets === undefined) throw new Ending(111, `unable to find ${path}`);
  const incoming = {
    recipient: recipientOf(caller, byDefault),
    sender: variable(caller, "SENDER") ?? "",
    host: variable(caller, "HOST") ?? "",
  };
  try {
    return await expand(incoming, new Table(cdbBytes(toOctets(octets))), readList);
  } catch (error) {
    if (error instanceof TableError) throw new Ending(111, `unable to read ${path}: ${error.message}`);
    throw error;
  }
}

async function fastforward(caller: Caller): Promise<number> {
  const parsed = parseFlags(caller.args, "nNpPdD");
  const [path] = parsed?.rest ?? [];
  if (parsed === undefined || path === undefined) throw usage("fastforward [ -nNpPdD ] data.cdb");
  /** The later of a letter's two forms counts. */
  const isOn = (flag: string) => parsed.flags.findLast((each) => each.toLowerCase() === flag) === flag;
  const expansion = await expandBy(path, caller, isOn("d"));
  if (expansion === undefined) {
    if (isOn("p")) return 0;
    await say("Sorry, no mailbox here by that name. (#5.1.1)");
    return 100;
  }
  if (isOn("n")) await writeOctets(Deno.stderr, describeExpansion(expansion));
  else await carryOut("fastforward", caller, { ...expansion, steps: expansion.programs.map(stepOf) });
  return isOn("p") ? 99 : 0;
}

function stepOf(program: string): Step {
  return { kind: "program", command: program.slice(1), withLines: program.startsWith("!") };
}

if (import.meta.main) await runProgram("fastforward", fastforward);
