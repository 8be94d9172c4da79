/**
 * A whole dqmail that a command of the test's own starts: of bundles, with binaries. Else startSystem() is simpler.
 * @module
 */
import { type Home, homeAt } from "../../config/home.ts";
import { type ComponentStatus, parseSupervisorStatus } from "../../components/lib/wire/status_protocol.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { askStatus } from "../../scripts/ask.ts";
import { LogLines } from "./log_lines.ts";
import { within } from "./wait.ts";

export interface StartedOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The home it is told of. */
  readonly home: string;
  readonly controls: Readonly<Record<string, string | undefined>>;
}

export class Started implements AsyncDisposable {
  readonly home: Home;
  readonly log = new LogLines();
  readonly #child: Deno.ChildProcess;

  private constructor({ command: [program, ...args], env, cwd, home, controls }: StartedOptions) {
    this.home = homeAt(home);
    Deno.mkdirSync(this.home.control(""), { recursive: true });
    for (const [file, text] of Object.entries(controls)) {
      if (text !== undefined) Deno.writeTextFileSync(this.home.control(file), text);
    }
    this.#child = new Deno.Command(program!, {
      args,
      cwd,
      clearEnv: true,
      env: { ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      void eachLine(stream, (line) => this.log.add(line)).catch(() => {});
    }
  }

  /** Settles when every component is ready; an error shows what was said. */
  static async start(options: StartedOptions): Promise<Started> {
    const started = new Started(options);
    const ended = started.#child.status.then(({ code }) => {
      throw new Error(`the start ended with code ${code}`);
    });
    ended.catch(() => {});
    try {
      await Promise.race([started.log.waitFor((line) => line.startsWith("Ctrl-C stops it"), 30_000, 0), ended]);
      return started;
    } catch (error) {
      started.#kill();
      throw new Error(`${error}; it said:\n${started.log.text(0)}`);
    }
  }

  /** One component's status; throws where there is none of the name. */
  async component(name: string): Promise<ComponentStatus> {
    const { components } = await askStatus(this.home, "supervisor-status", parseSupervisorStatus);
    const found = components.find((component) => component.name === name);
    if (found === undefined) throw new Error(`no ${name} in the status`);
    return found;
  }

  #kill(): void {
    try {
      Deno.kill(-this.#child.pid, "SIGKILL");
    } catch (error) {
      // All of it has ended.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Stops it in order; the home stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      Deno.kill(this.#child.pid, "SIGTERM");
      await within(this.#child.status, 15_000, () => `the end; it said:\n${this.log.text(0)}`);
    } finally {
      this.#kill();
    }
  }
}
