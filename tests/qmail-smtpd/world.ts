/**
 * A qmail-smtpd under its real flags between a fake qmail-queue and a fake qmail-getpw, in a temporary home.
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { manifest } from "../../components/qmail-smtpd/permissions.ts";
import { flagsOf } from "../../components/lib/permissions/grant.ts";
import { type GetpwReply, parseGetpwRequest } from "../../components/lib/wire/getpw_protocol.ts";
import { serveUnix, type UnixServer } from "../../components/lib/wire/server.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { readControlsOf } from "../../config/read.ts";
import type { Controls } from "../../config/schema.ts";
import { FakeQueue } from "./fake_queue.ts";
import { SmtpClient } from "./smtp_client.ts";
import { compilePolicy } from "../../components/lib/policy/compile.ts";
import type { Policy } from "../../components/lib/policy/decision.ts";
import { policyOf } from "../../components/lib/policy/policy.ts";
import { oraclesOf } from "../lib/policy/questions.ts";

export const root = fromFileUrl(new URL("../../", import.meta.url));

/** Control files by name, over those below. */
export type ControlTexts = Readonly<Record<string, string>>;

const controlTexts: ControlTexts = {
  me: "mx.example.com\n",
  listeners: "smtp 127.0.0.1:0\nadmin 127.0.0.1:1\n",
  rcpthosts: "example.com\n.sub.example.com\nvirt.example\nhack.example\nelsewhere.example\ntestserver\n",
  locals: "mx.example.com\nexample.com\ntestserver\n",
  percenthack: "hack.example\n",
  virtualdomains: "virt.example:joe\n",
};

const mailboxes = new Set([
  ...[
    "joe@example.com",
    "we ird@example.com",
    "postmaster@mx.example.com",
    "joe@virt.example",
    "joe%example.com@hack.example",
  ],
  ...["user@testserver", "__proto__@example.com"],
]);

/** What the fake qmail-getpw, and a pure session's stand-in for it, answer. */
export function mailboxKind(address: string): "exists" | "none" | "unsure" {
  if (address.startsWith("unsure@")) return "unsure";
  return mailboxes.has(address) || address.startsWith("list-") ? "exists" : "none";
}

/** The policy of these control files, with {@link mailboxKind} for the mailboxes; nobody else is asked anything. */
export function policyFor(controls: Controls): Policy {
  return policyOf(compilePolicy(controls), oraclesOf({ mailbox: mailboxKind }));
}

/** A home with control files and the folders of the sockets. */
export function makeHome(texts: ControlTexts = {}): { home: Home; controls: Controls } {
  const home = homeAt(Deno.makeTempDirSync({ prefix: "smtpd" }));
  Deno.mkdirSync(home.control(""));
  for (const [file, text] of Object.entries({ ...controlTexts, ...texts })) {
    Deno.writeTextFileSync(home.control(file), text);
  }
  for (const socket of ["qmail-queue", "qmail-getpw"]) Deno.mkdirSync(join(home.run(), socket), { recursive: true });
  const read = readControlsOf(home, "qmail-smtpd");
  if (!read.ok) throw new Error(read.error.join("; "));
  return { home, controls: read.value };
}

/** Answers by {@link mailboxKind}, or as a test says. */
export function serveGetpw(
  home: Home,
  answer: (address: string) => GetpwReply["kind"] | undefined = mailboxKind,
): UnixServer {
  return serveUnix(home.socket("qmail-getpw"), {
    onFrame: (frame, pipe) => {
      const request = parseGetpwRequest(frame);
      if (request.op === "forward") throw new Error("a server forwards nothing");
      const { id, op, address } = request;
      const kind = op === "check" ? answer(address) : "unsure";
      if (kind !== undefined) pipe.send({ id, kind });
    },
    onError: (error) => {
      throw error;
    },
  });
}

export interface WorldOptions {
  readonly controls?: ControlTexts;
  readonly getpw?: (address: string) => GetpwReply["kind"] | undefined;
  /** More words for the process's command line, and for its environment. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly portOffset?: number;
  /** Lets every account of the machine into the home. */
  readonly openHome?: boolean;
}

/** The process and its fakes. */
export class World implements AsyncDisposable {
  /** What it wrote on standard error, line by line. */
  readonly log: string[] = [];
  readonly #onLog: (() => void)[] = [];
  #ended = false;
  #getpwStopped = false;

  private constructor(
    readonly home: Home,
    readonly queue: FakeQueue,
    readonly getpw: UnixServer,
    readonly child: Deno.ChildProcess,
  ) {
    void this.#readLog();
  }

  /** The ports by name, from the line that says it is ready. */
  ports: Readonly<Record<string, number>> = {};

  get port(): number {
    return this.ports["smtp"]!;
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const { home, controls } = makeHome(options.controls);
    if (options.openHome) Deno.chmodSync(home.dir, 0o755);
    const queue = new FakeQueue(home);
    const getpw = serveGetpw(home, options.getpw);
    const portOffset = options.portOffset ?? 0;
    const flags = flagsOf(manifest.permissions({ home, portOffset, controls, nameservers: [] }), home);
    const main = join(root, "components/qmail-smtpd/main.ts");
    const words = ["--home", home.dir, "--port-offset", String(portOffset), ...options.args ?? []];
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--cached-only", ...flags, main, ...words],
      cwd: root,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...(options.env === undefined ? {} : { env: options.env }),
    }).spawn();
    const world = new World(home, queue, getpw, child);
    await world.#untilReady();
    return world;
  }

  async #untilReady(): Promise<void> {
    for await (const line of linesOf(this.child.stdout)) {
      const event = JSON.parse(line);
      if (event.event !== "ready") continue;
      this.ports = event.ports;
      return;
    }
    throw new Error(`qmail-smtpd ended before it was ready: ${this.log.join(" / ")}`);
  }

  async #readLog(): Promise<void> {
    for await (const line of linesOf(this.child.stderr)) {
      this.log.push(line);
      for (const resolve of this.#onLog.splice(0)) resolve();
    }
    this.#ended = true;
    for (const resolve of this.#onLog.splice(0)) resolve();
  }

  /** The first log line that begins with `start`, once it is there. */
  async logged(start: string): Promise<string> {
    for (;;) {
      const line = this.log.find((line) => line.startsWith(start));
      if (line !== undefined) return line;
      if (this.#ended) throw new Error(`qmail-smtpd ended without a log line ${JSON.stringify(start)}`);
      await new Promise<void>((resolve) => this.#onLog.push(resolve));
    }
  }

  connect(name = "smtp", host = "127.0.0.1"): Promise<SmtpClient> {
    return SmtpClient.connect(this.ports[name]!, host);
  }

  stopGetpw(): void {
    if (this.#getpwStopped) return;
    this.#getpwStopped = true;
    this.getpw.stop();
    this.getpw.closeAll();
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
    this.stopGetpw();
    Deno.removeSync(this.home.dir, { recursive: true });
  }
}

/** Reads on when its iteration is left, so that the writer is not ended by a full or closed pipe. */
async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      for (let lf = text.indexOf("\n"); lf >= 0; lf = text.indexOf("\n")) {
        const line = text.slice(0, lf);
        text = text.slice(lf + 1);
        yield line;
      }
    }
  } finally {
    void (async () => {
      while (!(await reader.read()).done);
    })();
  }
}
