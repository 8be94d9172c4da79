/**
 * A private dqmail for one benchmark: its own home in a temporary folder, its own ports on loopback, stopped and removed
 * with everything it queued when the benchmark ends.
 * @module
 */
import { join } from "@std/path";
import { addDkimKeys, addUsers, makeHome, removeHome, writeControls } from "./home.ts";
import { freePort, host, startInstance } from "./instance.ts";
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
  /** A domain to make DKIM keys for. */
  readonly dkimDomain?: string;
  /** Further control files; they go over those that follow from the plan. */
  readonly controls?: Readonly<Record<string, string>>;
}

/** A private server that answers on its SMTP port. */
export interface Server extends AsyncDisposable {
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly maildirs: readonly string[];
}

const startLimitMs = 30_000;
const stopLimitMs = 10_000;

/** The control files for a plan. */
export function controlFiles(
  plan: Omit<ServerPlan, "dir" | "users" | "dkimDomain">,
  ports: { readonly smtp: number; readonly admin: number },
): Readonly<Record<string, string>> {
  return {
    me: "localhost",
    locals: "localhost",
    rcpthosts: "localhost",
    relayclients: "127.0.0.0/8",
    listeners: `smtp ${host}:${ports.smtp}\nadmin ${host}:${ports.admin}`,
    concurrencyremote: plan.hold || plan.relayPort === undefined ? "0" : "20",
    ...(plan.hold ? { concurrencylocal: "0" } : {}),
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
    await writeControls(home, controlFiles(plan, { smtp: port, admin: freePort() }));
    await addUsers(home, plan.users);
    if (plan.dkimDomain !== undefined) await addDkimKeys(home, plan.dkimDomain);
    const { pid, stop } = await startInstance(home, port, { startLimitMs, stopLimitMs });
    const maildirs = maildirsOf(home, plan.users);
    let disposed: Promise<void> | undefined; // a second call waits as well
    const dispose = () => disposed ??= stop().then(() => removeHome(home));
    return { home, host, port, pid, maildirs, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await removeHome(home);
    throw error;
  }
}
