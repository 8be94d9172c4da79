/**
 * The way of a client from the door to its connection: for whom a proxy speaks, whether it may come in at all, whether
 * there is room, its handshake where the channel is encrypted from the start.
 * @module
 */
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { clientAddress } from "../lib/policy/networks.ts";
import { assertNever } from "../lib/result.ts";
import { farewells } from "../lib/smtp/server_session.ts";
import { ClientSocket } from "./client_socket.ts";
import { type Arrival, Connection, type Service, type Values } from "./connection.ts";
import type { Entrances } from "./entrances.ts";
import { type Places, type Refusal, refusals } from "./overload.ts";
import type { Listening } from "./permissions.ts";
import { closeQuietly, readProxyHeader } from "./proxied.ts";
import type { Visitor } from "./visitors.ts";

export interface ReceptionOptions {
  readonly places: Places;
  readonly entrances: Entrances;
  readonly service: Omit<Service, "onClose">;
  /** The name of a client that rules are about, if it has one. */
  readonly hostOf: (ip: string) => Promise<string | undefined>;
}

export class Reception {
  readonly #places: Places;
  readonly #service: Service;
  readonly #hostOf: ReceptionOptions["hostOf"];
  /** What connections are given from now on. */
  entrances: Entrances;
  /** With whom each counts as. */
  readonly #connections = new Map<Connection, string>();
  /** Those that were over before they had come into being. */
  readonly #overAtOnce = new Set<Connection>();
  /** On their way to a connection. */
  readonly #arriving = new Set<Deno.Conn>();
  #onEmpty = () => {};
  #wasStressed = false;

  constructor({ places, entrances, service, hostOf }: ReceptionOptions) {
    this.#places = places;
    this.entrances = entrances;
    this.#hostOf = hostOf;
    this.#service = { ...service, onClose: (connection) => this.#onClose(connection) };
  }

  /** A client has connected. Takes no promise unless somebody has to be waited for. */
  onConn(listening: Listening, conn: Deno.Conn): void {
    const remoteAddress = conn.remoteAddr.transport === "tcp" ? conn.remoteAddr.hostname : undefined;
    const isProxied = listening.kind === "tcp" && listening.proxy;
    if (!isProxied && !this.entrances.visitors.needHost) return this.#admit(listening, conn, remoteAddress, {});
    // None of them has a place yet.
    if (this.#arriving.size >= this.#places.limits.connections) {
      return this.#turnAway(conn, remoteAddress, "too-many-connections");
    }
    this.#arriving.add(conn);
    void this.#arrive(listening, conn, remoteAddress, isProxied).catch((error) => {
      log(`alert: cannot take a connection: ${describeError(error)}`);
      closeQuietly(conn);
    }).finally(() => this.#arriving.delete(conn));
  }

  /** What comes before it may come in, and needs time. */
  async #arrive(
    listening: Listening,
    conn: Deno.Conn,
    remoteAddress: string | undefined,
    isProxied: boolean,
  ): Promise<void> {
    let address = remoteAddress;
    if (isProxied) {
      if (!this.entrances.visitors.at(remoteAddress).isProxy) return this.#turnAway(conn, remoteAddress, "no-proxy");
      const header = await readProxyHeader(conn);
      if (!header.ok) return this.#turnAway(conn, remoteAddress, header.error);
      if (header.value.kind === "proxied") address = header.value.source.ip;
    }
    const { visitors } = this.entrances;
    const ip = clientAddress(address);
    const host = visitors.needHost && ip !== "unknown" ? await this.#hostOf(ip) : undefined;
    const named = visitors.needHost ? visitors.named(address, host) : undefined;
    const arrival = address === undefined || address === remoteAddress ? {} : { remoteAddress: address };
    this.#admit(listening, conn, address, arrival, named);
  }

  #admit(
    listening: Listening,
    conn: Deno.Conn,
    remoteAddress: string | undefined,
    arrival: Arrival,
    visitor: Visitor = this.entrances.visitors.at(remoteAddress),
  ): void {
    if (visitor.denied) return this.#turnAway(conn, remoteAddress, "denied");
    const { network } = visitor;
    const nowMs = Date.now();
    // Whoever may open a socket of this machine has been let in by the machine.
    const trusted = visitor.trusted || listening.kind === "unix";
    const refusal = this.#places.enter({ network, trusted }, nowMs);
    if (refusal !== undefined) return this.#refuse(listening, conn, visitor, refusal);
    this.#noteStress();
    const { entrance } = listening;
    const stranger = !trusted && !this.#places.isGood(network, nowMs);
    const values = this.entrances.valuesFor(entrance, visitor, stranger);
    const socket = new ClientSocket(conn as Deno.TcpConn);
    const whole: Arrival = {
      ...arrival,
      entrance,
      stress: this.#places.stressed,
      ...(visitor.environment.size === 0 ? {} : { environment: visitor.environment }),
    };
    if (entrance === "submissions") return void this.#shakeHands(socket, conn, values, whole, visitor);
    this.#connect(socket, values, whole, network);
  }

  #connect(socket: ClientSocket, values: Values, arrival: Arrival, network: string): void {
    const connection = new Connection(socket, values, this.#service, arrival);
    if (this.#overAtOnce.delete(connection)) this.#leave(network);
    else this.#connections.set(connection, network);
  }

  /** TLS from the first octet (RFC 8314 §3). */
  async #shakeHands(
    socket: ClientSocket,
    conn: Deno.Conn,
    values: Values,
    arrival: Arrival,
    { ip, network }: Visitor,
  ): Promise<void> {
    this.#arriving.add(conn);
    const secured = await (values.startTls?.(socket) ?? Promise.reject(new Error("there is no certificate"))).catch(
      (error) => logEvent("tls-failed", { ip, reason: describeError(error) }),
    );
    this.#arriving.delete(conn);
    if (secured !== undefined) return this.#connect(socket, values, { ...arrival, secured }, network);
    socket.destroy();
    this.#leave(network);
  }

  /** Before anything was said: whoever speaks another protocol than the listener's understands no reply. */
  #turnAway(conn: Deno.Conn, remoteAddress: string | undefined, reason: string): void {
    logEvent("closed", { ip: clientAddress(remoteAddress), reason });
    closeQuietly(conn);
  }

  #refuse({ entrance }: Listening, conn: Deno.Conn, { ip }: Visitor, refusal: Refusal): void {
    logEvent("closed", { ip, reason: refusal });
    if (entrance === "submissions") return closeQuietly(conn);
    const socket = new ClientSocket(conn as Deno.TcpConn);
    switch (refusal) {
      case "too-many-connections":
        socket.write(farewells.tooManyConnections);
        break;
      case "too-many-from-client":
        socket.write(refusals.tooManyFromClient);
        break;
      default:
        assertNever(refusal);
    }
    socket.destroySoon();
  }

  #onClose(connection: Connection): void {
    const network = this.#connections.get(connection);
    if (network === undefined) {
      this.#overAtOnce.add(connection);
      return;
    }
    this.#connections.delete(connection);
    this.#leave(network);
    if (this.#connections.size === 0) this.#onEmpty();
  }

  #leave(network: string): void {
    this.#places.leave(network);
    this.#noteStress();
  }

  #noteStress(): void {
    const { stressed, taken } = this.#places;
    if (stressed === this.#wasStressed) return;
    this.#wasStressed = stressed;
    logEvent(stressed ? "stress" : "no-stress", { connections: taken });
  }

  /** To be called each second. */
  tick(): void {
    for (const connection of this.#connections.keys()) connection.tick();
  }

  /** Lets messages that are coming in be finished, for so long, and ends all the others. */
  async stop(limitMs: number): Promise<void> {
    for (const conn of this.#arriving) closeQuietly(conn);
    for (const connection of this.#connections.keys()) connection.goDown();
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
        timer = setTimeout(resolve, limitMs);
      });
    }
    clearTimeout(timer);
    for (const connection of this.#connections.keys()) connection.destroy();
  }
}
