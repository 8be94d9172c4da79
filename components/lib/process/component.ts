/**
 * What every long-running component's main.ts shares: command line, signals, the line that says it is ready, the sign
 * of life, and exit codes (0 done, 100 permanent, 111 try again, also for every surprise).
 *
 * Standard output speaks to the supervisor, one JSON object a line: `{"event":"ready","ports":{…}}` once, then
 * `{"event":"alive","rss":…}` every few seconds, `{"event":"needs","socket":…}` where it wants to connect to a component
 * that may be asleep, and `{"event":"idle"}` when it ends because nobody needs it. Standard input tells of the supervisor's death: with `--supervised`,
 * its end means stop. Standard error is the log.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Home } from "../../../config/home.ts";
import { describeError, flushLog, log, logJson } from "../log/log.ts";
import { idleMs, letGo } from "../wire/idle.ts";
import { tellNeedsTo } from "../wire/needs.ts";
import { homeOptions, parseHomeArgs } from "./home_args.ts";

/** What a running component offers to its main. */
export interface Running {
  /** Said with "ready": the ports it listens on, by a name for each. */
  readonly ports?: Readonly<Record<string, number>>;
  /** Ends in order: finish what is under way, take nothing new. Called once. */
  stop(): Promise<void>;
  /** SIGUSR2: ends in order beside a successor that is ready, and has more time for it. Called once, instead of `stop`. */
  handOver?(): Promise<void>;
  /** SIGHUP: read the control files again. Answers what is wrong with them; the old values stay then. */
  reload?(): readonly string[];
  /** SIGALRM (qmail-send: every message is due). */
  alarm?(): void;
  /** Whether it remembers something that its end would lose: one that runs on demand stays then. */
  remembers?(): boolean;
}

export interface Start {
  readonly home: Home;
  readonly portOffset: number;
  /** Ends the component as SIGTERM would. */
  readonly requestStop: () => void;
  /** `--successor`: another process does the same work until this one is ready. */
  readonly successor?: boolean;
}

/** A start that cannot succeed until an operator acts: logged as it is, exit 100. */
export class CannotStart extends Error {
  override name = "CannotStart";
}

const aliveMs = 5000;
const encoder = new TextEncoder();

/** Tells the supervisor, one JSON object a line. */
export function tell(event: object): void {
  try {
    Deno.stdout.writeSync(encoder.encode(JSON.stringify(event) + "\n"));
  } catch {
    // The supervisor is gone; standard input says so too.
  }
}

export interface ComponentOptions {
  /** It reads its standard input itself, and asks for its stop at the end of it. */
  readonly ownInput?: boolean;
}

/** Runs a component until a signal or the supervisor's end stops it. Never returns. */
export async function runComponent(
  name: string,
  run: (start: Start) => Running | Promise<Running>,
  { ownInput = false }: ComponentOptions = {},
): Promise<never> {
  const args = parseArgs(Deno.args, {
    string: [...homeOptions, "port-offset", "idle"],
    boolean: ["supervised", "json", "successor"],
  });
  if (args["json"] === true) logJson();
  if (args["supervised"] === true) tellNeedsTo((socket) => tell({ event: "needs", socket }));
  // What it said just before should be heard.
  for (const end of ["error", "unhandledrejection"]) globalThis.addEventListener(end, flushLog);
  const stopAsked = Promise.withResolvers<void>();
  try {
    const running = await run({
      home: parseHomeArgs(args),
      portOffset: Number(args["port-offset"] ?? 0),
      requestStop: stopAsked.resolve,
      successor: args["successor"] === true,
    });
    const idleLimitMs = args["idle"] === undefined ? Infinity : Number(args["idle"]) * 1000;
    const waits = { supervised: args["supervised"] === true, ownInput, idleLimitMs };
    const how = await untilStopped(name, running, waits, stopAsked.promise);
    if (how === "hand over" && running.handOver !== undefined) await running.handOver();
    else await running.stop();
    return exit(0);
  } catch (error) {
    log(`alert: ${name}: ${describeError(error)}`);
    return exit(error instanceof CannotStart ? 100 : 111);
  }
}

function exit(code: number): never {
  flushLog();
  Deno.exit(code);
}

interface Waits {
  readonly supervised: boolean;
  readonly ownInput: boolean;
  /** Ends when nobody has asked for so long (`--idle SECONDS`). */
  readonly idleLimitMs: number;
}

function untilStopped(
  name: string,
  running: Running,
  { supervised, ownInput, idleLimitMs }: Waits,
  stopAsked: Promise<void>,
): Promise<"stop" | "hand over"> {
  return new Promise((resolve) => {
    const alive = () => {
      tell({ event: "alive", rss: Deno.memoryUsage().rss });
      if (idleMs() >= idleLimitMs && running.remembers?.() !== true) void endIfLetGo();
    };
    const timer = setInterval(alive, Math.min(aliveMs, idleLimitMs));
    const stop = () => {
      clearInterval(timer);
      resolve("stop");
    };
    const endIfLetGo = async () => {
      if (!await letGo()) return;
      tell({ event: "idle" });
      stop();
    };
    // Signs of life go on.
    Deno.addSignalListener("SIGUSR2", () => resolve("hand over"));
    Deno.addSignalListener("SIGTERM", stop);
    // A terminal sends Ctrl-C to the whole group; under a supervisor its SIGTERM comes in the right order.
    Deno.addSignalListener("SIGINT", supervised ? () => {} : stop);
    Deno.addSignalListener("SIGHUP", () => {
      for (const defect of running.reload?.() ?? []) log(`alert: ${name}: ${defect}; keeping the old values`);
    });
    Deno.addSignalListener("SIGALRM", () => running.alarm?.());
    if (supervised && !ownInput) void endOfInput().then(stop);
    void stopAsked.then(stop);
    tell({ event: "ready", ports: running.ports ?? {} });
    alive();
  });
}

async function endOfInput(): Promise<void> {
  const buffer = new Uint8Array(64);
  while (await Deno.stdin.read(buffer).catch(() => null) !== null);
}
