/**
 * Runs the operator's programs through their scripts (script.ts): what they say kept up to a limit, an end to each of
 * them, so many at once and no more.
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Home } from "../../config/home.ts";
import { describeError } from "../lib/log/log.ts";
import type { Hook } from "../lib/hooks/plugins_file.ts";
import { keep } from "../lib/process/kept_output.ts";
import { endOf, type ProgramEnd } from "../lib/process/program_end.ts";
import { Slots } from "../lib/process/slots.ts";
import type { Environment } from "../lib/tcprules/tcp_rules.ts";
import { hookWords, type Mode, scriptPath } from "./script.ts";

export interface Limits {
  /** Of a program that is asked something. */
  readonly checkMs: number;
  /** Of one that queues, from the envelope to its end. */
  readonly queueMs: number;
  /** So long one that queues may take for a piece of the message. */
  readonly pieceMs: number;
  /** Octets of output; who says more is ended. */
  readonly outputBytes: number;
  /** Programs that are asked something at once, and requests that wait for that. */
  readonly checks: number;
  readonly waiting: number;
  /** Programs that queue at once. */
  readonly queues: number;
}

export const usualLimits: Limits = {
  checkMs: 30_000,
  // A client waits ten minutes for the answer to its message (RFC 5321 §4.5.3.2.6).
  queueMs: 300_000,
  pieceMs: 60_000,
  outputBytes: 64 * 1024,
  checks: 40,
  waiting: 1000,
  queues: 40,
};

/** A day of processor time: the clock decides, not this. */
const cpuSeconds = 86_400;
/** So long a script that was told to end may take. */
const killMs = 2000;
/** Octets that are kept of what a program says on its standard error. */
const mostSaid = 4096;

/** `flood`: it said too much. `unstarted`: there is no such program, or no right to run it. `busy`: too many wait. */
export type CheckEnd =
  | ProgramEnd
  | { readonly kind: "flood" }
  | { readonly kind: "busy" }
  | { readonly kind: "unstarted"; readonly reason: string };

export interface Checked {
  readonly end: CheckEnd;
  /** Octet strings. */
  readonly output: string;
  readonly said: string;
}

export class Programs {
  readonly #home: Home;
  readonly #slots: Slots;
  readonly #running = new Set<ChildProcess>();
  readonly limits: Limits;

  constructor(home: Home, limits: Limits = usualLimits) {
    this.#home = home;
    this.limits = limits;
    this.#slots = new Slots(limits.checks, limits.waiting);
  }

  /** Runs one that is asked something. Never rejects. */
  async check(hook: Hook, environment: Environment): Promise<Checked> {
    const checked = await this.#slots.runUnlessFull(() => this.#check(hook, environment));
    return checked ?? { end: { kind: "busy" }, output: "", said: "" };
  }

  /** Starts one that queues. Throws what the system says. */
  startQueue(hook: Hook, environment: Environment): ChildProcess {
    return this.#start(hook, "queue", environment, ["pipe", "ignore", "pipe", "pipe", "pipe"]);
  }

  /** Ends those that run: nobody waits for them any more. */
  endAll(): void {
    for (const child of this.#running) endChild(child);
  }

  async #check(hook: Hook, environment: Environment): Promise<Checked> {
    let child: ChildProcess;
    try {
      child = this.#start(hook, "check", environment, ["ignore", "pipe", "pipe"]);
    } catch (error) {
      return { end: { kind: "unstarted", reason: describeError(error) }, output: "", said: "" };
    }
    let cut: "timeout" | "flood" | undefined;
    const cutShort = (why: "timeout" | "flood") => {
      cut ??= why;
      endChild(child);
    };
    const limit = setTimeout(() => cutShort("timeout"), this.limits.checkMs);
    const output = keep(child.stdout!, this.limits.outputBytes, () => cutShort("flood"));
    const said = keep(child.stderr!, mostSaid);
    try {
      const status = await exitOf(child);
      const end: CheckEnd = cut === "flood" ? { kind: "flood" } : endOf(status, cut === "timeout");
      return { end, output: await output.text(), said: await said.text() };
    } catch (error) {
      return { end: { kind: "unstarted", reason: describeError(error) }, output: "", said: "" };
    } finally {
      clearTimeout(limit);
    }
  }

  #start(hook: Hook, mode: Mode, environment: Environment, stdio: ("pipe" | "ignore")[]): ChildProcess {
    const child = spawn(scriptPath(hook, this.#home), hookWords(Deno.pid, cpuSeconds, mode, environment), {
      cwd: this.#home.dir,
      env: {},
      // Its own group: who kills ours still leaves it the time to end what it started.
      detached: true,
      stdio,
    });
    this.#running.add(child);
    for (const event of ["exit", "error"]) child.on(event, () => this.#running.delete(child));
    return child;
  }
}

/** Has the script end the program, with all it started; where it does not, at least the script. */
export function endChild(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), killMs);
  child.on("exit", () => clearTimeout(timer));
}

function exitOf(child: ChildProcess): Promise<{ readonly code: number; readonly signal: string | null }> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve({ code: code ?? 0, signal }));
  });
}
