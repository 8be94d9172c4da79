/**
 * A qmail-smtpd under its real flags between a fake qmail-queue and a fake qmail-getpw, in a temporary home.
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { manifest } from "../../components/qmail-smtpd/permissions.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { flagsOf } from "../../components/lib/permissions/grant.ts";
import { type GetpwReply, parseGetpwRequest } from "../../components/lib/wire/getpw_protocol.ts";
import { type EnvelopeFields, parseQueueRequest } from "../../components/lib/wire/queue_protocol.ts";
import { serveUnix, type UnixServer } from "../../components/lib/wire/server.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { readControlsOf } from "../../config/read.ts";
import type { Controls } from "../../config/schema.ts";

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

/** The number all fake queues give. */
export const qp = 4896;

/** One message as the fake qmail-queue got it; content as an octet string. */
export interface Queued {
  readonly envelope: EnvelopeFields;
  readonly content: string;
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

/** Takes messages, and keeps them unless told to only count their octets. */
export class FakeQueue {
  readonly messages: Queued[] = [];
  aborted = 0;
  opened = 0;
  bytes = 0;
  /** The answer; `hold` keeps it back until {@link release}. */
  code = 0;
  hold = false;
  keep = true;
  readonly #path: string;
  readonly #held: (() => void)[] = [];
  readonly #drafts = new Map<number, Uint8Array[]>();
  #server: UnixServer | undefined;
  /** Called after every frame: what a test waits for. */
  #onChange: (() => void)[] = [];

  constructor(home: Home) {
    this.#path = home.socket("qmail-queue");
    this.start();
  }

  start(): void {
    this.#server = serveUnix(this.#path, {
      onFrame: (frame, pipe) => {
        const request = parseQueueRequest(frame);
        const answer = () => pipe.send({ id: request.id, code: this.code, qp });
        if (request.op === "message") this.#add(request.envelope, [request.content]);
        if (request.op === "close") this.#add(request.envelope, this.#drafts.get(request.id) ?? []);
        if (request.op === "message" || request.op === "close") this.hold ? this.#held.push(answer) : answer();
        if (request.op === "open") this.opened++;
        if (request.op === "open") this.#drafts.set(request.id, []);
        if (request.op === "data") {
          this.bytes += request.content.length;
          if (this.keep) this.#drafts.get(request.id)!.push(request.content);
        }
        if (request.op === "abort") this.aborted++;
        this.#changed();
      },
      onClose: () => this.#changed(),
      onError: (error) => {
        throw error;
      },
    });
  }

  /** As a restart: every connection ends. */
  stop(): void {
    this.#server?.stop();
    this.#server?.closeAll();
    this.#server = undefined;
  }

  release(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  /** Settles once `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#onChange.push(resolve));
  }

  #changed(): void {
    for (const resolve of this.#onChange.splice(0)) resolve();
  }

  #add(envelope: EnvelopeFields, pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.bytes += piece.length;
    if (this.keep && this.code === 0) this.messages.push({ envelope, content: pieces.map(fromOctets).join("") });
  }
}

/** Answers by {@link mailboxKind}, or as a test says. */
export function serveGetpw(
  home: Home,
  answer: (address: string) => GetpwReply["kind"] | undefined = mailboxKind,
): UnixServer {
  return serveUnix(home.socket("qmail-getpw"), {
    onFrame: (frame, pipe) => {
      const { id, op, address } = parseGetpwRequest(frame);
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

/** A client that reads line by line. Octet strings both ways. */
export class SmtpClient {
  #text = "";

  private constructor(readonly conn: Deno.TcpConn) {}

  static async connect(port: number, hostname: string): Promise<SmtpClient> {
    const conn = await Deno.connect({ hostname, port });
    conn.setNoDelay(true);
    return new SmtpClient(conn);
  }

  send(octets: string): Promise<void> {
    return this.sendOctets(toOctets(octets));
  }

  async sendOctets(octets: Uint8Array): Promise<void> {
    for (let at = 0; at < octets.length;) at += await this.conn.write(octets.subarray(at));
  }

  /** The next line without its end; undefined once the server has closed. */
  async line(): Promise<string | undefined> {
    const buffer = new Uint8Array(16384);
    for (;;) {
      const end = this.#text.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      const count = await this.conn.read(buffer).catch(() => null);
      if (count === null) return undefined;
      this.#text += fromOctets(buffer.subarray(0, count));
    }
  }

  /** The last line of the next reply. */
  async reply(): Promise<string | undefined> {
    for (;;) {
      const line = await this.line();
      if (line === undefined || line[3] !== "-") return line;
    }
  }

  /** Sends one command and answers the last line of its reply. */
  async say(command: string): Promise<string | undefined> {
    await this.send(`${command}\r\n`);
    return await this.reply();
  }

  /** Greeting, EHLO, MAIL, RCPT and DATA. */
  async untilContent(recipient = "joe@example.com"): Promise<void> {
    await this.send(`EHLO c.example\r\nMAIL FROM:<s@s.example>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`);
    for (const want of ["220", "250", "250", "250", "354"]) {
      const got = await this.reply();
      if (!got?.startsWith(want)) throw new Error(`expected ${want}, got ${got}`);
    }
  }

  /** Closes its own side and answers all that still comes. */
  async finish(): Promise<string[]> {
    await this.conn.closeWrite().catch(() => {});
    const lines: string[] = [];
    for (let line = await this.line(); line !== undefined; line = await this.line()) lines.push(line);
    this.close();
    return lines;
  }

  close(): void {
    try {
      this.conn.close();
    } catch {
      // Closed already.
    }
  }
}
