/**
 * The way of a client from the door to its connection, whatever is spoken there: for whom a proxy speaks, whether it may
 * come in at all, whether there is room, its handshake where the channel is encrypted from the start.
 * @module
 */
import { describeError, log, logEvent } from "../log/log.ts";
import { clientAddress } from "../policy/networks.ts";
import { ClientSocket } from "./client_socket.ts";
import type { Listening } from "./listening.ts";
import type { Places, Refusal } from "./places.ts";
import { closeQuietly, readProxyHeader } from "./proxied.ts";
import type { Visitor } from "./visitors.ts";

/** What has to be known of a client to let it in. */
export type Arriving = Pick<Visitor, "ip" | "network" | "trusted" | "isProxy" | "denied">;

/** A client's connection. */
export interface Guest {
  /** Called each second. */
  tick(): void;
  /** The server is being stopped: what is under way may be finished, nothing else begun. */
  goDown(): void;
  destroy(): void;
}

/** Whom a connection is made for. */
export interface Admission<E extends string, V extends Arriving> {
  readonly entrance: E;
  readonly visitor: V;
  /** It gets less patience under stress. */
  readonly stranger: boolean;
  /** There are more connections than usual. */
  readonly stress: boolean;
  /** Where a proxy names the client; else the socket's other end. */
  readonly remoteAddress?: string;
}

/** What is known of clients by their addresses. */
export interface VisitorBook<V extends Arriving> {
  /** Whether rules are about clients' names. */
  readonly needHost: boolean;
  at(remoteAddress: string | undefined): V;
  named(remoteAddress: string | undefined, host: string | undefined): V;
}

/** What one kind of server decides and does for its clients; `S` is what it knows of an encrypted channel. */
export interface House<E extends string, V extends Arriving, S> {
  readonly visitors: VisitorBook<V>;
  /** Whether TLS begins with the first octet (RFC 8314 §3). */
  isTlsFirst(entrance: E): boolean;
  /** The handshake of a client that begins so; rejects where it fails. */
  secure(socket: ClientSocket, admission: Admission<E, V>): Promise<S>;
  /** Makes its connection, which calls `onClose` once and last, even before this returns. */
  welcome(
    socket: ClientSocket,
    admission: Admission<E, V>,
    secured: S | undefined,
    onClose: () => void,
  ): Guest;
  /** Its protocol has no word that sends a client away: sessions come to their own end. */
  readonly hasNoGoodbye?: boolean;
  /** What is said to a client for whom there is no room, in the clear; undefined: nothing. */
  farewell(refusal: Refusal): string | undefined;
}

export interface ReceptionOptions<E extends string, V extends Arriving, S> {
  readonly places: Places;
  readonly house: House<E, V, S>;
  /** The name of a client that rules are about, if it has one. */
  readonly hostOf?: (ip: string) => Promise<string | undefined>;
}

export class Reception<E extends string, V extends Arriving, S> {
  readonly #places: Places;
  readonly #house: House<E, V, S>;
  readonly #hostOf: NonNullable<ReceptionOptions<E, V, S>["hostOf"]>;
  readonly #guests = new Set<Guest>();
  /** On their way to a connection. */
  readonly #arriving = new Set<Deno.Conn>();
  #onEmpty = () => {};
  #goingDown = false;
  #wasStressed = false;

  constructor({ places, house, hostOf = () => Promise.resolve(undefined) }: ReceptionOptions<E, V, S>) {
    this.#places = places;
    this.#house = house;
    this.#hostOf = hostOf;
  }

  /** A client has connected. Takes no promise unless somebody has to be waited for. */
  onConn(listening: Listening<E>, conn: Deno.Conn): void {
    const remoteAddress = conn.remoteAddr.transport === "tcp" ? conn.remoteAddr.hostname : undefined;
    const isProxied = listening.kind === "tcp" && listening.proxy;
    const { visitors } = this.#house;
    if (!isProxied && !visitors.needHost) return this.#admit(listening, conn, visitors.at(remoteAddress));
    // None of them has a place yet.
    if (this.#arriving.size >= this.#places.limits.connections) {
      return this.#turnAway(conn, remoteAddress, "too-many-connections");
    }
    this.#arriving.add(conn);
    void this.#arrive(listening, conn, remoteAddress, isProxied).catch((error) => {
      log(`alert: cannot take a connection: ${describeError(error)}`);
      closeQuietly(conn);
    }).finally(() => {
      this.#arriving.delete(conn);
      this.#noteEmpty();
    });
  }

  /** What comes before it may come in, and needs time. */
  async #arrive(
    listening: Listening<E>,
    conn: Deno.Conn,
    remoteAddress: string | undefined,
    isProxied: boolean,
  ): Promise<void> {
    let address = remoteAddress;
    if (isProxied) {
      if (!this.#house.visitors.at(remoteAddress).isProxy) return this.#turnAway(conn, remoteAddress, "no-proxy");
      const header = await readProxyHeader(conn);
      if (!header.ok) return this.#turnAway(conn, remoteAddress, header.error);
      if (header.value.kind === "proxied") address = header.value.source.ip;
    }
    const { visitors } = this.#house;
    const ip = clientAddress(address);
    const host = visitors.needHost && ip !== "unknown" ? await this.#hostOf(ip) : undefined;
    const visitor = visitors.needHost ? visitors.named(address, host) : visitors.at(address);
    this.#admit(listening, conn, visitor, address === remoteAddress ? undefined : address);
  }

  #admit(listening: Listening<E>, conn: Deno.Conn, visitor: V, proxied?: string): void {
    if (visitor.denied) return this.#turnAway(conn, visitor.ip, "denied");
    const { network } = visitor;
    const nowMs = Date.now();
    // Whoever may open a socket of this machine has been let in by the machine.
    const trusted = visitor.trusted || listening.kind === "unix";
    const refusal = this.#places.enter({ network, trusted }, nowMs);
    if (refusal !== undefined) return this.#refuse(listening, conn, visitor, refusal);
    this.#noteStress();
    const { entrance } = listening;
    const admission = {
      entrance,
      visitor,
      stranger: !trusted && !this.#places.isGood(network, nowMs),
      stress: this.#places.stressed,
      ...(proxied === undefined ? {} : { remoteAddress: proxied }),
    };
    const socket = new ClientSocket(conn as Deno.TcpConn);
    if (this.#house.isTlsFirst(entrance)) return void this.#shakeHands(socket, conn, admission);
    this.#connect(socket, admission);
  }

  #connect(socket: ClientSocket, admission: Admission<E, V>, secured?: S): void {
    let guest: Guest | undefined = undefined;
    let isOver = false;
    const { network } = admission.visitor;
    const onClose = () => {
      isOver = true;
      if (guest !== undefined) this.#onClose(guest, network);
    };
    guest = this.#house.welcome(socket, admission, secured, onClose);
    // It was over before it had come into being.
    if (isOver) return this.#leave(network);
    this.#guests.add(guest);
    if (this.#goingDown) guest.goDown();
  }

  async #shakeHands(socket: ClientSocket, conn: Deno.Conn, admission: Admission<E, V>): Promise<void> {
    const { ip, network } = admission.visitor;
    this.#arriving.add(conn);
    const secured = await this.#house.secure(socket, admission).catch((error) =>
      logEvent("tls-failed", { ip, reason: describeError(error) })
    );
    this.#arriving.delete(conn);
    if (secured !== undefined) return this.#connect(socket, admission, secured);
    socket.destroy();
    this.#leave(network);
    this.#noteEmpty();
  }

  /** Before anything was said: whoever speaks another protocol than the listener's understands no reply. */
  #turnAway(conn: Deno.Conn, remoteAddress: string | undefined, reason: string): void {
    logEvent("closed", { ip: clientAddress(remoteAddress), reason });
    closeQuietly(conn);
  }

  #refuse({ entrance }: Listening<E>, conn: Deno.Conn, { ip }: V, refusal: Refusal): void {
    logEvent("closed", { ip, reason: refusal });
    const farewell = this.#house.isTlsFirst(entrance) ? undefined : this.#house.farewell(refusal);
    if (farewell === undefined) return closeQuietly(conn);
    const socket = new ClientSocket(conn as Deno.TcpConn);
    socket.write(farewell);
    socket.destroySoon();
  }

  #onClose(guest: Guest, network: string): void {
    if (!this.#guests.delete(guest)) return;
    this.#leave(network);
    this.#noteEmpty();
  }

  #noteEmpty(): void {
    if (this.#guests.size + this.#arriving.size === 0) this.#onEmpty();
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
    for (const guest of this.#guests) guest.tick();
  }

  /** Lets what is under way be finished, for so long, and ends all the others. */
  async stop(limitMs: number): Promise<void> {
    for (const conn of this.#arriving) closeQuietly(conn);
    this.#sendAway();
    await this.#end(limitMs);
  }

  /** The same, but whoever was on the way to a connection still gets one, to be told to come again. */
  async handOver(limitMs: number): Promise<void> {
    if (this.#house.hasNoGoodbye !== true) this.#sendAway();
    await this.#end(limitMs);
  }

  #sendAway(): void {
    this.#goingDown = true;
    for (const guest of this.#guests) guest.goDown();
  }

  async #end(limitMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (this.#guests.size + this.#arriving.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
        timer = setTimeout(resolve, limitMs);
      });
    }
    clearTimeout(timer);
    for (const conn of this.#arriving) closeQuietly(conn);
    for (const guest of this.#guests) guest.destroy();
  }
}
