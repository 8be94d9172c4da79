/**
 * Where admin listens: the `admin` lines of control/listeners. Whoever can connect may read, without a login; therefore
 * loopback is the only place for it.
 * @module
 */
import ipaddr from "ipaddr.js";
import { type Endpoint, type Listener, tcpListeners } from "../../config/values.ts";

/** The addresses of the `admin` lines; `portOffset` is added to every port other than 0. */
export function adminEndpoints(listeners: readonly Listener[], portOffset: number): Endpoint[] {
  return tcpListeners(listeners, "admin").map(({ host, port }) => ({ host, port: port === 0 ? 0 : port + portOffset }));
}

/** Whether an address is in 127.0.0.0/8 or is ::1. */
export function isLoopback(host: string): boolean {
  return ipaddr.isValid(host) && ipaddr.parse(host).range() === "loopback";
}
