/**
 * Connects to a server: over IPv4, and to the IPv6 addresses that the grant names, by itself; to all others of IPv6
 * through dial6, for Deno's flags know no networks of IPv6.
 * @module
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { netAddress } from "../lib/permissions/grant.ts";
import { parseDialAnswer } from "../lib/wire/dial_protocol.ts";
import { encodeFrame } from "../lib/wire/frame.ts";
import { Connection } from "./connection.ts";

/**
 * What became of an attempt to connect. `refused` covers unreachable, which says so; `not granted`: our own grant, or
 * dial6's, forbids it.
 */
export type Dialled =
  | { readonly kind: "connected"; readonly connection: Connection }
  | { readonly kind: "refused"; readonly unreachable?: true }
  | { readonly kind: "timeout" | "not granted" };

export interface DialOptions {
  readonly timeoutMs: number;
  /**
   * Address of this machine to connect from, of the same family; without one the system chooses. One that this machine
   * does not have makes the other unreachable. The grant needs `ADDRESS:0`.
   */
  readonly localAddress?: string;
  /**
   * Path of dial6's socket. Without it, or where dial6 is not running, an IPv6 address is unreachable unless the grant
   * names it. (Whether dial6 is to be used at all: `mayCall(home, "dial6")`.)
   */
  readonly dial6?: string;
}

type Failed = Exclude<Dialled, { kind: "connected" }>;
type Settle = (outcome: Failed | { readonly kind: "connected"; readonly socket: Socket }) => void;

const unreachable: Failed = { kind: "refused", unreachable: true };

/** Connects to an address. Never rejects. */
export function dial(address: string, port: number, options: DialOptions): Promise<Dialled> {
  const { localAddress } = options;
  const through = through6(address, port, options.dial6);
  // node:net throws this refusal where nobody can catch it.
  if (through === undefined && localAddress !== undefined && !isGranted(localAddress, 0)) {
    return Promise.resolve({ kind: "not granted" });
  }
  return new Promise((resolve) => {
    const socket = through === undefined ? connectTo(address, port, options) : connect({ path: through });
    const timer = setTimeout(() => settle({ kind: "timeout" }), options.timeoutMs);
    // Stays in place after a failure: an error that comes late must not end the process.
    const onError = (error: Error): void => settle(through === undefined ? failureOf(error) : unreachable);
    const settle: Settle = (outcome) => {
      clearTimeout(timer);
      if (outcome.kind === "connected") {
        socket.off("error", onError);
        resolve({ kind: "connected", connection: new Connection(socket) });
        // A connection through dial6 was paused with the server's first words in it.
        if (through !== undefined) socket.resume();
      } else {
        socket.destroy();
        resolve(outcome);
      }
    };
    socket.on("error", onError);
    if (through === undefined) socket.once("connect", () => settle({ kind: "connected", socket }));
    else askDial6(socket, address, port, localAddress, settle);
  });
}

/** The socket to go through, for an address of IPv6 that this process may not connect to itself. */
function through6(address: string, port: number, dial6: string | undefined): string | undefined {
  if (dial6 === undefined || !address.includes(":")) return undefined;
  return isGranted(address, port) ? undefined : dial6;
}

function isGranted(host: string, port: number): boolean {
  return Deno.permissions.querySync({ name: "net", host: netAddress({ host, port }) }).state === "granted";
}

function connectTo(host: string, port: number, { localAddress }: DialOptions): Socket {
  return connect({ host, port, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) });
}

function failureOf(error: Error & { code?: string }): Failed {
  if (error instanceof Deno.errors.NotCapable) return { kind: "not granted" };
  switch (error.code) {
    case "ETIMEDOUT":
      return { kind: "timeout" };
    case "ECONNREFUSED":
    case "ECONNRESET":
      return { kind: "refused" };
    default:
      // No route, or no such address of this machine to come from (EINVAL, EADDRNOTAVAIL).
      return unreachable;
  }
}

/** Has dial6 connect, and settles with its first octet; what comes behind that is the server's. */
function askDial6(
  socket: Socket,
  address: string,
  port: number,
  localAddress: string | undefined,
  settle: Settle,
): void {
  // An end before the answer: dial6 is stopping, or full.
  const onEnd = (): void => settle(unreachable);
  const onData = (chunk: Uint8Array): void => {
    socket.off("data", onData);
    socket.off("end", onEnd);
    socket.off("close", onEnd);
    socket.pause();
    if (chunk.length > 1) socket.unshift(Buffer.from(chunk.subarray(1)));
    settle(readAnswer(chunk[0]!, socket));
  };
  socket.on("data", onData);
  socket.on("end", onEnd);
  socket.on("close", onEnd);
  socket.once("connect", () => {
    const request = { op: "dial", address, port, ...(localAddress === undefined ? {} : { localAddress }) };
    socket.write(encodeFrame(request));
  });
}

/** What dial6 says; an octet of no meaning is no connection. */
function readAnswer(octet: number, socket: Socket): Parameters<Settle>[0] {
  const answer = parseDialAnswer(octet);
  switch (answer) {
    case "connected":
      return { kind: "connected", socket };
    case "unreachable":
    case undefined:
      return unreachable;
    default:
      return { kind: answer };
  }
}
