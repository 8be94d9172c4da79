/**
 * Where admin listens: the `admin` lines of control/listeners. Whoever can connect may read, without a login; therefore
 * loopback is the only place for it.
 * @module
 */
import { type Endpoint, type Listener, tcpListeners } from "../../config/values.ts";

/** The addresses of the `admin` lines; `portOffset` is added to every port other than 0. */
export function adminEndpoints(listeners: readonly Listener[], portOffset: number): Endpoint[] {
  return tcpListeners(listeners, "admin").map(({ host, port }) => ({ host, port: port === 0 ? 0 : port + portOffset }));
}
