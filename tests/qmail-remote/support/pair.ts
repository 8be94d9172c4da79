/**
 * qmail-rspawn and qmail-remote as the supervisor starts them, each under its own grant, in a home of their own, with a
 * resolver that answers from a table, and this test as their qmail-send.
 * @module
 */
import { dirname, fromFileUrl, join } from "@std/path";
import { Client } from "../../../components/lib/wire/client.ts";
import { parseSpawnReply, type SpawnReply } from "../../../components/lib/wire/delivery_protocol.ts";
import type { UnixServer } from "../../../components/lib/wire/server.ts";
import { toOctets } from "../../../components/lib/octets.ts";
import { type Config, flagsOf, type Manifest } from "../../../components/lib/permissions/grant.ts";
import { headBytes, putRecord } from "../../../components/lib/queue/journal/record.ts";
import { journalSegment, queueFile } from "../../../components/lib/queue/layout.ts";
import type { JournalPlace } from "../../../components/lib/wire/queue_protocol.ts";
import { manifest as remoteManifest } from "../../../components/qmail-remote/permissions.ts";
import { manifest as rspawnManifest } from "../../../components/qmail-rspawn/permissions.ts";
import { type Home, homeAt } from "../../../config/home.ts";
import { readControls } from "../../../config/read.ts";
import { type ControlFile, type Controls, schema } from "../../../config/schema.ts";
import { serveZone, type Zone } from "./zone.ts";

const root = fromFileUrl(new URL("../../../", import.meta.url));

/** A component's process. */
export class Process {
  readonly #child: Deno.ChildProcess;
  readonly #log: Promise<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#log = new Response(child.stderr).text();
  }

  /** Starts a component with the flags of its grant; settles when it says it is ready. */
  static async start(manifest: Manifest, config: Config, env: Record<string, string> = {}): Promise<Process> {
    const flags = flagsOf(manifest.permissions(config), config.home);
    const main = join(root, "components", manifest.name, "main.ts");
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", ...flags, main, "--home", config.home.dir],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env,
    }).spawn();
    const process = new Process(child);
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    while (!said.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`${manifest.name} did not start: ${await process.#log}`);
      said += value;
    }
    void (async () => {
      while (!(await reader.read()).done) { /* signs of life */ }
    })();
    return process;
  }

  get pid(): number {
    return this.#child.pid;
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Ends it with `signal`; answers its exit code and log. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<{ readonly code: number; readonly log: string }> {
    this.#child.kill(signal);
    const { code } = await this.#child.status;
    return { code, log: await this.#log };
  }
}

/** The two processes and their surroundings. */
export class Pair implements AsyncDisposable {
  readonly home: Home;
  readonly config: Config;
  readonly #resolver: UnixServer;
  readonly #client: Client;
  rspawn!: Process;
  remote!: Process;
  #messages = 0;

  private constructor(home: Home, config: Config, zone: Zone) {
    this.home = home;
    this.config = config;
    this.#resolver = serveZone(home, zone);
    this.#client = new Client(home.socket("qmail-rspawn"));
  }

  static async start(
    controls: Partial<Record<ControlFile, string>>,
    zone: Zone = {},
    env: Record<string, string> = {},
  ): Promise<Pair> {
    const home = homeAt(Deno.makeTempDirSync({ prefix: "rq" }));
    Deno.mkdirSync(dirname(home.control("me")), { recursive: true });
    for (const [file, text] of Object.entries({ me: "me.example\n", ...controls })) {
      Deno.writeTextFileSync(home.control(file), text);
    }
    for (const name of ["qmail-rspawn", "qmail-remote", "remote-status", "resolver"] as const) {
      Deno.mkdirSync(dirname(home.socket(name)), { recursive: true });
    }
    const read = readControls(home, Object.keys(schema) as ControlFile[]);
    if (!read.ok) throw new Error(read.error.join("; "));
    const config: Config = { home, portOffset: 0, controls: read.value as Controls, nameservers: [] };
    const pair = new Pair(home, config, zone);
    [pair.remote, pair.rspawn] = await Promise.all([
      Process.start(remoteManifest, config, auditOf(env, "remote")),
      Process.start(rspawnManifest, config, auditOf(env, "rspawn")),
    ]);
    return pair;
  }

  /** Puts a message into the queue; answers its number. */
  enqueue(content: string | Uint8Array): number {
    const id = ++this.#messages;
    const path = queueFile(this.home, "mess", id);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeFileSync(path, typeof content === "string" ? toOctets(content) : content);
    return id;
  }

  /** Puts a message into the journal; answers where it stands. */
  append(content: string): JournalPlace {
    const record = new Uint8Array(headBytes + content.length);
    const head = { generation: 1, serial: 1, id: 1, birthSeconds: 0 };
    const bytes = putRecord(record, 0, head, new Uint8Array(), [toOctets(content)]);
    const path = journalSegment(this.home, 1);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeFileSync(path, record);
    return { serial: 1, segment: 1, offset: 0, bytes };
  }

  /** Asks for a delivery as qmail-send does. */
  async spawn(
    message: number,
    sender: string,
    recipients: readonly string[],
    place?: JournalPlace,
  ): Promise<SpawnReply> {
    const frame = await this.#client.request({ op: "deliver", message, place, sender, recipients });
    return parseSpawnReply(frame, recipients.length);
  }

  /** Queues and delivers; verdict and text, one a recipient. */
  async deliver(content: string | Uint8Array, sender: string, recipients: readonly string[]): Promise<string[]> {
    const reply = await this.spawn(this.enqueue(content), sender, recipients);
    return reply.reports.map(({ verdict, text }) => verdict + text);
  }

  /** A new qmail-remote in the place of the old one. */
  async restartRemote(): Promise<void> {
    this.remote = await Process.start(remoteManifest, this.config);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await Promise.all([this.rspawn.stop("SIGKILL"), this.remote.stop("SIGKILL")].map((end) => end.catch(() => {})));
    this.#resolver.stop();
    this.#resolver.closeAll();
    Deno.removeSync(this.home.dir, { recursive: true });
  }
}

function auditOf(env: Record<string, string>, name: string): Record<string, string> {
  const folder = env["AUDIT"];
  return folder === undefined ? {} : { DENO_AUDIT_PERMISSIONS: join(folder, `${name}.jsonl`) };
}
