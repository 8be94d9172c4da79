/**
 * Policy hosts for tests: https servers of their own authority on loopback addresses, a DNS server that knows them, the
 * resolver and mta-sts in this process.
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { fromFileUrl, join } from "@std/path";
import { flagsOf, type Manifest } from "../../components/lib/permissions/grant.ts";
import type { Running } from "../../components/lib/process/component.ts";
import { StsClient } from "../../components/lib/wire/sts_client.ts";
import { run, type RunOptions } from "../../components/mta-sts/run.ts";
import { manifest } from "../../components/mta-sts/permissions.ts";
import { run as runResolver } from "../../components/resolver/run.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { type Made, makeCertificate } from "../lib/tls/openssl.ts";
import { type DnsServer, startDnsServer, type ZoneEntry } from "../support/dns_server.ts";
import { LogLines } from "../support/log_lines.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export const authority = (): Made =>
  makeCertificate({ name: "Test Authority", extensions: ["basicConstraints=critical,CA:TRUE"] });

/** A server's certificate for `name`. */
export function certificateFor(name: string, by: Made): Made {
  return makeCertificate({
    name,
    by,
    extensions: [`subjectAltName=DNS:${name}`, "basicConstraints=critical,CA:FALSE"],
  });
}

/** One that ended yesterday. */
export function expiredFor(name: string, by: Made): Made {
  const dir = Deno.makeTempDirSync();
  const openssl = (...args: string[]) => {
    const { success, stderr } = new Deno.Command("openssl", { args, cwd: dir }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  };
  try {
    Deno.writeTextFileSync(join(dir, "ca.pem"), by.cert);
    Deno.writeTextFileSync(join(dir, "ca.key"), by.key);
    Deno.writeTextFileSync(join(dir, "ext"), `subjectAltName=DNS:${name}\n`);
    const key = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "k", "-out", "r"];
    openssl("req", "-subj", `/CN=${name}`, "-newkey", ...key);
    const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext"];
    openssl("x509", "-req", "-in", "r", ...signed, "-days", "-1", "-out", "c");
    return { cert: Deno.readTextFileSync(join(dir, "c")), key: Deno.readTextFileSync(join(dir, "k")) };
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

/** A policy that lists `mx`. */
export function policyText(mx = "mx.x.example", mode = "enforce", maxAge = 604_800): string {
  return `version: STSv1\r\nmode: ${mode}\r\nmx: ${mx}\r\nmax_age: ${maxAge}\r\n`;
}

export function serveText(text: string): Handler {
  return (_, response) => {
    response.setHeader("Content-Type", "text/plain");
    response.end(text);
  };
}

/** All https servers of one test, on one port. */
export class PolicyHosts implements AsyncDisposable {
  readonly #servers: Server[] = [];
  #next = 2;
  port = 0;

  /** Starts one; answers its address, none of which is 127.0.0.1. */
  async start({ cert, key }: Made, handler: Handler): Promise<string> {
    const address = `127.0.0.${this.#next++}`;
    const server = createServer({ cert, key }, handler);
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, address, () => resolve());
    });
    this.port = (server.address() as AddressInfo).port;
    return address;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    }));
  }
}

export interface WorldOptions extends RunOptions {
  /** By `name TYPE`; the arrays may change later. */
  readonly zone: Record<string, ZoneEntry>;
  readonly port: number;
  readonly ca: string;
  readonly controls?: Readonly<Record<string, string>>;
}

/** A domain's records: `texts` and `addresses` may change later, and nobody keeps them. */
export function domainZone(domain: string, texts: string[], addresses: string[]): Record<string, ZoneEntry> {
  return {
    [`_mta-sts.${domain} TXT`]: { records: texts, ttlSeconds: 0 },
    [`mta-sts.${domain} A`]: { records: addresses, ttlSeconds: 0 },
  };
}

/** A home with a resolver in it, and mta-sts unless that is started otherwise. */
export class World implements AsyncDisposable {
  readonly home: Home;
  readonly dns: DnsServer;
  readonly #resolver: Running;
  #sts: Running | undefined;

  private constructor(home: Home, dns: DnsServer) {
    this.home = home;
    this.dns = dns;
    this.#resolver = runResolver({ home, portOffset: 0, requestStop: () => {} }) as Running;
  }

  static async start(options: WorldOptions): Promise<World> {
    const world = await World.withoutSts(options);
    world.#sts = run({ home: world.home, portOffset: 0, requestStop: () => {} }, { recallMs: 0, ...options });
    return world;
  }

  static async withoutSts({ zone, port, ca, controls = {} }: WorldOptions): Promise<World> {
    const home = homeAt(Deno.makeTempDirSync({ prefix: "dq" }));
    const folders = ["resolver", "mta-sts", "sts-memory", "tlsrpt"].map((name) => home.run(name));
    for (const dir of [home.control(""), home.tlsrpt(), ...folders]) Deno.mkdirSync(dir, { recursive: true });
    const dns = await startDnsServer(zone);
    const files = {
      nameservers: `127.0.0.1:${dns.port}\n`,
      mtastsport: `${port}\n`,
      mxprivate: "1\n",
      tlsclientca: ca,
    };
    for (const [file, text] of Object.entries({ me: "localhost\n", ...files, ...controls })) {
      Deno.writeTextFileSync(home.control(file), text);
    }
    return new World(home, dns);
  }

  client(): StsClient {
    return new StsClient(this.home);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sts?.stop();
    await this.#resolver.stop();
    await this.dns.stop();
    Deno.removeSync(this.home.dir, { recursive: true });
  }
}

export interface StsProcess extends AsyncDisposable {
  readonly log: LogLines;
  end(signal: Deno.Signal): Promise<number>;
}

/**
 * The real mta-sts, or another component, with its real flags on a world's home; `audit`: the file for deno's record of
 * permission checks.
 */
export async function startProcess(home: Home, audit?: string, of: Manifest = manifest): Promise<StsProcess> {
  const main = fromFileUrl(new URL(`../../components/${of.name}/main.ts`, import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", ...grantFlags(home, of), main, "--home", home.dir],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: audit === undefined ? {} : { DENO_AUDIT_PERMISSIONS: audit },
  }).spawn();
  const [out, log] = [new LogLines(), new LogLines()];
  const reading = Promise.all([
    eachLine(child.stdout, (line) => out.add(line)),
    eachLine(child.stderr, (line) => log.add(line)),
  ]);
  let isOver = false;
  const end = async (signal: Deno.Signal) => {
    if (!isOver) child.kill(signal);
    isOver = true;
    const { code } = await child.status;
    await reading;
    return code;
  };
  try {
    await out.waitFor((line) => line.includes(`"ready"`), 20_000);
  } catch (error) {
    await end("SIGKILL");
    throw new Error(`${error}; it said: ${log.text()}`);
  }
  return { log, end, [Symbol.asyncDispose]: async () => void await end("SIGKILL") };
}

function grantFlags(home: Home, { permissions }: Manifest): string[] {
  const config = readConfig(home, 0);
  if (!("controls" in config)) throw new Error(config.join("; "));
  return flagsOf(permissions(config), home);
}
