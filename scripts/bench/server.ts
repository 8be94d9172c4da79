/**
 * A private dqmail for one benchmark: its own home in a temporary folder, its own ports on loopback, stopped and removed
 * with everything it queued when the benchmark ends.
 * @module
 */
import { join } from "@std/path";
import { addDkimKeys, addUsers, makeHome, removeHome, writeControls } from "./home.ts";
import { freePort, host, type Instance, startInstance } from "./instance.ts";
import { expandMaildirs } from "./pattern.ts";

/** What the private server is to do. */
export interface ServerPlan {
  /** The folder in which the home is made. */
  readonly dir: string;
  /** Mailboxes u0@localhost, u1@localhost and so on. */
  readonly users: number;
  /** Keep everything in the queue. */
  readonly hold: boolean;
  /** Port of 127.0.0.1 to which all remote mail goes; without one remote mail is held. */
  readonly relayPort: number | undefined;
  /** So many may be open at a time; undefined: no more than a load needs. */
  readonly connections?: number;
  /** Of dqmail's, besides SMTP; undefined: the admin page's alone. */
  readonly services?: readonly string[];
  /** A domain to make DKIM keys for. */
  readonly dkimDomain?: string;
  /** Further control files; they go over those that follow from the plan. */
  readonly controls?: Readonly<Record<string, string>>;
}

/** A private server that answers on its SMTP port, whatever software it is. */
export interface Server extends AsyncDisposable {
  readonly home: string;
  readonly host: string;
  readonly port: number;
  /** Root of its process tree; another after a restart. */
  readonly pid: number;
  readonly maildirs: readonly string[];
  /** Stops it and starts it on what is there; answers the seconds from the start's command to the first 220. */
  restart(): Promise<number>;
}

/** What makes such a server. */
export type Starter = (plan: ServerPlan) => Promise<Server>;

const startLimitMs = 30_000;
const stopLimitMs = 10_000;

/** The control files for a plan; `ports` by service. */
export function controlFiles(
  plan: Omit<ServerPlan, "dir" | "users" | "dkimDomain" | "services">,
  ports: Readonly<Record<string, number>>,
): Readonly<Record<string, string>> {
  return {
    me: "localhost",
    locals: "localhost",
    rcpthosts: "localhost",
    relayclients: "127.0.0.0/8",
    listeners: Object.entries(ports).map(([service, port]) => `${service} ${host}:${port}`).join("\n"),
    concurrencyremote: plan.hold || plan.relayPort === undefined ? "0" : "20",
    // Held mail is never done, so the journal of a server that delivers would be full sooner or later.
    ...(plan.hold ? { concurrencylocal: "0", journalbytes: "2000000000" } : {}),
    ...(plan.connections === undefined ? {} : { concurrencyincoming: String(2 * plan.connections + 100) }),
    ...(plan.relayPort === undefined ? {} : { smtproutes: `:${host}:${plan.relayPort}` }),
    ...plan.controls,
  };
}

/** The Maildirs of u0@localhost and so on. */
export function maildirsOf(home: string, users: number): readonly string[] {
  return expandMaildirs(join(home, "mail", "localhost", "u%u", "Maildir"), users);
}

/** Makes a home, starts dqmail in it and waits for its 220. Throws, with the end of its log, where that does not come. */
export async function startServer(plan: ServerPlan): Promise<Server> {
  const home = await makeHome(plan.dir);
  const port = freePort();
  try {
    const services = plan.services ?? ["admin"];
    const ports = Object.fromEntries(services.map((service) => [service, freePort()]));
    await writeControls(home, controlFiles(plan, { smtp: port, ...ports }));
    await addUsers(home, plan.users);
    if (plan.dkimDomain !== undefined) await addDkimKeys(home, plan.dkimDomain);
    const limits = { startLimitMs, stopLimitMs };
    let instance: Instance = await startInstance(home, port, limits);
    const maildirs = maildirsOf(home, plan.users);
    let disposed: Promise<void> | undefined; // a second call waits as well
    const dispose = () => disposed ??= instance.stop().then(() => removeHome(home));
    return {
      home,
      host,
      port,
      get pid() {
        return instance.pid;
      },
      maildirs,
      async restart() {
        await instance.stop();
        instance = await startInstance(home, port, limits);
        return instance.greetingSeconds;
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await removeHome(home);
    throw error;
  }
}
