/**
 * A qmail-qmtpd or qmail-qmqpd under its real flags between a fake qmail-queue and a fake qmail-getpw, in a temporary home.
 * @module
 */
import { join } from "@std/path";
import { flagsOf } from "../../components/lib/permissions/grant.ts";
import type { UnixServer } from "../../components/lib/wire/server.ts";
import { manifest as qmqpd } from "../../components/qmail-qmqpd/permissions.ts";
import { manifest as qmtpd } from "../../components/qmail-qmtpd/permissions.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import type { Home } from "../../config/home.ts";
import { readControls } from "../../config/read.ts";
import { type ControlFile, type Controls, schema } from "../../config/schema.ts";
import { FakeQueue } from "../qmail-smtpd/fake_queue.ts";
import { type ControlTexts, makeHome, root, serveGetpw } from "../qmail-smtpd/world.ts";
import { LogLines } from "../support/log_lines.ts";
import { within } from "../support/wait.ts";
import type { Protocol } from "./table.ts";

const limitMs = 20_000;

export interface ProcessOptions {
  readonly controls?: ControlTexts;
  /** More flags of deno. */
  readonly flags?: readonly string[];
}

export class ProcessWorld implements AsyncDisposable {
  readonly log = new LogLines();
  readonly #getpw: UnixServer;
  readonly child: Deno.ChildProcess;
  ports: Readonly<Record<string, number>> = {};

  private constructor(readonly home: Home, readonly queue: FakeQueue, command: readonly string[]) {
    this.#getpw = serveGetpw(home);
    this.child = new Deno.Command(Deno.execPath(), {
      args: [...command],
      cwd: root,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    void eachLine(this.child.stderr, (line) => this.log.add(line));
  }

  static async start(protocol: Protocol, { controls = {}, flags = [] }: ProcessOptions = {}): Promise<ProcessWorld> {
    const { home } = makeHome({ listeners: `${protocol} 127.0.0.1:0\n`, ...controls });
    const read = readControls(home, Object.keys(schema) as ControlFile[]);
    if (!read.ok) throw new Error(read.error.join("; "));
    const { name, permissions } = protocol === "qmtp" ? qmtpd : qmqpd;
    const grant = permissions({ home, portOffset: 0, controls: read.value as Controls, nameservers: [] });
    const main = join(root, "components", name, "main.ts");
    const command = [
      "run",
      "--no-prompt",
      "--cached-only",
      ...flags,
      ...flagsOf(grant, home),
      main,
      "--home",
      home.dir,
    ];
    const world = new ProcessWorld(home, new FakeQueue(home), command);
    try {
      await within(world.#untilReady(), limitMs, () => `${name} to be ready: ${world.log.text()}`);
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #untilReady(): Promise<void> {
    const ready = Promise.withResolvers<void>();
    void eachLine(this.child.stdout, (line) => {
      const event = JSON.parse(line);
      if (event.event !== "ready") return;
      this.ports = event.ports;
      ready.resolve();
    }).then(() => ready.reject(new Error(`it ended: ${this.log.text()}`)));
    await ready.promise;
  }

  get port(): number {
    return Object.values(this.ports)[0]!;
  }

  connect(hostname = "127.0.0.1"): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname, port: this.port });
  }

  /** Largest resident set of the process so far, in bytes. */
  rss(): number {
    const status = Deno.readTextFileSync(`/proc/${this.child.pid}/status`);
    return Number(/VmHWM:\s*([0-9]+) kB/.exec(status)?.[1]) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    await this.child.status;
    this.queue.stop();
    this.#getpw.stop();
    this.#getpw.closeAll();
    Deno.removeSync(this.home.dir, { recursive: true });
  }
}
