/**
 * Another host that takes mail over one version of TLS and relays it, over the same: what servers of different makes have
 * in common for a test.
 * @module
 */
import { eachLine } from "../../components/supervisor/lines.ts";
import type { Made } from "../lib/tls/openssl.ts";
import { freePort } from "./free_port.ts";
import { LogLines } from "./log_lines.ts";
import type { ProgramRoot } from "./program_root.ts";
import { waitFor, within } from "./wait.ts";

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

export interface RelayOptions {
  /** The only version it speaks, on either side; it hands on no mail without TLS. */
  readonly version: TlsVersion;
  readonly certificate: Made;
  /** A port of 127.0.0.1. */
  readonly relayPort: number;
}

/** Takes mail for anybody but `nosuch@…`, and hands it to the relay at once. Its name is NAME.example. */
export interface RelayHost extends AsyncDisposable {
  /** Of 127.0.0.1. */
  readonly port: number;
  readonly log: LogLines;
}

/** A server in a root directory of its own; goes away with that. */
export class RootedHost implements RelayHost {
  readonly log = new LogLines();
  readonly port = freePort();
  readonly #root: ProgramRoot;
  #child: Deno.ChildProcess | undefined;

  constructor(root: ProgramRoot) {
    this.#root = root;
  }

  /** Settles when it listens. */
  async start(program: string, args: readonly string[]): Promise<this> {
    const child = this.#root.spawn(program, args);
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      eachLine(stream, (line) => this.log.add(line)).catch((error) => this.log.add(`(log ended: ${error})`));
    }
    const ended = child.status.then(({ code }) => {
      throw new Error(`${program} ended with code ${code}`);
    });
    ended.catch(() => {});
    const listens = () => Deno.connect({ port: this.port }).then((conn) => (conn.close(), true), () => false);
    try {
      await Promise.race([waitFor(listens, program), ended]);
      return this;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw new Error(`${error instanceof Error ? error.message : error}; it said:\n${this.log.text()}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    try {
      if (child !== undefined) await endOf(child);
    } finally {
      this.#root[Symbol.dispose]();
    }
  }
}

async function endOf(child: Deno.ChildProcess): Promise<void> {
  const tell = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // It ended by itself.
    }
  };
  tell("SIGTERM");
  await within(child.status, 15_000, () => "the end of a server").catch(() => tell("SIGKILL"));
}
