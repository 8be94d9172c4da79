/**
 * The whole of dqmail for a system test: `deno task start` as a child, in a temporary home, on ports the system chooses.
 *
 * ```ts
 * await using system = await startSystem({ controls: { databytes: "1000\n" } });
 * await sendMail(system.ports["smtp"]!, { from: "amy@example.org", to: ["demo@localhost"], content });
 * await system.waitForLog((line) => line.includes("success"));
 * ```
 *
 * What was said is kept in `log`; an error of this module shows it.
 * @module
 */
import { crc32 } from "node:zlib";
import { dirname, fromFileUrl, join } from "@std/path";
import { type Home, homeAt } from "../../config/home.ts";
import {
  type ComponentStatus,
  parseSupervisorStatus,
  type SupervisorStatus,
} from "../../components/lib/wire/status_protocol.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { askStatus, askSupervisor } from "../../scripts/ask.ts";
import { selfSignedCertificate } from "../../scripts/home/self_signed.ts";
import { LogLines } from "./log_lines.ts";
import { waitFor, within } from "./wait.ts";

/** The checkout these tests belong to. */
export const checkout = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

/** Whom root starts the system as, and from where that user can run it. */
export interface OtherUser {
  readonly uid: number;
  readonly gid: number;
  readonly deno: string;
  readonly denoDir: string;
  readonly checkout: string;
}

export interface SystemOptions {
  /** Control files by name; they go over {@link defaultControls}. `undefined`: without that file. */
  readonly controls?: Readonly<Record<string, string | undefined>>;
  /** Records every permission check in `system.auditDir`. */
  readonly audit?: boolean;
  /** With a self-signed certificate for localhost in control/servercert.pem. */
  readonly tls?: boolean;
  readonly portOffset?: number;
  readonly user?: OtherUser;
  /** What is to be in the home before its first start, beside the control files. */
  readonly prepare?: (home: Home) => void;
}

/**
 * Loopback only, free ports, no name server that answers; without MTA-STS, the admin page and the log's files, which few
 * tests look at: those name them ({@link withPages}).
 */
export const defaultControls: Readonly<Record<string, string>> = {
  me: "localhost\n",
  rcpthosts: "localhost\n",
  relayclients: "127.0.0.0/8\n::1\n",
  listeners: "smtp 127.0.0.1:0\n",
  logfiles: "0\n",
  mtasts: "0\n",
  nameservers: "127.0.0.1:1\n",
};

/** The admin page, and what it asks. */
export const withPages: Readonly<Record<string, string | undefined>> = {
  listeners: "smtp 127.0.0.1:0\nadmin 127.0.0.1:0\n",
  logfiles: undefined,
};

/** The time in front of the supervisor's lines. */
const stamp = /^\d{4}-\d\d-\d\dT[0-9:.]+Z /;

const startMs = 30_000;
const stopMs = 15_000;

/** Systems that run, so that none outlives the tests, however those end. */
const running = new Set<System>();

function killAllRunning(): void {
  for (const system of running) system.killGroup();
}

function endWithTests(): void {
  globalThis.addEventListener("unload", killAllRunning);
  // A terminal's Ctrl-C does not reach the children: they are a group of their own, to be killed at once.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      killAllRunning();
      Deno.exit(130);
    });
  }
}
let watched = false;

/** A temporary folder with a short path, which every user may enter. */
export function makeBaseDir(): string {
  const dir = Deno.makeTempDirSync({ dir: "/tmp", prefix: "dq-" });
  Deno.chmodSync(dir, 0o755);
  return dir;
}

/** What all systems of this checkout run from; it stays, and is made anew when the code has changed. */
const stagedDir = `/tmp/dq-staged-${Deno.uid()}-${crc32(checkout).toString(16)}`;

export class System implements AsyncDisposable {
  /** Holds the home and what else a test wants to have removed with it. */
  readonly baseDir = makeBaseDir();
  readonly home: Home = homeAt(join(this.baseDir, "h"));
  readonly auditDir = join(this.baseDir, "audit");
  readonly log = new LogLines();
  readonly #options: SystemOptions;
  #process: Deno.ChildProcess | undefined;
  #ports: Readonly<Record<string, number>> = {};

  constructor(options: SystemOptions) {
    this.#options = options;
    Deno.mkdirSync(this.home.control(""), { recursive: true });
    Deno.mkdirSync(this.auditDir);
    Deno.chmodSync(this.auditDir, 0o777);
    const controls = { ...defaultControls, ...options.controls };
    for (const [file, text] of Object.entries(controls)) {
      if (text !== undefined) this.writeControl(file, text);
    }
    options.prepare?.(this.home);
    const { user } = options;
    if (user !== undefined) {
      for (const dir of [this.home.dir, this.home.control("")]) Deno.chownSync(dir, user.uid, user.gid);
    }
  }

  /** Process id of `deno task start`. */
  get pid(): number {
    return this.#process!.pid;
  }

  /** By service name, as the components last reported them: "smtp", "smtp2", "admin". */
  get ports(): Readonly<Record<string, number>> {
    return this.#ports;
  }

  writeControl(file: string, text: string): void {
    Deno.writeTextFileSync(this.home.control(file), text);
  }

  /** Starts it; once more, after {@link killAll} or {@link end}. Settles when every component is ready. */
  async start(): Promise<void> {
    const before = this.log.length;
    const child = this.#spawn();
    this.#process = child;
    running.add(this);
    const ended = child.status.then((status) => {
      running.delete(this);
      throw new Error(`the start ended with code ${status.code}`);
    });
    ended.catch(() => {});
    try {
      await Promise.race([this.waitForLog((line) => line.startsWith("Ctrl-C stops it"), startMs, before), ended]);
      await this.waitUntilReady();
    } catch (error) {
      this.killGroup();
      throw new Error(`${error instanceof Error ? error.message : error}; it said:\n${this.log.text(before)}`);
    }
  }

  #spawn(): Deno.ChildProcess {
    const { user, audit, portOffset } = this.#options;
    const code = user?.checkout ?? checkout;
    const child = new Deno.Command(user?.deno ?? Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--allow-all", "--config", join(code, "deno.json"), join(code, "scripts", "start.ts")],
        ...["--home", this.home.dir, ...(audit === true ? ["--audit", this.auditDir] : [])],
        // Copies of the code and links to the packages for each system would be most of what these tests take.
        ...(user === undefined ? ["--staged", stagedDir] : []),
        ...(portOffset === undefined ? [] : ["--port-offset", String(portOffset)]),
      ],
      cwd: code,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
      ...(user === undefined ? {} : {
        uid: user.uid,
        gid: user.gid,
        clearEnv: true,
        env: { PATH: "/usr/bin:/bin", HOME: this.home.dir, DENO_DIR: user.denoDir, DENO_NO_UPDATE_CHECK: "1" },
      }),
    }).spawn();
    for (const stream of [child.stdout, child.stderr]) {
      eachLine(stream, (line) => this.log.add(line.replace(stamp, ""))).catch((error) =>
        this.log.add(`(log ended: ${error})`)
      );
    }
    return child;
  }

  /** Asks the supervisor's open status socket. */
  async status(): Promise<SupervisorStatus> {
    const status = await askStatus(this.home, "supervisor-status", parseSupervisorStatus);
    this.#ports = Object.assign({}, ...status.components.map((component) => component.ports));
    return status;
  }

  /** One component's status; throws where the supervisor knows none of the name. */
  async component(name: string): Promise<ComponentStatus> {
    const found = (await this.status()).components.find((component) => component.name === name);
    if (found === undefined) throw new Error(`no ${name} in the status`);
    return found;
  }

  /** Waits until every component is up, after a reload or a component's end. */
  async waitUntilReady(timeoutMs = 20_000): Promise<SupervisorStatus> {
    return await waitFor(
      async () => {
        const status = await this.status().catch(() => undefined);
        return status?.ready === true && status;
      },
      "all components to be ready",
      timeoutMs,
    );
  }

  /** As `deno task reload`; answers what is wrong with the control files. */
  async reload(): Promise<readonly string[]> {
    return (await askSupervisor(this.home, { op: "reload" }))["defects"] as readonly string[];
  }

  /** Sends a signal to a component, or to "supervisor". */
  async signal(name: string, signal: Deno.Signal): Promise<void> {
    const pid = name === "supervisor" ? (await this.status()).pid : (await this.component(name)).pid;
    if (pid === undefined) throw new Error(`${name} does not run`);
    Deno.kill(pid, signal);
  }

  /** The first line from the `from`th on that `predicate` takes, be it said already or within `timeoutMs`. */
  waitForLog(predicate: (line: string) => boolean, timeoutMs = 10_000, from = 0): Promise<string> {
    return this.log.waitFor(predicate, timeoutMs, from);
  }

  /** SIGKILL to every process at one moment, as a machine's crash. The home stays: see {@link start}. */
  async killAll(): Promise<void> {
    this.killGroup();
    await this.#process?.status;
  }

  /**
   * SIGKILL to the supervisor alone. Settles when `deno task start` has ended with it; the components, whose input is at
   * its end, may still be ending. The home stays: see {@link start}.
   */
  async killSupervisor(): Promise<void> {
    await this.signal("supervisor", "SIGKILL");
    await this.#process?.status;
  }

  /** Part of {@link killAll} that cannot wait. */
  killGroup(): void {
    running.delete(this);
    if (this.#process === undefined) return;
    try {
      Deno.kill(-this.#process.pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Stops it in order, as Ctrl-C would; answers its exit code. The home stays. */
  async end(): Promise<number> {
    try {
      this.#process!.kill("SIGTERM");
    } catch {
      // It ended by itself.
    }
    return await this.ended();
  }

  /** The exit code of `deno task start`, which has been told to end, or ends by itself, within `limitMs`. */
  async ended(limitMs = stopMs): Promise<number> {
    const status = await within(this.#process!.status, limitMs, () => `the end; it said:\n${this.log.text()}`)
      .finally(() => this.killGroup());
    return status.code;
  }

  /** Stops it where it runs, and removes everything. */
  async stop(): Promise<void> {
    try {
      if (running.has(this)) await this.end();
    } finally {
      this.killGroup();
      Deno.removeSync(this.baseDir, { recursive: true });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Starts a system and waits until it is ready. A failure shows its log and leaves nothing behind. */
export async function startSystem(options: SystemOptions = {}): Promise<System> {
  if (!watched) endWithTests();
  watched = true;
  const certificate = options.tls === true
    ? { "servercert.pem": await selfSignedCertificate(["localhost"], Date.now()) }
    : {};
  const system = new System({ ...options, controls: { ...certificate, ...options.controls } });
  try {
    await system.start();
    return system;
  } catch (error) {
    await system.stop().catch(() => {});
    throw error;
  }
}
