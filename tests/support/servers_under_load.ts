/**
 * A system with every server at a port of its own, clients at all of them, and what those may meet with.
 * @module
 */
import { assertEquals } from "@std/assert";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import type { SteadyLoad, Way } from "./steady_load.ts";
import { freePort } from "./free_port.ts";
import { newMail } from "./maildir.ts";
import { keepPassword } from "./logins.ts";
import { startSystem, type System } from "./system.ts";
import { waitFor } from "./wait.ts";

export interface Servers {
  readonly system: System;
  readonly ports: Readonly<Record<"smtp" | "submissions" | "qmtp" | "qmqp" | "pop3", number>>;
  /** The text of control/listeners. */
  readonly listeners: string;
}

const recipient = "demo@localhost";
const password = "under load";

/** Starts it with TLS, and a user who may log in. */
export async function startServers(): Promise<Servers> {
  const ports = {
    smtp: freePort(),
    submissions: freePort(),
    qmtp: freePort(),
    qmqp: freePort(),
    pop3: freePort(),
  };
  const listeners = `${
    Object.entries(ports).map(([service, port]) => `${service} 127.0.0.1:${port}\n`).join("")
  }admin 127.0.0.1:0\n`;
  const system = await startSystem({
    tls: true,
    controls: { listeners, qmqpclients: "127.0.0.1\n", concurrencyperclient: "1000\n" },
  });
  keepPassword(system, recipient, password);
  return { system, ports, listeners };
}

const ways: readonly Way[] = ["smtp", "starttls", "submissions", "qmtp", "qmqp", "pop3"];

/** Clients at each server, in each way. */
export function loadEveryServer(load: SteadyLoad, { ports }: Servers, clients = 1): void {
  for (const way of ways) {
    const login = way === "submissions" ? { login: { name: recipient, password } } : {};
    load.add({ way, port: ports[way === "starttls" ? "smtp" : way], clients, recipient, ...login });
  }
}

/**
 * Whether the system gives a closing listener's waiting connections to the others at the port (Linux's
 * net.ipv4.tcp_migrate_req). Where it does not, it resets the few that come in the instant of the closing.
 */
function migrates(): boolean {
  return ifThere(() => Deno.readTextFileSync("/proc/sys/net/ipv4/tcp_migrate_req"))?.trim() === "1";
}

/** Whoever was refused was told to come again, SMTP's 421 between two commands; no connection broke. */
export function assertGentle(load: SteadyLoad, { log }: System): void {
  // The second is what node's TLS says of it.
  const resets = load.broken.filter(({ atOnce, reason }) =>
    atOnce && /ECONNRESET|disconnected before secure TLS/.test(reason)
  );
  const allowed = migrates() ? 0 : Math.max(5, load.sessions / 50);
  const broken = load.broken.filter((one) => resets.length > allowed || !resets.includes(one));
  const said = () => log.text().split("\n").filter((line) => /tls-failed|alert|regranted|killed| restart/.test(line));
  assertEquals(broken, [], broken.length === 0 ? undefined : `${JSON.stringify(broken)}\n${said().join("\n")}`);
  // 454: who knows the passwords is away (RFC 4954 §6).
  const rude = load.refused.filter(({ code, command }) =>
    code !== 451 && (code !== 421 || command === "content") && (code !== 454 || command !== "AUTH")
  );
  assertEquals(rude, []);
}

/** Waits until all that was accepted is in its mailbox. */
export async function waitForAll(load: SteadyLoad, system: System): Promise<void> {
  const seen = new Map<string, string | undefined>();
  const missing = () => {
    for (const path of newMail(system.home)) {
      if (!seen.has(path)) seen.set(path, /^X-Tag: (.*)$/m.exec(Deno.readTextFileSync(path))?.[1]);
    }
    const there = new Set(seen.values());
    return [...load.accepted].filter((tag) => !there.has(tag));
  };
  await waitFor(() => missing().length === 0, "all that was accepted", 20_000).catch(() => {});
  assertEquals(missing(), []);
}
