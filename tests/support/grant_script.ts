/**
 * The very scripts that the supervisor writes and starts (`libexec/grants/NAME`), with a probe in the component's place:
 * same interpreter, same environment, same flags.
 * @module
 */
import { join } from "@std/path";
import { accountIds } from "../../config/accounts.ts";
import type { Ids, Manifest } from "../../components/lib/permissions/grant.ts";
import type { System } from "./system.ts";

/** A deed of probe.ts, what to do it to, and what else it needs. */
export type Attempt = readonly [deed: string, object: string, more?: string];

export interface ProbeReport {
  /** What the probe's command line had besides the attempts. */
  readonly args: readonly string[];
  /** One for each attempt: "refused", "done", or an error of another kind. */
  readonly results: readonly string[];
}

/** Copies the probe to where every component's user can read it; answers its path. */
export function placeProbe(system: System): string {
  const path = join(system.baseDir, "probe.ts");
  Deno.copyFileSync(new URL("./probe.ts", import.meta.url), path);
  Deno.chmodSync(path, 0o644);
  return path;
}

/** Writes the grant's script anew with the probe instead of its program and its arguments; answers the script's path. */
export function probeScript(system: System, name: string, probe: string): string {
  const grant = Deno.readTextFileSync(system.home.libexec("grants", name));
  const main = grant.search(/ \S+\/main\.[jt]s\b/);
  if (main < 0 || !grant.endsWith(' "$@"\n')) throw new Error(`the grant of ${name} is not what it was: ${grant}`);
  const path = join(system.baseDir, `probe-${name}.sh`);
  Deno.writeTextFileSync(path, `${grant.slice(0, main)} ${probe} "$@"\n`);
  return path;
}

/** The same of a grant for an account's home: the script that is given a word, the home, and then the attempts. */
export function probeHomeScript(system: System, name: string, probe: string): string {
  const grant = Deno.readTextFileSync(system.home.libexec("grants", name));
  const changed = grant.replace("[ $# = 2 ] || exit 100\n", "").replaceAll(
    / \S+\/main\.[jt]s .* ;;\n/g,
    ` ${probe} "$3" ;;\n`,
  );
  if (!changed.includes(probe) || /main\.[jt]s/.test(changed)) throw new Error(`${name} is not what it was: ${grant}`);
  const path = join(system.baseDir, `probe-${name}.sh`);
  Deno.writeTextFileSync(path, changed);
  return path;
}

/** Runs `command` as the component's own user (where root runs the tests) with the attempts as its last argument. */
export async function runProbe(
  { account }: Manifest,
  command: readonly [string, ...string[]],
  attempts: readonly Attempt[],
): Promise<ProbeReport> {
  return await runProbeAs(accountIds(Deno.readTextFileSync("/etc/passwd"))[account], command, attempts);
}

/** The same as `ids`, where root runs the tests. */
export async function runProbeAs(
  ids: Ids,
  command: readonly [string, ...string[]],
  attempts: readonly Attempt[],
): Promise<ProbeReport> {
  const output = await new Deno.Command(command[0], {
    args: [...command.slice(1), JSON.stringify(attempts)],
    clearEnv: true,
    cwd: "/",
    ...(Deno.uid() === 0 ? ids : {}),
  }).output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((octets) => new TextDecoder().decode(octets));
  if (!output.success) throw new Error(`the probe failed: ${stderr}`);
  const report = JSON.parse(stdout!) as ProbeReport;
  if (report.results.length !== attempts.length) throw new Error(`the probe ended early: ${stderr}`);
  return report;
}
