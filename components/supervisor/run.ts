/**
 * The supervisor's shell: computes every grant, writes it down, keeps the components up, answers on its sockets.
 * @module
 */
import { accountIds } from "../../config/accounts.ts";
import type { Home } from "../../config/home.ts";
import { manifests } from "../../config/manifests.ts";
import { nameserversOf } from "../../config/nameservers.ts";
import { readControls } from "../../config/read.ts";
import { type ControlFile, schema } from "../../config/schema.ts";
import { ifThere } from "../lib/disk/if_there.ts";
import { describeError, log, logEvent } from "../lib/log/log.ts";
import {
  type Account,
  type Config,
  flagsOf,
  type Grant,
  type Ids,
  type Manifest,
  userHomeWord,
} from "../lib/permissions/grant.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { formatHomeArgs } from "../lib/process/home_args.ts";
import * as field from "../lib/wire/fields.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { serveStatus } from "../lib/wire/status_server.ts";
import type { SupervisorStatus } from "../lib/wire/status_protocol.ts";
import { Child, type ChildOptions } from "./child.ts";
import { formatGrant, formatHomeGrants, homeGrantName, launchCommand, type Runtime } from "./launcher.ts";

export interface Settings extends Runtime {
  /** Started by root: each component runs as its own user. */
  readonly changeUser: boolean;
  /** The log is made of JSON objects. */
  readonly json: boolean;
}

/** The supervisor's own arguments. Throws CannotStart when one is missing: they come from the one who wrote its launcher. */
export function parseRuntime(args: Readonly<Record<string, unknown>>): Settings {
  const path = (name: string): string => {
    const value = args[name];
    if (typeof value !== "string" || !value.startsWith("/")) throw new CannotStart(`--${name} needs an absolute path`);
    return value;
  };
  return {
    deno: path("deno"),
    denoDir: path("deno-dir"),
    code: path("code"),
    audit: args["audit"] === undefined ? undefined : path("audit"),
    changeUser: args["change-user"] === true,
    json: args["json"] === true,
  };
}

function readText(path: string): string {
  return ifThere(() => Deno.readTextFileSync(path)) ?? "";
}

/** What the grants are computed from, or what is wrong with the control files. */
export function readConfig(home: Home, portOffset: number): Config | readonly string[] {
  const controls = readControls(home, Object.keys(schema) as ControlFile[]);
  if (!controls.ok) return controls.error;
  return {
    home,
    portOffset,
    controls: controls.value,
    nameservers: nameserversOf(controls.value, readText("/etc/resolv.conf")),
  };
}

/**
 * As {@link readConfig}, for a running queue: its folders stay as they are, so a control file that says something else is
 * a defect, too.
 */
function readOwnConfig(home: Home, portOffset: number): Config | readonly string[] {
  const config = readConfig(home, portOffset);
  if (!isConfig(config) || config.controls.queuesplit === home.queueSplit) return config;
  const { queuesplit } = config.controls;
  return [
    `Cannot use control file "queuesplit": expected ${home.queueSplit}, the split of the running queue, got "${queuesplit}"`,
  ];
}

function isConfig(config: Config | readonly string[]): config is Config {
  return !Array.isArray(config);
}

/** Writes a grant's script; answers whether it is another than before. */
function writeGrant(path: string, text: string): boolean {
  if (readText(path) === text) return false;
  const fresh = `${path}.new`;
  Deno.writeTextFileSync(fresh, text);
  Deno.renameSync(fresh, path);
  return true;
}

/** Milliseconds a component may take to end, by its place in the order; all together stay below five seconds. */
const stopLimitMs: Readonly<Record<number, number>> = { 1: 1800, 2: 1500, 3: 600, 4: 400, 5: 300 };

class Supervisor {
  readonly #home: Home;
  readonly #portOffset: number;
  readonly #settings: Settings;
  readonly #ids: Readonly<Record<Account, Ids>>;
  readonly #children = new Map<string, Child>();
  readonly #startedMs = Date.now();
  readonly #allReady = Promise.withResolvers<void>();
  #stopping = false;

  constructor(home: Home, portOffset: number, settings: Settings) {
    this.#home = home;
    this.#portOffset = portOffset;
    this.#settings = settings;
    this.#ids = accountIds(readText("/etc/passwd"));
  }

  get allReady(): Promise<void> {
    return this.#allReady.promise;
  }

  start(config: Config): void {
    for (const manifest of manifests) {
      if (manifest.startedBy === "start") continue;
      this.#writeGrant(manifest, config);
      if (manifest.startedBy === "supervisor") {
        this.#children.set(manifest.name, new Child(this.#options(manifest, config)));
      }
    }
    for (const child of this.#children.values()) child.start();
  }

  /** Writes all of a component's grants; answers whether that of its own start is another than before. */
  #writeGrant(manifest: Manifest, config: Config): boolean {
    const args = formatHomeArgs(this.#home);
    const own = manifest.startedBy === "supervisor" ? [...args, "--port-offset", String(this.#portOffset)] : args;
    const command = (grant: Grant, more: readonly string[]) =>
      launchCommand(manifest.name, grant, this.#settings, this.#home, more);
    const commands = Object.entries(manifest.forHome ?? {}).map(([word, grantOf]) => {
      const grant = grantOf(config, userHomeWord);
      // Where an ordinary user started all, his home may hold what every component runs from.
      const except = [...grant.except ?? [], this.#settings.code, this.#settings.denoDir];
      return [word, command({ ...grant, except }, [...args, `--${word}`])] as const;
    });
    if (commands.length > 0) {
      const path = this.#home.libexec("grants", homeGrantName(manifest.name));
      writeGrant(path, formatHomeGrants(new Map(commands)));
    }
    const path = this.#home.libexec("grants", manifest.name);
    return writeGrant(path, formatGrant(command(manifest.permissions(config), own)));
  }

  #options(manifest: Manifest, config: Config): ChildOptions {
    const ids = this.#ids[manifest.account];
    const staysRoot = manifest.account === "root";
    const bindsFirst = manifest.bindsLowPort?.(config) === true;
    const drop = ["--setuid", String(ids.uid), "--setgid", String(ids.gid)];
    const asRoot = !this.#settings.changeUser ? [] : staysRoot ? ["--change-user"] : bindsFirst ? drop : [];
    return {
      name: manifest.name,
      launcher: this.#home.libexec("launch", manifest.name),
      args: [...asRoot, ...(this.#settings.json ? ["--json"] : [])],
      ids: this.#settings.changeUser && !staysRoot && !bindsFirst ? ids : undefined,
      grant: flagsOf(manifest.permissions(config), this.#home),
      onReady: () => this.#checkReady(),
    };
  }

  #checkReady(): void {
    if ([...this.#children.values()].every((child) => child.ready)) this.#allReady.resolve();
  }

  /** Reads the control files again; a component whose grant changed is restarted, the others read theirs. */
  reload(): readonly string[] {
    // A terminal that closes sends SIGHUP after Ctrl-C: nothing is to start any more.
    if (this.#stopping) return [];
    const config = readOwnConfig(this.#home, this.#portOffset);
    if (!isConfig(config)) return config;
    for (const manifest of manifests) {
      if (manifest.startedBy === "start") continue;
      const changed = this.#writeGrant(manifest, config);
      const child = this.#children.get(manifest.name);
      if (child === undefined) continue;
      child.options = this.#options(manifest, config);
      if (changed) {
        logEvent("regranted", { component: manifest.name });
        child.restart(stopLimitMs[manifest.stopOrder] ?? 500);
      } else {
        child.signal("SIGHUP");
      }
    }
    log("reloaded");
    return [];
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const order = (name: string) => manifests.find((manifest) => manifest.name === name)?.stopOrder ?? 9;
    const orders = [...new Set([...this.#children.keys()].map(order))].sort((a, b) => a - b);
    for (const now of orders) {
      const children = [...this.#children].filter(([name]) => order(name) === now);
      await Promise.all(children.map(([, child]) => child.stop(stopLimitMs[now] ?? 500)));
    }
  }

  get ports(): Readonly<Record<string, number>> {
    return Object.assign({}, ...[...this.#children.values()].map((child) => child.ports));
  }

  status(): SupervisorStatus {
    const nowMs = Date.now();
    return {
      pid: Deno.pid,
      startedSeconds: Math.floor(this.#startedMs / 1000),
      ready: [...this.#children.values()].every((child) => child.ready),
      components: [...this.#children.values()].flatMap((child) => child.status(nowMs)),
    };
  }
}

export async function run({ home, portOffset, requestStop }: Start, settings: Settings): Promise<Running> {
  const config = readOwnConfig(home, portOffset);
  if (!isConfig(config)) throw new CannotStart(config.join("; "));
  const supervisor = new Supervisor(home, portOffset, settings);
  const control = serveUnix(home.socket("supervisor"), {
    onFrame: (frame, pipe) => {
      const id = field.wholeNumber(frame.head, "id");
      switch (field.oneOf(frame.head, "op", ["reload", "stop", "status"])) {
        case "reload":
          pipe.send({ id, defects: supervisor.reload() });
          break;
        case "stop":
          pipe.send({ id });
          requestStop();
          break;
        case "status":
          pipe.send({ id, ...supervisor.status() });
          break;
      }
    },
    onError: (error) => logEvent("garbage", { socket: "supervisor", reason: describeError(error) }),
  });
  const status = serveStatus(home, "supervisor-status", () => supervisor.status());
  supervisor.start(config);
  await supervisor.allReady;
  return {
    ports: supervisor.ports,
    reload: () => supervisor.reload(),
    stop: async () => {
      control.stop();
      status.stop();
      await supervisor.stop();
    },
  };
}
