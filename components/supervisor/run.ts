/**
 * The supervisor's shell: computes every grant, writes it down, keeps the components up, answers on its sockets.
 * @module
 */
import { accountIds } from "../../config/accounts.ts";
import type { Home, SocketName } from "../../config/home.ts";
import { manifests } from "../../config/manifests.ts";
import { copyLog, describeError, log, logEvent } from "../lib/log/log.ts";
import {
  type Account,
  type Config,
  flagsOf,
  type Ids,
  instancesOf,
  type Manifest,
  type Rights,
  rightsOf,
} from "../lib/permissions/grant.ts";
import { type Check, isAllowed } from "../lib/permissions/decide.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import * as field from "../lib/wire/fields.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { serveStatus } from "../lib/wire/status_server.ts";
import type { SupervisorStatus } from "../lib/wire/status_protocol.ts";
import { type Broker, serveBroker } from "./broker.ts";
import type { ChildOptions } from "./child.ts";
import { isConfig, readOwnConfig } from "./config.ts";
import { readShownControls } from "./control_files.ts";
import { LogFeed } from "./log_feed.ts";
import { brokerNames } from "./permissions.ts";
import { handOverProtocol, Predecessor, takeOver } from "./predecessor.ts";
import { handOverOps, Successor } from "./successor.ts";
import { Unit } from "./unit.ts";
import { readText, writeGrants } from "./grants.ts";
import type { Settings } from "./settings.ts";
import { StartOrder } from "./start_order.ts";

/** The component whose standard input has what all the others say. */
const logKeeper = "multilog";

/** Whether it is started when it is needed, and not before. */
function isOnDemand(manifest: Manifest, { controls }: Config): boolean {
  return manifest.onDemand === true && controls.idleseconds > 0;
}

/** The name of a component's nth process. */
export function instanceName(manifest: Manifest, instance: number): string {
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
  /** To the component that keeps the log, while one is to run. */
  readonly #feed = new LogFeed();
  readonly #startedMs = Date.now();
  #allReady = Promise.withResolvers<void>();
  #startOrder: StartOrder | undefined;
  #stopping = false;
  /** Of those that are being stopped, or were last. */
  #stopOrder = 0;
  /** Those that another supervisor has now. */
  readonly #retired = new Set<Unit>();
  #config: Config | undefined;
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
    this.#prepare(config, false);
    const units = [...this.#units.values()].filter(({ onDemand }) => !onDemand);
    const isFirst = ({ manifest }: Unit) => manifest.startsFirst === true;
    this.#startOrder = new StartOrder(units.filter(isFirst), units.filter((unit) => !isFirst(unit)));
    this.#startOrder.begin();
    // Where nothing is to run, nothing says that it is ready.
    this.#checkReady();
  }

  /** As {@link start}, in the place of another supervisor. Throws CannotStart where that one has to go on. */
  async startAfter(config: Config, predecessor: Predecessor): Promise<void> {
    this.#prepare(config, true);
    await takeOver(this.#units, predecessor, logKeeper);
    this.#checkReady();
  }

  #prepare(config: Config, besideAnother: boolean): void {
    this.#mode = config.controls.mode;
    this.#config = config;
    for (const manifest of manifests) {
      if (manifest.startedBy === "start") continue;
      this.#writeGrants(manifest, config);
      for (const [name, options] of this.#childrenOf(manifest, config)) {
        this.#units.set(name, new Unit(manifest, options, { besideAnother, onDemand: isOnDemand(manifest, config) }));
      }
    }
    this.#feed.active = this.#keepsLog;
    copyLog((lines) => this.#feed.take(lines));
  }

  /** Ends a process for a successor's sake. */
  async retire(name: string): Promise<void> {
    const unit = this.#units.get(name);
    if (unit === undefined || this.#stopping) return;
    this.#startOrder?.startOthers();
    this.#retired.add(unit);
    await unit.retire();
  }

  /** Takes back all that was retired; settles when it is ready. */
  async resume(): Promise<void> {
    for (const manifest of manifests) if (manifest.startedBy !== "start") this.#writeGrants(manifest, this.#config!);
    this.#allReady = Promise.withResolvers();
    for (const unit of this.#retired) if (unit.wanted && !this.#stopping) unit.comeBack();
    this.#retired.clear();
    this.#checkReady();
    await this.#allReady.promise;
  }

  /** Settles when all are gone that have a successor. */
  async left(): Promise<void> {
    await Promise.all(Array.from(this.#units.values(), (unit) => unit.left()));
  }

  /** Writes all of a component's grants; answers whether its own is another than before. */
  #writeGrants(manifest: Manifest, config: Config): boolean {
    const grant = manifest.permissions(config);
    if (grant.broker !== undefined) this.#decided.set(grant.broker, rightsOf(grant, this.#home));
    return writeGrants(manifest, config, this.#settings);
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
    const idle = isOnDemand(manifest, config) ? ["--idle", String(config.controls.idleseconds)] : [];
    return {
      name: instanceName(manifest, instance),
      launcher: this.#home.libexec("launch", manifest.name),
      args: [...asRoot, ...which, ...idle, ...(this.#settings.json ? ["--json"] : [])],
      ids: this.#settings.changeUser && !staysRoot && !bindsFirst ? ids : undefined,
      grant: flagsOf(manifest.permissions(config), this.#home),
      onReady: () => {
        this.#startOrder?.check();
        this.#checkReady();
      },
      onNeeds: (socket) => this.wake(socket),
      onIdle: () => logEvent("idle", { component: instanceName(manifest, instance) }),
      feed: manifest.name === logKeeper ? this.#feed : undefined,
    };
  }

  /** Starts who serves this socket, if it sleeps. */
  wake(socket: string): void {
    if (this.#config === undefined) return;
    for (const [name, unit] of this.#units) {
      if (!unit.asleep || !unit.wanted || this.#retired.has(unit)) continue;
      // At the end, who is still to be stopped may be needed by those that finish their work.
      if (this.#stopping && unit.manifest.stopOrder <= this.#stopOrder) continue;
      const { serves = [] } = unit.manifest.permissions(this.#config);
      if (!serves.some((served) => this.#home.socket(served) === socket)) continue;
      unit.wake();
      logEvent("needed", { component: name });
    }
  }

  get #keepsLog(): boolean {
    return this.#wanted.some(({ manifest }) => manifest.name === logKeeper);
  }

  /** Those that are to run, in the order of the manifests. */
  get #wanted(): Unit[] {
    return [...this.#units.values()].filter(({ wanted }) => wanted);
  }

  get #isReady(): boolean {
    return this.#wanted.every((unit) => unit.ready || unit.spared);
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
    this.#config = config;
    this.#startOrder?.startOthers();
    for (const manifest of manifests) {
      if (manifest.startedBy === "start") continue;
      const changed = this.#writeGrants(manifest, config);
      const wanted = this.#childrenOf(manifest, config);
      for (const [name, unit] of this.#units) {
        if (unit.manifest === manifest && unit.wanted && !wanted.has(name)) this.#dismiss(name, unit);
      }
      for (const [name, options] of wanted) {
        this.#renew(name, manifest, options, changed);
        this.#units.get(name)!.onDemand = isOnDemand(manifest, config);
      }
    }
    this.#feed.active = this.#keepsLog;
    this.#checkReady();
    log("reloaded");
    return [];
  }

  /** Brings one process up to the options of a reload. */
  #renew(name: string, manifest: Manifest, options: ChildOptions, grantChanged: boolean): void {
    const unit = this.#units.get(name);
    if (unit === undefined) {
      const onDemand = isOnDemand(manifest, this.#config!);
      const fresh = new Unit(manifest, options, { onDemand });
      this.#units.set(name, fresh);
      if (onDemand) return;
      logEvent("needed", { component: name });
      return fresh.start();
    }
    if (unit.asleep) {
      unit.wanted = true;
      unit.restart(options);
    } else if (!unit.wanted || grantChanged) {
      logEvent(unit.wanted ? "regranted" : "needed", { component: name });
      unit.wanted = true;
      unit.restart(options);
    } else {
      unit.options = options;
      unit.signal("SIGHUP");
    }
  }

  /** Stops a process for good, or until another reload wants it. */
  #dismiss(name: string, unit: Unit): void {
    logEvent("not-needed", { component: name });
    unit.wanted = false;
    void unit.stop().then(() => {
      if (!unit.wanted) this.#units.delete(name);
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#startOrder?.drop();
    const units = [...this.#units.values()];
    const orders = [...new Set(units.map(({ manifest }) => manifest.stopOrder))].sort((a, b) => a - b);
    for (const now of orders) {
      this.#stopOrder = now;
      const ending = units.filter(({ manifest }) => manifest.stopOrder === now);
      await Promise.all(ending.map((unit) => unit.stop()));
    }
  }

  /** Where several processes share a port, or have one each of the same name, the first one's is told. */
  get ports(): Readonly<Record<string, number>> {
    return Object.assign({}, ...this.#wanted.map(({ ports }) => ports).reverse());
  }

  status(): SupervisorStatus {
    const nowMs = Date.now();
    return {
      pid: Deno.pid,
      startedSeconds: Math.floor(this.#startedMs / 1000),
      ready: this.#isReady,
      components: [...this.#units.values()].flatMap((unit) => unit.status(nowMs)),
    };
  }
}

export async function run(
  { home, portOffset, requestStop, successor: takesOver = false }: Start,
  settings: Settings,
): Promise<Running> {
  const config = readOwnConfig(home, portOffset);
  if (!isConfig(config)) throw new CannotStart(config.join("; "));
  const supervisor = new Supervisor(home, portOffset, settings);
  const predecessor = takesOver ? new Predecessor(home) : undefined;
  await predecessor?.begin();
  const serveBrokers = () =>
    brokerNames.map((name): Broker =>
      serveBroker(home.socket(name), {
        decide: (check) => supervisor.decides(name, check),
        onGarbage: (reason) => logEvent("garbage", { socket: name, reason }),
      })
    );
  let brokers = serveBrokers();
  if (predecessor !== undefined) await supervisor.startAfter(config, predecessor);
  const successor = new Successor({
    retire: (component) => supervisor.retire(component),
    resume: () => {
      // The other one had put its own in their place.
      for (const broker of brokers) broker.stop();
      brokers = serveBrokers();
      return supervisor.resume();
    },
    leave: () => void supervisor.left().then(requestStop),
  });
  const reload = () => successor.underWay ? ["an upgrade is under way"] : supervisor.reload();
  const control = serveUnix(home.socket("supervisor"), {
    onFrame: (frame, pipe) => {
      const id = field.wholeNumber(frame.head, "id");
      const op = field.oneOf(frame.head, "op", ["reload", "stop", "status", "about", "needs", ...handOverOps]);
      switch (op) {
        case "reload":
          pipe.send({ id, defects: reload() });
          break;
        case "stop":
          pipe.send({ id });
          requestStop();
          break;
        case "status":
          pipe.send({ id, ...supervisor.status() });
          break;
        case "needs":
          supervisor.wake(field.text(frame.head, "socket"));
          pipe.send({ id });
          break;
        case "about":
          pipe.send({ id, handOver: handOverProtocol, portOffset, code: settings.code, audit: settings.audit });
          break;
        default:
          return successor.onFrame(op, frame, pipe);
      }
    },
    onClose: (pipe) => successor.onClose(pipe),
    onError: (error) => logEvent("garbage", { socket: "supervisor", reason: describeError(error) }),
  });
  const others = new Map([["controls", () => readShownControls(home, settings.changeUser)]]);
  const status = serveStatus(home, "supervisor-status", () => supervisor.status(), others);
  // It may have died over it: everything is here all the same.
  if (predecessor !== undefined) await predecessor.taken().catch(() => {});
  else supervisor.start(config);
  await supervisor.allReady;
  return {
    ports: supervisor.ports,
    reload,
    stop: async () => {
      control.stop();
      status.stop();
      await supervisor.stop();
      for (const broker of brokers) broker.stop();
    },
  };
}
