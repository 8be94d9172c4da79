/**
 * The way of a client from the door to its connection: for whom a proxy speaks, whether there is room, its handshake where
 * the channel is encrypted from the start.
 * @module
 */
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { clientAddress, networkOf, NetworkSet } from "../lib/policy/networks.ts";
import { ClientSocket } from "../lib/server/client_socket.ts";
import type { TcpListening } from "../lib/server/listening.ts";
import type { Places } from "../lib/server/places.ts";
import { closeQuietly, readProxyHeader } from "../lib/server/proxied.ts";
import { Connection, logTlsFailure } from "./connection.ts";
import type { Pop3Entrance } from "./permissions.ts";
import type { Arrival, Service, Values } from "./service.ts";

export type Listening = TcpListening<Pop3Entrance>;

/** What the control files have said last. */
export interface Rules {
  readonly proxies: NetworkSet;
  /** What a client at this address is given. */
  readonly valuesFor: (ip: string) => Values;
}

export class Reception {
  readonly #places: Places;
  readonly #service: Service;
  /** For connections from now on. */
  rules: Rules;
  /** With the network that each counts as. */
  readonly #connections = new Map<Connection, string>();
  /** Those that were over before they had come into being. */
  readonly #overAtOnce = new Set<Connection>();
  /** On their way to a connection. */
  readonly #arriving = new Set<Deno.Conn>();
  #onEmpty = () => {};

  constructor(places: Places, rules: Rules, open: Service["open"]) {
    this.#places = places;
    this.rules = rules;
    this.#service = {
      open,
      onOpened: (connection) => {
        const network = this.#connections.get(connection);
        // Who has logged in finds a place when strangers have taken all the others.
        if (network !== undefined) this.#places.accepted(network, Date.now());
      },
      onClose: (connection) => this.#onClose(connection),
    };
  }

  /** A client has connected. */
  onConn(listening: Listening, conn: Deno.Conn): void {
    const address = conn.remoteAddr.transport === "tcp" ? conn.remoteAddr.hostname : undefined;
    if (!listening.proxy) return this.#admit(listening, conn, clientAddress(address));
    if (this.#arriving.size >= this.#places.limits.connections) {
      return this.#turnAway(conn, clientAddress(address), "too-many-connections");
    }
    this.#arriving.add(conn);
    void this.#arrive(listening, conn, clientAddress(address)).catch((error) => {
      log(`alert: cannot take a connection: ${describeError(error)}`);
      closeQuietly(conn);
    }).finally(() => this.#arriving.delete(conn));
  }

  async #arrive(listening: Listening, conn: Deno.Conn, proxyIp: string): Promise<void> {
    if (!this.rules.proxies.has(proxyIp)) return this.#turnAway(conn, proxyIp, "no-proxy");
    const header = await readProxyHeader(conn);
    if (!header.ok) return this.#turnAway(conn, proxyIp, header.error);
    const ip = header.value.kind === "proxied" ? clientAddress(header.value.source.ip) : proxyIp;
    this.#admit(listening, conn, ip);
  }

  #admit({ entrance }: Listening, conn: Deno.Conn, ip: string): void {
    const network = networkOf(ip);
    const refusal = this.#places.enter({ network, trusted: false }, Date.now());
    if (refusal !== undefined) return this.#refuse(entrance, conn, ip, refusal);
    const values = this.rules.valuesFor(ip);
    const socket = new ClientSocket(conn as Deno.TcpConn);
    if (entrance === "pop3") this.#connect(socket, values, { entrance, ip }, network);
    else void this.#shakeHands(socket, conn, values, { entrance, ip }, network);
  }

  #connect(socket: ClientSocket, values: Values, arrival: Arrival, network: string): void {
    const connection = new Connection(socket, values, this.#service, arrival);
    if (this.#overAtOnce.delete(connection)) this.#places.leave(network);
    else this.#connections.set(connection, network);
  }

  /** TLS from the first octet (RFC 8314 §3). */
  async #shakeHands(
    socket: ClientSocket,
    conn: Deno.Conn,
    values: Values,
    arrival: Arrival,
    network: string,
  ): Promise<void> {
    this.#arriving.add(conn);
    const secured = await (values.startTls?.(socket) ?? Promise.reject(new Error("there is no certificate")))
      .catch((error) => logTlsFailure(arrival.ip, error));
    this.#arriving.delete(conn);
    if (secured !== undefined) return this.#connect(socket, values, { ...arrival, secured }, network);
    socket.destroy();
    this.#places.leave(network);
    this.#noteEmpty();
  }

  #turnAway(conn: Deno.Conn, ip: string, reason: string): void {
    logEvent("closed", { ip, reason });
    closeQuietly(conn);
  }

  #refuse(entrance: Pop3Entrance, conn: Deno.Conn, ip: string, reason: string): void {
    if (entrance === "pop3s") return this.#turnAway(conn, ip, reason);
    logEvent("closed", { ip, reason });
    const socket = new ClientSocket(conn as Deno.TcpConn);
    socket.write("-ERR [SYS/TEMP] too many connections, try again later\r\n");
    socket.destroySoon();
  }

  #onClose(connection: Connection): void {
    const network = this.#connections.get(connection);
    if (network === undefined) {
      this.#overAtOnce.add(connection);
      return;
    }
    this.#connections.delete(connection);
    this.#places.leave(network);
    this.#noteEmpty();
  }

  /** To be called each second. */
  tick(): void {
    for (const connection of this.#connections.keys()) connection.tick();
  }

  /** Lets answers that are under way come to their end, for so long, and ends all the others. */
  async stop(limitMs: number): Promise<void> {
    for (const conn of this.#arriving) closeQuietly(conn);
    for (const connection of this.#connections.keys()) connection.goDown();
    await this.handOver(limitMs);
  }

  /** Lets sessions come to their own end, for so long: what was marked for removal is removed at QUIT only. */
  async handOver(limitMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (this.#connections.size + this.#arriving.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
        timer = setTimeout(resolve, limitMs);
      });
    }
    clearTimeout(timer);
    for (const conn of this.#arriving) closeQuietly(conn);
    for (const connection of this.#connections.keys()) connection.destroy();
  }

  #noteEmpty(): void {
    if (this.#connections.size + this.#arriving.size === 0) this.#onEmpty();
  }
}
