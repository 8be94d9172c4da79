/**
 * dot-forward [-nN] FILE…: follows the first of the files that is there and not empty (`.forward`, mostly; sendmail's
 * syntax, see lib/aliases). Exit codes: 99 where it took the mail over; 0 where there is no such file, or it names the user
 * himself, so that the lines of .qmail behind this one follow; 100; 111.
 * @module
 */
import { type Destination, parseDestinations } from "../lib/aliases/destinations.ts";
import { type Caller, Ending, requireVariable, variable } from "./support/caller.ts";
import { carryOut, readByShell, type Step } from "./support/deliveries.ts";
import { parseFlags } from "./support/flags.ts";
import { writeOctets } from "./support/input.ts";
import { runProgram, usage } from "./support/run_program.ts";

/** Who "himself" is. Octet strings. */
export interface Self {
  readonly user: string;
  readonly local: string;
  readonly host: string;
}

/** Whether an address is the user's own: his name, with a backslash or at this host, or the very recipient. */
export function isSelf({ address, final }: Destination & { kind: "address" }, { user, local, host }: Self): boolean {
  const lower = (text: string) => text.toLowerCase();
  if (!address.includes("@")) return lower(address) === lower(user) || (!final && lower(address) === lower(local));
  return [user, local].some((name) => lower(address) === lower(`${name}@${host}`));
}

export interface ForwardPlan {
  readonly steps: readonly Step[];
  readonly recipients: readonly string[];
  /** The mail goes to the user, too. */
  readonly self: boolean;
}

/** What is to be done; included files are read already. */
export function planForward(destinations: readonly Destination[], self: Self): ForwardPlan {
  const steps: Step[] = [];
  const recipients = new Set<string>();
  let keeps = false;
  for (const destination of destinations) {
    if (destination.kind === "program") steps.push({ ...destination, withLines: true });
    else if (destination.kind === "file") steps.push(destination);
    else if (destination.kind === "address") {
      if (isSelf(destination, self)) keeps = true;
      else recipients.add(destination.address);
    }
  }
  return { steps, recipients: [...recipients], self: keeps };
}

/** As `-n` prints it, a line each. */
export function describePlan({ steps, recipients, self }: ForwardPlan): string {
  return [
    ...steps.map((step) => step.kind === "program" ? `program ${step.command}` : `mbox ${step.path}`),
    ...recipients.map((recipient) => `forward ${recipient}`),
    ...self ? ["self"] : [],
  ].map((line) => `${line}\n`).join("");
}

function parse(path: string, text: string): Destination[] {
  const parsed = parseDestinations(text);
  if (!parsed.ok) throw new Ending(111, `unable to parse this in ${path}: ${parsed.error}`);
  return parsed.value;
}

/** The destinations with those of included files in their place; each file once. */
async function withIncluded(destinations: readonly Destination[], seen: Set<string>): Promise<Destination[]> {
  const all: Destination[] = [];
  for (const destination of destinations) {
    if (destination.kind !== "include") all.push(destination);
    else if (!seen.has(destination.path)) {
      seen.add(destination.path);
      const text = await readByShell(destination.path);
      // A list that is away for now must not lose mail.
      if (text === undefined) throw new Ending(111, `unable to find ${destination.path}`);
      all.push(...await withIncluded(parse(destination.path, text), seen));
    }
  }
  return all;
}

async function firstForward(files: readonly string[]): Promise<Destination[]> {
  for (const file of files) {
    const destinations = parse(file, await readByShell(file) ?? "");
    if (destinations.length > 0) return await withIncluded(destinations, new Set([file]));
  }
  return [];
}

async function dotForward(caller: Caller): Promise<number> {
  const parsed = parseFlags(caller.args, "nN");
  if (parsed === undefined || parsed.rest.length === 0) throw usage("dot-forward [ -nN ] file ...");
  const destinations = await firstForward(parsed.rest);
  const user = variable(caller, "USER") ?? "";
  const plan = planForward(destinations, {
    user,
    local: variable(caller, "LOCAL") ?? user,
    host: variable(caller, "HOST") ?? "",
  });
  if (parsed.flags.at(-1) === "n") {
    await writeOctets(Deno.stdout, describePlan(plan));
    return 0;
  }
  if (plan.steps.length === 0 && plan.recipients.length === 0) return 0;
  await carryOut("dot-forward", caller, { ...plan, sender: requireVariable(caller, "NEWSENDER") });
  return plan.self ? 0 : 99;
}

if (import.meta.main) await runProgram("dot-forward", dotForward);
