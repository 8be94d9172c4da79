/**
 * qmail-smtpd's shell: binds the ports, gives up root, hands each client to a connection, and lets those end in order.
 * @module
 */
import process from "node:process";
import type { Controls } from "../../config/schema.ts";
import type { Endpoint } from "../../config/values.ts";
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { utf8Octets } from "../lib/octets.ts";
import { type Ids, netAddress } from "../lib/permissions/grant.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { farewells } from "../lib/smtp/server_session.ts";
import { Client, ConnectionLost } from "../lib/wire/client.ts";
import { type GetpwReply, parseGetpwReply } from "../lib/wire/getpw_protocol.ts";
import { ClientSocket } from "./client_socket.ts";
import { Connection, type Service, type Values } from "./connection.ts";
import { smtpEndpoints } from "./permissions.ts";
import { MailboxCache } from "./mailbox_cache.ts";
import { compileRules, KnownClients } from "./policy.ts";

/** One process could hold far more; a thousand clients that say nothing cost it some 25 MB. */
const maxConnections = 1000;

/** So long a message waits for a qmail-queue that is being started, before its client is told to try again. */
const queueAwayMs = 5000;

/** After a connection that could not be taken. */
const acceptAgainMs = 100;

/** How long messages under way may go on coming in after a stop. */
const stopMs = 1500;

function valuesOf(controls: Controls): Values {
  const rules = compileRules(controls);
  return {
    settings: { greeting: utf8Octets(controls.smtpgreeting), databytes: controls.databytes },
    rules,
    clients: new KnownClients(rules),
    timeoutSeconds: controls.timeoutsmtpd,
  };
}

/** Answers the listener, or undefined where the machine has no such IPv6 address. */
function listenOn({ host, port }: Endpoint): Deno.TcpListener | undefined {
  try {
    return Deno.listen({ hostname: host, port });
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    // The second: the kernel has no IPv6 at all.
    if (!host.includes(":") || !["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(code)) throw error;
    logEvent("not-listening", { address: netAddress({ host, port }), reason: code });
    return undefined;
  }
}

/** Takes connections until the listener is closed. */
async function acceptAll(listener: Deno.TcpListener, onConn: (conn: Deno.TcpConn) => void): Promise<void> {
  for (;;) {
    try {
      onConn(await listener.accept());
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      // Out of descriptors, say: those in use come free, the client waits in the backlog.
      log(`alert: cannot accept a connection: ${describeError(error)}`);
      await new Promise((resolve) => setTimeout(resolve, acceptAgainMs));
    }
  }
}

/** Never rejects: whatever goes wrong, nobody is told that a mailbox does not exist. */
async function ask(getpw: Client, cache: MailboxCache, address: string): Promise<GetpwReply["kind"]> {
  try {
    const { kind } = parseGetpwReply(await getpw.request({ op: "check", address }));
    if (kind === "exists") cache.add(address, Date.now());
    return kind;
  } catch (error) {
    if (!(error instanceof ConnectionLost)) log(`alert: cannot ask qmail-getpw: ${describeError(error)}`);
    return "unsure";
  }
}

export function run({ home, portOffset }: Start, ids?: Ids): Running {
  const controls = new ControlValues(home, "qmail-smtpd");
  let values = valuesOf(controls.current);
  const connections = new Set<Connection>();
  let onEmpty = () => {};
  const queue = new Client(home.socket("qmail-queue"), { connectMs: queueAwayMs });
  const getpw = new Client(home.socket("qmail-getpw"));
  const mailboxes = new MailboxCache();
  const service: Service = {
    queue,
    // As qmail-queue notes it down: qmaild's where that is known (to ask the system would take a right of its own).
    uid: ids?.uid ?? 0,
    check: (address) => mailboxes.has(address, Date.now()) ? "exists" : ask(getpw, mailboxes, address),
    onClose: (connection) => {
      connections.delete(connection);
      if (connections.size === 0) onEmpty();
    },
  };
  const onConn = (conn: Deno.TcpConn) => {
    const socket = new ClientSocket(conn);
    if (connections.size < maxConnections) {
      connections.add(new Connection(socket, values, service));
      return;
    }
    logEvent("closed", { ip: values.clients.at(socket.remoteAddress).ip, reason: "too-many-connections" });
    socket.write(farewells.tooManyConnections);
    socket.destroySoon();
  };
  const listeners = smtpEndpoints(controls.current.listeners, portOffset).flatMap((endpoint) =>
    listenOn(endpoint) ?? []
  );
  if (listeners.length === 0) {
    throw new CannotStart('nothing to listen on: expected a line "smtp address:port" in control/listeners');
  }
  if (ids !== undefined) {
    process.setgid!(ids.gid);
    process.setuid!(ids.uid);
  }
  const accepting = listeners.map((listener) => acceptAll(listener, onConn));
  const clock = setInterval(() => connections.forEach((connection) => connection.tick()), 1000);
  return {
    ports: portsOf(listeners),
    reload: () => {
      const defects = controls.reload();
      if (defects.length === 0) values = valuesOf(controls.current);
      return defects;
    },
    stop: async () => {
      for (const listener of listeners) listener.close();
      // Only then has the system closed the port.
      await Promise.all(accepting);
      connections.forEach((connection) => connection.goDown());
      let timer: ReturnType<typeof setTimeout> | undefined;
      if (connections.size > 0) {
        await new Promise<void>((resolve) => {
          onEmpty = resolve;
          timer = setTimeout(resolve, stopMs);
        });
      }
      clearTimeout(timer);
      clearInterval(clock);
      connections.forEach((connection) => connection.destroy());
      queue.close();
      getpw.close();
    },
  };
}

/** "smtp", "smtp2", … in the order of control/listeners. */
function portsOf(listeners: readonly Deno.TcpListener[]): Record<string, number> {
  const named = listeners.map(({ addr }, index) => [index === 0 ? "smtp" : `smtp${index + 1}`, addr.port] as const);
  return Object.fromEntries(named);
}
