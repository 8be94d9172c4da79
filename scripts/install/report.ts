/**
 * What an installation found and would change, in words and as data.
 * @module
 */
import type { ControlVerdict } from "./controls.ts";
import { asMachineSays } from "./place.ts";
import type { Plan } from "./plan.ts";
import type { Survey } from "./survey.ts";

/** For programs: everything that the words say. */
export interface Report {
  readonly prefix: string;
  readonly found: Survey["found"];
  readonly state: string;
  readonly refusals: readonly string[];
  readonly running: readonly string[];
  readonly controls: readonly Omit<ControlVerdict, "text">[];
  readonly queue: Omit<NonNullable<Survey["queue"]>, "findings"> & { readonly findings: readonly string[] } | null;
  readonly users: readonly string[];
  readonly alias: readonly string[];
  readonly launchers: readonly string[];
  readonly changes: readonly Change[];
  readonly notes: readonly string[];
}

export interface Change {
  readonly kind: "group" | "user" | "control" | "folders" | "programs" | "service" | "sendmail";
  readonly what: string;
  /** The command that does it, where one of the system's does. */
  readonly command?: string;
}

/** Octets of others on a line of ours. */
function harmless(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}

function changesOf(survey: Survey, plan: Plan): Change[] {
  const { place, asRoot } = survey;
  const says = (path: string) => asMachineSays(place, path);
  const prefix = says(place.prefix);
  return [
    ...plan.commands.map((words): Change => {
      const kind = words[0] === "groupadd" ? "group" : "user";
      const state = asRoot ? "made" : "missing: for root to make";
      return { kind, what: `${kind} ${words.at(-1)!} is ${state}`, command: words.join(" ") };
    }),
    ...plan.controls.map(({ file, why, text, secret }): Change => ({
      kind: "control",
      what: `${prefix}/control/${file} is written (${why})` +
        (secret !== undefined || text.length > 200 || file.endsWith(".cdb") ? "" : `: ${oneLine(text)}`),
    })),
    ...plan.queueSplit === undefined ? [] : [{
      kind: "control" as const,
      what: `${prefix}/control/queuesplit is written: ${plan.queueSplit}`,
    }],
    ...survey.users.includes("passwd") ? [] : [{
      kind: "control" as const,
      what: `${prefix}/users/passwd is made${
        survey.found === "nothing" ? " with the postmaster's mailbox" : ", empty"
      }`,
    }],
    { kind: "folders", what: `${prefix}: folders of qmail's get dqmail's modes, those that are missing are made` },
    { kind: "programs", what: `${prefix}/bin: programs of qmail's names become dqmail's; the others stay` },
    ...plan.downs.map((service): Change => ({
      kind: "service",
      what: `${says(service)}/down is made: supervise leaves it`,
    })),
    ...plan.sendmail ? [{ kind: "sendmail" as const, what: `/usr/sbin/sendmail leads to ${prefix}/bin/sendmail` }] : [],
  ];
}

/** Without comments. */
function oneLine(text: string): string {
  return harmless(text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).join(", "));
}

export function reportOf(survey: Survey, plan: Plan): Report {
  const { place, found, queue, users, alias, launchers, manifest } = survey;
  return {
    prefix: asMachineSays(place, place.prefix),
    found,
    state: manifest?.state ?? "not installed",
    refusals: plan.refusals,
    running: plan.running,
    controls: plan.verdicts.map((verdict) => {
      if (verdict.kind !== "translated") return verdict;
      const { text: _text, ...rest } = verdict;
      return rest;
    }),
    queue: queue === undefined
      ? null
      : { ...queue, findings: queue.findings.map(({ kind, path, detail }) => `${path}: ${kind}: ${detail}`) },
    users,
    alias,
    launchers: launchers.map(({ path }) => path),
    changes: changesOf(survey, plan),
    notes: plan.notes,
  };
}

const foundWords: Readonly<Record<Survey["found"], string>> = {
  nothing: "nothing is there yet",
  qmail: "a qmail is there",
  dqmail: "a dqmail is there that no install made",
};

function verdictLine(verdict: Report["controls"][number]): string {
  const { file, kind } = verdict;
  const more = "why" in verdict
    ? `: ${verdict.why}`
    : "to" in verdict
    ? ` into ${verdict.to}`
    : "note" in verdict
    ? `: ${verdict.note}`
    : "";
  return `  ${file.padEnd(20)} ${kind}${more}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0
    ? []
    : ["", title, ...lines.map((line) => harmless(line.startsWith("  ") ? line : `  ${line}`))];
}

/** Lines for a terminal. */
export function formatReport(report: Report): string {
  const { queue } = report;
  const mostFindings = 10;
  const findings = queue?.findings ?? [];
  const state = report.state === "installing" ? " (an install was interrupted: this completes it)" : "";
  return [
    `${report.prefix}: ${foundWords[report.found]}${state}`,
    ...section("Control files:", report.controls.map(verdictLine)),
    ...section("Users and aliases:", [
      ...report.users.length > 0 ? [`users/: ${report.users.join(", ")}`] : [],
      ...report.alias.length > 0 ? [`alias/: ${report.alias.join(", ")}`] : [],
    ]),
    ...section("Started by:", report.launchers),
    ...section(
      "Queue:",
      queue === null ? [] : [
        `split ${queue.split} ways; ${queue.accepted} accepted and not preprocessed, ${queue.waiting} with recipients left ` +
        `(${queue.bouncing} with failures), ${queue.unfinished} unfinished`,
        ...findings.slice(0, mostFindings),
        ...findings.length > mostFindings
          ? [`and ${findings.length - mostFindings} more: "deno task queue check"`]
          : [],
      ],
    ),
    ...section(
      "Changes:",
      report.changes.map(({ what, command }) => command === undefined ? what : `${what}: ${command}`),
    ),
    ...section("To look at:", report.notes),
    ...section("Runs, and has to be stopped first:", report.running),
    ...section("To be put right first:", report.refusals),
    "",
  ].join("\n");
}
