/**
 * The plug-ins of one section, one after the other: what each says decides whether the next one runs, and may change the
 * variables that it finds (qmail-spp's interface). What the lines mean for the client is the policy's business.
 * @module
 */
import type { Hook } from "../lib/hooks/plugins_file.ts";
import type { PluginAnswer, PluginStage } from "../lib/policy/oracles.ts";
import type { Environment } from "../lib/tcprules/tcp_rules.ts";
import type { Checked, CheckEnd } from "./programs.ts";

/** Lines of a section that are passed on, and octets of one: a reply or a header field, with its letter. */
const [mostLines, longestLine] = [200, 1100];

export type RunPlugin = (hook: Hook, environment: Environment) => Promise<Checked>;

/** Runs them. `lines` of the answer end with the command that ended the section, if one did. */
export async function runPlugins(
  hooks: readonly Hook[],
  stage: PluginStage,
  environment: Environment,
  run: RunPlugin,
): Promise<PluginAnswer> {
  const lines: string[] = [];
  let variables = environment;
  for (const hook of hooks) {
    const { end, output } = await run(hook, variables);
    const failed = failureOf(end);
    if (failed !== undefined) return { kind: "failure", detail: `${nameOf(hook)}: ${failed}` };
    for (const line of linesOf(output)) {
      if (lines.length === mostLines) return { kind: "failure", detail: `${nameOf(hook)}: too many lines` };
      lines.push(line);
      if (endsSection(line)) return { kind: "lines", lines };
      variables = changed(variables, line, stage);
    }
  }
  return { kind: "lines", lines };
}

/** Whole lines and what follows the last. What they may hold is for whoever reads them. */
function linesOf(output: string): string[] {
  return output.split("\n").map((line) => line.replace(/\r$/, "").slice(0, longestLine)).filter((line) => line !== "");
}

/** Whether plug-ins that follow in the section are skipped: accepted (A, O, N), or the end of the command (D, E, R). */
export function endsSection(line: string): boolean {
  return /^[AONDER]/.test(line);
}

/** The variables that the plug-in after one that said `line` finds. */
export function changed(environment: Environment, line: string, stage: PluginStage): Environment {
  const text = line.slice(1);
  const equals = text.indexOf("=");
  const address = addressVariables.get(stage);
  if (line.startsWith("S") && equals > 0) {
    return new Map([...environment, [text.slice(0, equals), text.slice(equals + 1)]]);
  }
  if (line.startsWith("C") && address !== undefined) return new Map([...environment, [address, text]]);
  if (line.startsWith("U")) return new Map([...environment].filter(([name]) => name !== text));
  return environment;
}

/** What C replaces. */
const addressVariables: ReadonlyMap<PluginStage, string> = new Map([["mail", "SMTPMAILFROM"], ["rcpt", "SMTPRCPTTO"]]);

/** A command of /bin/sh has its first word as name: what follows is nobody else's to read. */
function nameOf(hook: Hook): string {
  const text = "program" in hook ? hook.program : hook.command.trim().split(/\s/, 1)[0]!;
  return text.replace(/[^\x21-\x7e]/g, "?").slice(0, 100);
}

/** Why a program's answer is none; undefined where it is one, whatever its exit code (qmail-spp's interface). */
export function failureOf(end: CheckEnd): string | undefined {
  switch (end.kind) {
    case "exited":
      return end.code === cannotRun ? "cannot be run" : undefined;
    case "crashed":
      return "crashed";
    case "timeout":
      return "took too long";
    case "flood":
      return "said too much";
    case "busy":
      return "too many of them run";
    case "unstarted":
      return "cannot be run";
  }
}

/** The code of a script without a program. */
export const cannotRun = 120;
