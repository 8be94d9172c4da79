/**
 * One component under the supervisor: its process, what it said, and its next start.
 * @module
 */
import { flushLog, logEvent, relayLines } from "../lib/log/log.ts";
import type { Ids } from "../lib/permissions/grant.ts";
import type { ComponentStatus } from "../lib/wire/status_protocol.ts";
import { eachLine, eachLines } from "./lines.ts";
import type { LogFeed } from "./log_feed.ts";
import { quickDeathsAfter, restartDelayMs } from "./restart.ts";

export interface ChildOptions {
  readonly name: string;
  readonly launcher: string;
  readonly args: readonly string[];
  /** Whom to start it as; `undefined`: as the supervisor. */
  readonly ids: Ids | undefined;
  /** Its flags, for the status. */
  readonly grant: readonly string[];
  readonly onReady: () => void;
  /** It wants to connect to a socket on which nobody listens. */
  readonly onNeeds: (socket: string) => void;
  /** It is ending, for nobody has needed it for a while. */
  readonly onIdle: () => void;
  /** Whether another process does the same work until this one is ready. */
  readonly isSuccessor?: () => boolean;
  /** It keeps the log: its standard input has the lines, and its end is what stops it. */
  readonly feed?: LogFeed | undefined;
}

/** No sign of life for this long: the process is stuck, and its successor will do better. */
const silentMs = 60_000;

/** A component's log lines come this much later at the most. */
const logRestMs = 40;

export class Child {
  options: ChildOptions;
  readonly #helpers = new Map<number, { readonly name: string; readonly startedMs: number }>();
  #process: Deno.ChildProcess | undefined;
  #state: ComponentStatus["state"] = "waiting";
  #startedMs = 0;
  #restarts = -1;
  #quickDeaths = 0;
  #rssBytes = 0;
  #ports: Readonly<Record<string, number>> = {};
  #stopping = false;
  /** It is ending in order to be started again. */
  #again = false;
  /** Ends the wait for the next start. */
  #wake: () => void = () => {};
  #ended: Promise<void> = Promise.resolve();
  #watchdog: ReturnType<typeof setTimeout> | undefined;

  /** `before`: whose place it takes, and whose restarts it goes on counting. */
  constructor(options: ChildOptions, before?: Child) {
    this.options = options;
    if (before !== undefined) this.#restarts = before.#restarts;
  }

  /** Whether there is a process. */
  get runs(): boolean {
    return this.#process !== undefined;
  }

  get waits(): boolean {
    return this.#state === "waiting";
  }

  get restarts(): number {
    return Math.max(0, this.#restarts);
  }

  /** Settles when it has ended after {@link stop} or {@link handOver}. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  get ready(): boolean {
    return this.#state === "running";
  }

  get ports(): Readonly<Record<string, number>> {
    return this.#ports;
  }

  /** Starts it and keeps it up until {@link stop}. */
  start(): void {
    this.#stopping = false;
    this.#ended = this.#keepUp();
  }

  async #keepUp(): Promise<void> {
    while (!this.#stopping) {
      this.#restarts++;
      this.#startedMs = Date.now();
      const status = await this.#runOnce();
      if (this.#stopping) break;
      const ranMs = Date.now() - this.#startedMs;
      this.#quickDeaths = quickDeathsAfter(this.#quickDeaths, ranMs);
      const delayMs = restartDelayMs(this.#quickDeaths);
      logEvent("restart", {
        component: this.options.name,
        code: status.code,
        signal: status.signal ?? "none",
        ranms: ranMs,
        delayms: delayMs,
      });
      this.#state = "waiting";
      if (delayMs > 0) await this.#pause(delayMs);
    }
    this.#state = "waiting";
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #runOnce(): Promise<Deno.CommandStatus> {
    const { launcher, args, ids } = this.options;
    this.#state = "starting";
    const process = new Deno.Command(launcher, {
      args: ["--supervised", ...(this.options.isSuccessor?.() === true ? ["--successor"] : []), ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      clearEnv: true,
      cwd: "/",
      ...(ids === undefined ? {} : { uid: ids.uid, gid: ids.gid }),
    }).spawn();
    this.#process = process;
    this.options.feed?.attach(process.stdin);
    this.#watch();
    const said = eachLine(process.stdout, (line) => this.#onEvent(line));
    const logged = eachLines(process.stderr, (text) => relayLines(this.options.name, text), { restMs: logRestMs });
    const status = await process.status;
    clearTimeout(this.#watchdog);
    this.#process = undefined;
    this.options.feed?.detach();
    this.#rssBytes = 0;
    this.#helpers.clear();
    // A program it started may still hold the other end of its output; nobody waits for that.
    await Promise.race([Promise.all([said, logged]), new Promise((resolve) => setTimeout(resolve, 100))]);
    await process.stdin.close().catch(() => {});
    return status;
  }

  #watch(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      logEvent("stuck", { component: this.options.name });
      this.signal("SIGKILL");
    }, silentMs);
  }

  #onEvent(line: string): void {
    let event: Readonly<Record<string, unknown>>;
    try {
      event = JSON.parse(line);
    } catch {
      logEvent("garbage", { component: this.options.name, line });
      return;
    }
    this.#watch();
    switch (event["event"]) {
      case "ready":
        this.#state = "running";
        this.#ports = portsOf(event["ports"]);
        this.options.onReady();
        break;
      case "alive":
        this.#rssBytes = typeof event["rss"] === "number" ? event["rss"] : 0;
        break;
      case "needs":
        this.options.onNeeds(String(event["socket"]));
        break;
      case "idle":
        // It is not to be started again by itself.
        this.#stopping = true;
        this.#state = "stopping";
        this.options.onIdle();
        break;
      case "child":
        if (typeof event["pid"] === "number") {
          this.#helpers.set(event["pid"], { name: String(event["name"]), startedMs: Date.now() });
        }
        break;
      case "child ended":
        if (typeof event["pid"] === "number") this.#helpers.delete(event["pid"]);
        break;
    }
  }

  signal(signal: Deno.Signal): void {
    try {
      this.#process?.kill(signal);
    } catch {
      // It ended a moment ago.
    }
  }

  /** Asks it to end, and ends it after `limitMs`; it stays ended. */
  async stop(limitMs: number): Promise<void> {
    this.#again = false;
    await this.#end(limitMs);
  }

  /** As {@link stop}, where its successor is ready: it has more time. */
  async handOver(limitMs: number): Promise<void> {
    this.#again = false;
    await this.#end(limitMs, "SIGUSR2");
  }

  /** Ends it as {@link stop} does and starts it with the options it has then, however often that is asked for meanwhile. */
  restart(limitMs: number): void {
    if (this.#again) return;
    this.#again = true;
    void this.#end(limitMs).then(() => {
      // Unless it was stopped for good in between.
      if (!this.#again) return;
      this.#again = false;
      this.start();
    });
  }

  async #end(limitMs: number, signal: "SIGTERM" | "SIGUSR2" = "SIGTERM"): Promise<void> {
    this.#stopping = true;
    if (this.#process !== undefined) this.#state = "stopping";
    this.#wake();
    // Its own lines up to here are to be kept as well.
    if (this.options.feed !== undefined) flushLog();
    if (this.options.feed === undefined) this.signal(signal);
    else void this.options.feed.end();
    const timer = setTimeout(() => {
      logEvent("killed", { component: this.options.name, afterms: limitMs });
      this.signal("SIGKILL");
    }, limitMs);
    await this.#ended;
    clearTimeout(timer);
  }

  status(nowMs: number): ComponentStatus[] {
    const own: ComponentStatus = {
      name: this.options.name,
      pid: this.#process?.pid,
      state: this.#state,
      restarts: this.restarts,
      uptimeSeconds: this.#process === undefined ? 0 : Math.floor((nowMs - this.#startedMs) / 1000),
      rssBytes: this.#rssBytes,
      ports: this.#ports,
      uid: this.options.ids?.uid,
      grant: this.options.grant,
    };
    const helpers = Array.from(this.#helpers, ([pid, helper]): ComponentStatus => ({
      name: helper.name,
      pid,
      state: "on demand",
      restarts: 0,
      uptimeSeconds: Math.floor((nowMs - helper.startedMs) / 1000),
      rssBytes: 0,
      ports: {},
      uid: undefined,
      grant: [],
    }));
    return [own, ...helpers];
  }
}

function portsOf(value: unknown): Readonly<Record<string, number>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
}
