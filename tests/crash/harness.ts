/**
 * The crash harness: one whole system under load, SIGKILL upon SIGKILL, and every few hundred of them a stop, a look at
 * the queue, a drain, and the oracle.
 *
 * The seed fixes whom the kills hit, the pauses between them, and each message. It cannot fix when the processes come to
 * which instruction, so a run that found something may find nothing when it is repeated: what was found is kept.
 * @module
 */
import { checkQueue } from "../../components/lib/queue/look.ts";
import { manifests } from "../../config/manifests.ts";
import { messageFiles } from "../support/queue_files.ts";
import { sendStatus } from "../support/retry.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";
import { type Step, steps } from "./chaos.ts";
import { Choices } from "./choices.ts";
import { emptyMaildirs, OtherHost, readMaildirs } from "./collect.ts";
import { Killer } from "./killer.ts";
import { Load, remoteDomain } from "./load.ts";
import { linesAbout, oddities } from "./log.ts";
import { judge, type Verdict } from "./oracle.ts";
import type { Report, Totals } from "./report.ts";

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  /** Kills between two checks. */
  readonly every: number;
  /** Components that are killed, and nothing else is; `undefined`: all, and the supervisor. */
  readonly only?: readonly string[] | undefined;
  /** Leaves the home where it is; it stays in any case when something was found. */
  readonly keep: boolean;
  readonly print: (line: string) => void;
}

/** What can be killed alone. */
export const killable: readonly string[] = manifests.map(({ name }) => name).filter((name) => name !== "supervisor");

const connections = 12;
/** So long may the queue grow: more would only make the drain longer. */
const mostQueued = 300;
const drainMs = 180_000;
/** What a kill may leave in the queue, and what nobody minds: the next start removes it. */
const explained: readonly string[] = ["unborn", "no-envelope", "leftover-intd"];

/**
 * A port that is free now, to be the same before and after every crash. Below those the kernel hands out: a client could
 * get the port of a server that is away, even for a connection to itself.
 */
function lastingPort(): number {
  for (let port = 20_000 + Deno.pid % 10_000;; port++) {
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Adds the lines in memory to the log beside the home. */
function saveLog({ baseDir, log }: System): void {
  Deno.writeTextFileSync(`${baseDir}/log`, log.lines().map((line) => `${line}\n`).join(""), { append: true });
}

/** Runs it. Rejects only where it could not go on; the system's home is kept then, too. */
export async function run(options: CrashOptions): Promise<Report> {
  await using otherHost = await OtherHost.start();
  const port = lastingPort();
  const system = await startSystem({
    controls: {
      listeners: `smtp 127.0.0.1:${port}\nadmin 127.0.0.1:0\n`,
      smtproutes: `${remoteDomain}:127.0.0.1:${otherHost.port}\n`,
    },
  });
  const crash = new CrashRun(options, system, otherHost, port);
  let whole = false;
  try {
    await crash.run();
    whole = crash.findings.length === 0;
  } catch (error) {
    crash.findings.push(`the run could not go on: ${error instanceof Error ? error.stack : error}`);
  } finally {
    crash.load.abandon();
    if (whole && !options.keep) await system.stop();
    else {
      system.killGroup();
      saveLog(system);
    }
  }
  return { totals: crash.totals, findings: crash.findings, kept: whole && !options.keep ? undefined : system.baseDir };
}

class CrashRun {
  readonly findings: string[] = [];
  readonly load: Load;
  readonly totals: Totals;
  readonly #options: CrashOptions;
  readonly #system: System;
  readonly #otherHost: OtherHost;
  readonly #killer: Killer;
  readonly #steps: Iterator<Step, never>;
  /** So much longer are the pauses when few components are killed: each lives as long as among all. */
  readonly #slowness: number;
  readonly #startMs = Date.now();
  #checks = 0;

  constructor(options: CrashOptions, system: System, otherHost: OtherHost, port: number) {
    this.#options = options;
    this.#system = system;
    this.#otherHost = otherHost;
    this.#killer = new Killer(system);
    this.load = new Load({ seed: options.seed, port, connections });
    const victims = options.only ?? killable;
    this.#steps = steps(new Choices(options.seed), victims, { othersLive: options.only !== undefined });
    this.#slowness = killable.length / victims.length;
    this.totals = {
      kills: this.#killer.kills,
      ...{ accepted: 0, unknown: 0, arrivedAnyway: 0, refused: 0, deliveries: 0, duplicates: 0, bounces: 0, lost: 0 },
      ...{ begun: 0, garbage: new Map(), oddities: new Map(), seconds: 0 },
    };
  }

  async run(): Promise<void> {
    const { kills, every } = this.#options;
    while (this.#killer.total < kills && this.findings.length === 0) {
      if (this.#checks > 0) await this.#system.start();
      this.load.start();
      const goal = Math.min(kills, this.#killer.total + every);
      while (this.#killer.total < goal) await this.#step();
      await this.load.stop();
      await this.#check();
    }
  }

  async #step(): Promise<void> {
    const { delayMs, blow } = this.#steps.next().value;
    await new Promise((resolve) => setTimeout(resolve, delayMs * this.#slowness));
    await this.#killer.strike(blow);
    // While qmail-send is away nobody knows.
    const queued = await sendStatus(this.#system).then(({ messages }) => messages, () => undefined);
    if (queued !== undefined) this.load.hold(queued > mostQueued);
  }

  /** The load is stopped: is everything where it belongs? */
  async #check(): Promise<void> {
    this.#checks++;
    await this.#stop();
    const garbage = await this.#checkQueue();
    for (const kind of garbage) this.totals.garbage.set(kind, (this.totals.garbage.get(kind) ?? 0) + 1);
    await this.#system.start();
    await this.#drain();
    await this.#stop();
    const left = await this.#checkQueue();
    if (left.length > 0) this.findings.push(`left in the queue by a start and a stop in order: ${left.join(", ")}`);
    const verdict = judge({
      sent: this.load.sent,
      arrivals: [...readMaildirs(this.#system.home), ...this.#otherHost.arrivals],
      disturbancesMs: this.#killer.disturbancesMs,
    });
    this.#count(verdict);
    const answers = new Map(this.load.sent.map(({ number, answer }) => [number, answer]));
    for (const { kind, number, recipients, detail } of verdict.findings) {
      const answer = number === undefined ? "" : answers.get(number) ?? "";
      const lines = linesAbout(recipients, answer, this.#system.log.lines());
      this.findings.push([`${kind}: message ${number}, ${recipients.join(" ")}: ${detail}`, ...lines].join("\n  "));
    }
    this.#options.print(this.#progress(verdict, garbage));
    if (this.findings.length === 0) this.#forget();
  }

  async #stop(): Promise<void> {
    this.#killer.disturbed(manifests.length);
    const code = await this.#system.end();
    if (code !== 0) this.findings.push(`a stop in order ended with code ${code}`);
    this.#killer.disturbed(manifests.length);
  }

  /** The kinds of what a kill may leave; all else is a finding. */
  async #checkQueue(): Promise<string[]> {
    const found = await checkQueue(this.#system.home, {
      writing: () => Promise.resolve(false),
      pause: () => Promise.resolve(),
    });
    for (const { kind, path, detail } of found) {
      if (!explained.includes(kind)) this.findings.push(`queue check: ${path}: ${kind}: ${detail}`);
    }
    return found.map(({ kind }) => kind).filter((kind) => explained.includes(kind));
  }

  /** Until nothing is in the queue; what was deferred is made due whenever nothing else is under way. */
  async #drain(): Promise<void> {
    const drained = async () => {
      const status = await sendStatus(this.#system);
      if (status.messages === 0) return messageFiles(this.#system.home).length === 0;
      if (status.running.local + status.running.remote === 0) await this.#system.signal("qmail-send", "SIGALRM");
      return false;
    };
    await waitFor(drained, "an empty queue", drainMs).catch((error: Error) => {
      const files = messageFiles(this.#system.home);
      this.findings.push(`${error.message}; ${files.length} files are left: ${files.slice(0, 20).join(" ")}`);
    });
  }

  #count(verdict: Verdict): void {
    const { totals } = this;
    for (const key of ["accepted", "unknown", "arrivedAnyway", "deliveries", "duplicates", "bounces"] as const) {
      totals[key] += verdict[key];
    }
    totals.refused += this.load.refused;
    totals.lost += verdict.findings.filter(({ kind }) => kind === "lost").length;
    oddities(this.#system.log.lines(), totals.oddities);
    totals.seconds = (Date.now() - this.#startMs) / 1000;
  }

  #progress(verdict: Verdict, garbage: readonly string[]): string {
    const lost = verdict.findings.filter(({ kind }) => kind === "lost").length;
    return `check ${this.#checks}: ${this.#killer.total} kills in ${Math.round(this.totals.seconds)} s; ` +
      `${verdict.accepted} accepted, ${verdict.unknown} unknown, ${this.load.refused} refused; ` +
      `${verdict.deliveries} deliveries, ${verdict.bounces} bounces, ${verdict.duplicates} duplicates, ${lost} lost` +
      (garbage.length === 0 ? "" : `; garbage that was removed: ${garbage.join(" ")}`) +
      (this.findings.length === 0 ? "" : `; ${this.findings.length} FINDINGS`);
  }

  /** All of it is verified, and none of it is kept: a long run takes no more room than a short one. */
  #forget(): void {
    this.totals.begun += emptyMaildirs(this.#system.home);
    this.load.forget();
    this.#otherHost.forget();
    this.#killer.forget();
    if (this.#options.keep) saveLog(this.#system);
    this.#system.log.drop();
  }
}
