/**
 * qmail-popup and qmail-pop3d with auth and qmail-getpw, each under its real flags, in a temporary home with mailboxes.
 * @module
 */
import { join } from "@std/path";
import { flagsOf, type Manifest } from "../../components/lib/permissions/grant.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { type Home, homeAt, socketNames } from "../../config/home.ts";
import { manifests } from "../../config/manifests.ts";
import { readControls } from "../../config/read.ts";
import { type ControlFile, schema } from "../../config/schema.ts";
import { selfSignedCertificate } from "../../scripts/home/self_signed.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";
import { LogLines } from "../support/log_lines.ts";
import { within } from "../support/wait.ts";
import { Pop3Client } from "./pop3_client.ts";

export const password = "secret";
const names = ["auth", "qmail-getpw", "qmail-pop3d", "qmail-popup"] as const;
type Name = (typeof names)[number];

/** Long past, in the order of the names. */
const firstSeconds = 1_700_000_000;

/** Qmail's own example: two new messages and a seen one, the last without a line end. */
export const threeMessages: Readonly<Record<string, string>> = {
  "new/1795332001.1.a": "Return-Path: <a@b>\nSubject: one\n\nl1\n.l2\nl3\n",
  "cur/1795332002.2.a:2,S": "Subject: two\n\nb\n..",
  "new/1795332003.3.a": "Subject: three\n\nz",
};

export interface Pop3WorldOptions {
  /** Control files beside the usual ones. */
  readonly controls?: Readonly<Record<string, string>>;
  readonly tls?: boolean;
  /** File names (with their folder) and contents of joe's Maildir. */
  readonly mail?: Readonly<Record<string, string>>;
  /** More mailboxes of the domain. */
  readonly users?: readonly string[];
  /** Records every permission check in this folder. */
  readonly auditDir?: string;
}

interface Running {
  readonly child: Deno.ChildProcess;
  readonly ports: Readonly<Record<string, number>>;
}

export class Pop3World implements AsyncDisposable {
  readonly home: Home;
  readonly log = new LogLines();
  readonly certificate: string;
  readonly #auditDir: string | undefined;
  readonly #running = new Map<Name, Running>();

  private constructor(home: Home, certificate: string, auditDir: string | undefined) {
    this.home = home;
    this.certificate = certificate;
    this.#auditDir = auditDir;
  }

  static async start(options: Pop3WorldOptions = {}): Promise<Pop3World> {
    const home = homeAt(join(Deno.makeTempDirSync({ prefix: "dq" }), "h"));
    Deno.mkdirSync(home.control(""), { recursive: true });
    for (const socket of socketNames) Deno.mkdirSync(home.run(socket), { recursive: true });
    const certificate = options.tls === true ? await selfSignedCertificate(["localhost"], Date.now()) : "";
    const controls = {
      me: "mx.example.com\n",
      listeners: "pop3 127.0.0.1:0\npop3s 127.0.0.1:0\n",
      ...(certificate === "" ? {} : { "servercert.pem": certificate }),
      ...options.controls,
    };
    for (const [file, text] of Object.entries(controls)) Deno.writeTextFileSync(home.control(file), text);
    const world = new Pop3World(home, certificate, options.auditDir);
    const users = ["joe", ...options.users ?? []];
    Deno.mkdirSync(home.users(""));
    Deno.writeTextFileSync(
      home.users("passwd"),
      users.map((name) => `${name}@mx.example.com:{PLAIN}${password}:1:1::::\n`).join(""),
    );
    for (const name of users) for (const part of ["tmp", "new", "cur"]) world.makeFolder(name, part);
    world.fill("joe", options.mail ?? threeMessages);
    for (const name of names) await world.startOne(name);
    return world;
  }

  makeFolder(user: string, part: string): void {
    Deno.mkdirSync(join(this.maildir(user), part), { recursive: true });
  }

  maildir(user = "joe"): string {
    return this.home.mail("mx.example.com", user, "Maildir");
  }

  /** Puts exactly these files into a Maildir, each a second younger than the one before. */
  fill(user: string, files: Readonly<Record<string, string>>): void {
    for (const part of ["new", "cur"]) {
      for (const { name } of Deno.readDirSync(join(this.maildir(user), part))) {
        Deno.removeSync(join(this.maildir(user), part, name));
      }
    }
    for (const [index, [name, content]] of Object.entries(files).entries()) this.put(user, name, content, index);
  }

  put(user: string, name: string, content: string, index = 0): void {
    const path = join(this.maildir(user), name);
    Deno.writeTextFileSync(path, content);
    Deno.utimeSync(path, firstSeconds + index, firstSeconds + index);
  }

  /** What is in a Maildir's new and cur, sorted. */
  files(user = "joe"): string[] {
    return ["new", "cur"].flatMap((part) =>
      Array.from(Deno.readDirSync(join(this.maildir(user), part)), ({ name }) => `${part}/${name}`)
    ).sort();
  }

  async startOne(name: Name): Promise<void> {
    const manifest = manifests.find((manifest) => manifest.name === name)!;
    const flags = flagsOf(manifest.permissions(this.#config()), this.home);
    const main = new URL(`../../components/${name}/main.ts`, import.meta.url).pathname;
    const audit = this.#auditDir === undefined ? {} : { DENO_AUDIT_PERMISSIONS: join(this.#auditDir, `${name}.jsonl`) };
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--cached-only", ...flags, main, "--home", this.home.dir],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: audit,
    }).spawn();
    const ready = Promise.withResolvers<Readonly<Record<string, number>>>();
    void eachLine(child.stdout, (line) => {
      const event = JSON.parse(line);
      if (event.event === "ready") ready.resolve(event.ports ?? {});
    });
    void eachLine(child.stderr, (line) => this.log.add(`${name}: ${line}`));
    const ended = child.status.then(() => {
      throw new Error(`${name} ended: ${this.log.text()}`);
    });
    ended.catch(() => {});
    const ports = await within(
      Promise.race([ready.promise, ended]),
      20_000,
      () => `${name} to be ready; the log: ${this.log.text()}`,
    );
    this.#running.set(name, { child, ports });
  }

  manifest(name: Name): Manifest {
    return manifests.find((manifest) => manifest.name === name)!;
  }

  #config() {
    const read = readControls(this.home, Object.keys(schema) as ControlFile[]);
    if (!read.ok) throw new Error(read.error.join("; "));
    return defaultConfig(this.home, 0, read.value);
  }

  grantOf(name: Name) {
    return this.manifest(name).permissions(this.#config());
  }

  port(service: "pop3" | "pop3s" = "pop3"): number {
    return this.#running.get("qmail-popup")!.ports[service]!;
  }

  connect(): Promise<Pop3Client> {
    return Pop3Client.connect(this.port());
  }

  /** A client that has logged in as joe. */
  async loggedIn(user = "joe"): Promise<Pop3Client> {
    const client = await this.connect();
    const reply = await client.logIn(user, password);
    if (reply !== "+OK ") throw new Error(`the login was answered ${reply}; the log: ${this.log.text()}`);
    return client;
  }

  pid(name: Name): number {
    return this.#running.get(name)!.child.pid;
  }

  /** Largest resident set of a process so far, in bytes. */
  rss(name: Name): number {
    const status = Deno.readTextFileSync(`/proc/${this.pid(name)}/status`);
    return Number(/VmHWM:\s*([0-9]+) kB/.exec(status)?.[1]) * 1024;
  }

  /** Ends a process; settles when it has ended. */
  async end(name: Name, signal: Deno.Signal = "SIGKILL"): Promise<number> {
    const running = this.#running.get(name);
    if (running === undefined) return 0;
    this.#running.delete(name);
    try {
      running.child.kill(signal);
    } catch {
      // It has ended already.
    }
    return (await running.child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of names.toReversed()) await this.end(name);
    Deno.removeSync(join(this.home.dir, ".."), { recursive: true });
  }
}
