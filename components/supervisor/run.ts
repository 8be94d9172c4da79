/**
 * The supervisor's shell: computes every grant, writes it down, keeps the components up, answers on its sockets.
 * @module
 */
import { accountIds } from "../../config/accounts.ts";
import type { Home, SocketName } from "../../config/home.ts";
import { manifests } from "../../config/manifests.ts";
import { hasGlobalIpv6 } from "../../config/ipv6.ts";
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
  instancesOf,
  type Manifest,
  type Rights,
  rightsOf,
  userHomeWord,
} from "../lib/permissions/grant.ts";
import { type Check, isAllowed } from "../lib/permissions/decide.ts";
import { breaches } from "../lib/permissions/rule.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { formatHomeArgs } from "../lib/process/home_args.ts";
import * as field from "../lib/wire/fields.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { serveStatus } from "../lib/wire/status_server.ts";
import type { SupervisorStatus } from "../lib/wire/status_protocol.ts";
import { type Broker, serveBroker } from "./broker.ts";
import { Child, type ChildOptions } from "./child.ts";
import { brokerNames } from "./permissions.ts";
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
  const nameservers = nameserversOf(controls.value, readText("/etc/resolv.conf"));
  const globalIpv6 = hasGlobalIpv6(Deno.networkInterfaces().map(({ address }) => address));
  const config = { home, portOffset, controls: controls.value, nameservers, globalIpv6 };
  // A path in a control file could ask for more than any component may have.
  const found = [
    ...breaches(manifests, config).map((breach) => `Cannot use the control files: ${breach}`),
    ...manifests.flatMap(({ defects }) => defects?.(config) ?? []),
  ];
  return found.length === 0 ? config : found;
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

/** Writes the scripts around the operator's programs of one component, and removes those it has no use for any more. */
function writePrograms(home: Home, { name: component }: Manifest, scripts: ReadonlyMap<string, string>): void {
  const folder = home.libexec("grants", "programs");
  Deno.mkdirSync(folder, { recursive: true });
  for (const { name } of Deno.readDirSync(folder)) {
    if (name.startsWith(`${component}-`) && !scripts.has(name)) Deno.removeSync(`${folder}/${name}`);
  }
  for (const [name, text] of scripts) {
    if (writeGrant(`${folder}/${name}`, text)) Deno.chmodSync(`${folder}/${name}`, 0o755);
  }
}

/** Milliseconds a component may take to end, by its place in the order; all together stay below five seconds. */
const stopLimitMs: Readonly<Record<number, number>> = { 1: 1800, 2: 1500, 3: 600, 4: 400, 5: 300 };

function stopLimitOf(manifest: Manifest): number {
  return stopLimitMs[manifest.stopOrder] ?? 500;
}

/** A process to be kept up, and the component it is one of. */
interface Unit {
  readonly manifest: Manifest;
  readonly child: Child;
  /** False while it is being stopped for good, since a reload has no use for it. */
  wanted: boolean;
}

/** The name of a component's nth process. */
function instanceName(manifest: Manifest, instance: number): string {
  return instance === 1 ? manifest.name : `${manifest.name}-${instance}`;
}

class Supervisor {
  readonly #home: Home;
  readonly #portOffset: number;
  readonly #settings: Settings;
  readonly #ids: Readonly<Record<Account, Ids>>;
  readonly #units = new Map<string, Unit>();
  /** What those may do that have no flags, by their brokers' sockets. */
  readonly #decided = new Map<SocketName, Rights>();
  readonly #startedMs = Date.now();
  readonly #allReady = Promise.withResolvers<void>();
  #stopping = false;
  #mode: Config["controls"]["mode"] = "full";

  constructor(home: Home, portOffset: number, settings: Settings) {
    this.#home = home;
    this.#portOffset = portOffset;
    this.#settings = settings;
    this.#ids = accountIds(readText("/etc/passwd"));
  }

  /** Whether a component without flags may do what it asks for on its broker's socket. */
  decides(broker: SocketName, check: Check): boolean {
    const rights = this.#decided.get(broker);
    return rights !== undefined && isAllowed(rights, check);
  }

  get allReady(): Promise<void> {
    return this.#allReady.promise;
  }

  start(config: Config): void {
    this.#mode = config.controls.mode;
    for (const manifest of manifests) {
      if (manifest.startedBy === "start") continue;
      this.#writeGrants(manifest, config);
      for (const [name, options] of this.#childrenOf(manifest, config)) {
        this.#units.set(name, { manifest, child: new Child(options), wanted: true });
      }
    }
    for (const { child } of this.#units.values()) child.start();
    // Where nothing is to run, nothing says that it is ready.
    this.#checkReady();
  }

  /** Writes all of a component's grants, none for one that is not needed; answers whether its own is another than before. */
  #writeGrants(manifest: Manifest, config: Config): boolean {
    const path = this.#home.libexec("grants", manifest.name);
    const grant = manifest.permissions(config);
    if (grant.broker !== undefined) this.#decided.set(grant.broker, rightsOf(grant, this.#home));
    if (manifest.programs !== undefined) writePrograms(this.#home, manifest, manifest.programs(config));
    if (instancesOf(manifest, config) === 0) {
      ifThere(() => Deno.removeSync(path));
      return false;
    }
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
    return writeGrant(path, formatGrant(command(grant, own)));
  }

  /** The processes of a component that these settings want, by name. */
  #childrenOf(manifest: Manifest, config: Config): Map<string, ChildOptions> {
    const count = manifest.startedBy === "supervisor" ? instancesOf(manifest, config) : 0;
    const numbers = Array.from({ length: count }, (_, at) => at + 1);
    return new Map(numbers.map((number) => [instanceName(manifest, number), this.#options(manifest, config, number)]));
  }

  #options(manifest: Manifest, config: Config, instance: number): ChildOptions {
    const ids = this.#ids[manifest.account];
    const staysRoot = manifest.account === "root";
    const bindsFirst = manifest.bindsLowPort?.(config) === true;
    const drop = ["--setuid", String(ids.uid), "--setgid", String(ids.gid)];
    const asRoot = !this.#settings.changeUser ? [] : staysRoot ? ["--change-user"] : bindsFirst ? drop : [];
    const which = instance === 1 ? [] : ["--instance", String(instance)];
    return {
      name: instanceName(manifest, instance),
      launcher: this.#home.libexec("launch", manifest.name),
      args: [...asRoot, ...which, ...(this.#settings.json ? ["--json"] : [])],
      ids: this.#settings.changeUser && !staysRoot && !bindsFirst ? ids : undefined,
      grant: flagsOf(manifest.permissions(config), this.#home),
      onReady: () => this.#checkReady(),
    };
  }

  /** Those that are to run, in the order of the manifests. */
  get #wanted(): Unit[] {
    return [...this.#units.values()].filter(({ wanted }) => wanted);
  }

  get #isReady(): boolean {
    return this.#wanted.every(({ child }) => child.ready);
  }

  #checkReady(): void {
    if (this.#isReady) this.#allReady.resolve();
  }

  /**
   * Reads the control files again; a component whose grant changed is restarted, the others read theirs; one that is not
   * needed any more is stopped, one that is needed now is started.
   */
  reload(): readonly string[] {
    // A terminal that closes sends SIGHUP after Ctrl-C: nothing is to start any more.
    if (this.#stopping) return [];
    const config = readOwnConfig(this.#home, this.#portOffset);
    if (!isConfig(config)) return config;
    if (config.controls.mode !== this.#mode) {
      // The programs in bin/ are made for one of them.
      return [
        `Cannot use control file "mode": expected ${this.#mode} until the next start, got "${config.controls.mode}"`,
      ];
    }
    for (const manifest of manifests) {
      if (manifest.startedBy === "start") continue;
      const changed = this.#writeGrants(manifest, config);
      const wanted = this.#childrenOf(manifest, config);
      for (const [name, unit] of this.#units) {
        if (unit.manifest === manifest && unit.wanted && !wanted.has(name)) this.#dismiss(name, unit);
      }
      for (const [name, options] of wanted) this.#renew(name, manifest, options, changed);
    }
    this.#checkReady();
    log("reloaded");
    return [];
  }

  /** Brings one process up to the options of a reload. */
  #renew(name: string, manifest: Manifest, options: ChildOptions, grantChanged: boolean): void {
    const unit = this.#units.get(name);
    if (unit === undefined) {
      const child = new Child(options);
      this.#units.set(name, { manifest, child, wanted: true });
      logEvent("needed", { component: name });
      return child.start();
    }
    unit.child.options = options;
    if (!unit.wanted || grantChanged) {
      logEvent(unit.wanted ? "regranted" : "needed", { component: name });
      unit.wanted = true;
      unit.child.restart(stopLimitOf(manifest));
    } else {
      unit.child.signal("SIGHUP");
    }
  }

  /** Stops a process for good, or until another reload wants it. */
  #dismiss(name: string, unit: Unit): void {
    logEvent("not-needed", { component: name });
    unit.wanted = false;
    void unit.child.stop(stopLimitOf(unit.manifest)).then(() => {
      if (!unit.wanted) this.#units.delete(name);
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const units = [...this.#units.values()];
    const orders = [...new Set(units.map(({ manifest }) => manifest.stopOrder))].sort((a, b) => a - b);
    for (const now of orders) {
      const ending = units.filter(({ manifest }) => manifest.stopOrder === now);
      await Promise.all(ending.map(({ manifest, child }) => child.stop(stopLimitOf(manifest))));
    }
  }

  /** Where several processes share a port, or have one each of the same name, the first one's is told. */
  get ports(): Readonly<Record<string, number>> {
    return Object.assign({}, ...this.#wanted.map(({ child }) => child.ports).reverse());
  }

  status(): SupervisorStatus {
    const nowMs = Date.now();
    return {
      pid: Deno.pid,
      startedSeconds: Math.floor(this.#startedMs / 1000),
      ready: this.#isReady,
      components: [...this.#units.values()].flatMap(({ child }) => child.status(nowMs)),
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
  const brokers = brokerNames.map((name): Broker =>
    serveBroker(home.socket(name), {
      decide: (check) => supervisor.decides(name, check),
      onGarbage: (reason) => logEvent("garbage", { socket: name, reason }),
    })
  );
  supervisor.start(config);
  await supervisor.allReady;
  return {
    ports: supervisor.ports,
    reload: () => supervisor.reload(),
    stop: async () => {
      control.stop();
      status.stop();
      await supervisor.stop();
      for (const broker of brokers) broker.stop();
    },
  };
}
