/**
 * qmail-smtpd's shell: binds the ports, gives up root, hands each client to a connection, and lets those end in order.
 * @module
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import type { Controls } from "../../config/schema.ts";
import type { Endpoint } from "../../config/values.ts";
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { utf8Octets } from "../lib/octets.ts";
import { type Ids, netAddress } from "../lib/permissions/grant.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { Client, ConnectionLost } from "../lib/wire/client.ts";
import { type GetpwReply, parseGetpwReply } from "../lib/wire/getpw_protocol.ts";
import { Connection, type Service, type Values } from "./connection.ts";
import { smtpEndpoints } from "./permissions.ts";
import { MailboxCache } from "./mailbox_cache.ts";
import { clientAddress, compileRules } from "./policy.ts";
import { farewells } from "./session.ts";

/** One process could hold far more; a thousand clients that say nothing cost it some 25 MB. */
const maxConnections = 1000;

/** So long a message waits for a qmail-queue that is being started, before its client is told to try again. */
const queueAwayMs = 5000;

/** How long messages under way may go on coming in after a stop. */
const stopMs = 1500;

function valuesOf(controls: Controls): Values {
  return {
    settings: { greeting: utf8Octets(controls.smtpgreeting), databytes: controls.databytes },
    rules: compileRules(controls),
    timeoutSeconds: controls.timeoutsmtpd,
  };
}

/** Answers the server, or undefined where the machine has no such IPv6 address. */
function listenOn({ host, port }: Endpoint, onSocket: (socket: Socket) => void): Promise<Server | undefined> {
  const isV6 = host.includes(":");
  // A client that sends all and closes its side still gets its replies.
  const server = createServer({ allowHalfOpen: true }, onSocket);
  return new Promise((resolve, reject) => {
    server.once("error", (error: Error & { code?: string }) => {
      // EINVAL is what node:net of deno 2.9.6 makes of EADDRNOTAVAIL.
      const { code = "" } = error;
      if (!isV6 || !["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"].includes(code)) return reject(error);
      logEvent("not-listening", { address: netAddress({ host, port }), reason: code });
      resolve(undefined);
    });
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      // Out of descriptors, say: those in use come free, the client waits in the backlog.
      server.on("error", (error: Error) => log(`alert: cannot accept a connection: ${describeError(error)}`));
      resolve(server);
    });
  });
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

export async function run({ home, portOffset }: Start, ids?: Ids): Promise<Running> {
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
  const onSocket = (socket: Socket) => {
    socket.setNoDelay(true);
    if (connections.size < maxConnections) {
      connections.add(new Connection(socket, values, service));
      return;
    }
    logEvent("closed", { ip: clientAddress(socket.remoteAddress), reason: "too-many-connections" });
    socket.on("error", () => {});
    socket.end(farewells.tooManyConnections, () => socket.destroy());
  };
  const servers: Server[] = [];
  for (const endpoint of smtpEndpoints(controls.current.listeners, portOffset)) {
    const server = await listenOn(endpoint, onSocket);
    if (server !== undefined) servers.push(server);
  }
  if (servers.length === 0) {
    throw new CannotStart('nothing to listen on: expected a line "smtp address:port" in control/listeners');
  }
  if (ids !== undefined) {
    process.setgid!(ids.gid);
    process.setuid!(ids.uid);
  }
  const clock = setInterval(() => connections.forEach((connection) => connection.tick()), 1000);
  return {
    ports: portsOf(servers),
    reload: () => {
      const defects = controls.reload();
      if (defects.length === 0) values = valuesOf(controls.current);
      return defects;
    },
    stop: async () => {
      for (const server of servers) server.close();
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
function portsOf(servers: readonly Server[]): Record<string, number> {
  const named = servers.map((server, index) =>
    [index === 0 ? "smtp" : `smtp${index + 1}`, (server.address() as AddressInfo).port] as const
  );
  return Object.fromEntries(named);
}
