/**
 * Counts what goes over node's sockets: connections, what is handed to the system at one time, and what comes of it.
 * @module
 */
import { Socket } from "node:net";
import type { Tally } from "./budget.ts";

interface SocketParts {
  connect(...args: unknown[]): unknown;
  push(chunk: Uint8Array | null): boolean;
  _write(...args: unknown[]): unknown;
  _writev(...args: unknown[]): unknown;
}

/** Until its scope ends; `whom`: as it is called in the counts. */
export function meterNet(tally: Tally, whom: string): Disposable {
  const sockets = Socket.prototype as unknown as SocketParts;
  const { connect, push, _write: write, _writev: writev } = sockets;
  const hadPush = Object.hasOwn(sockets, "push");
  sockets.connect = function (...args) {
    tally.add(`connections to ${whom}`);
    return connect.apply(this, args);
  };
  sockets.push = function (chunk) {
    if (chunk !== null && chunk.length > 0) tally.add(`reads from ${whom}`);
    return push.call(this, chunk);
  };
  sockets._write = function (...args) {
    tally.add(`writes to ${whom}`);
    return write.apply(this, args);
  };
  sockets._writev = function (...args) {
    tally.add(`writes to ${whom}`);
    return writev.apply(this, args);
  };
  return {
    [Symbol.dispose]: () => {
      Object.assign(sockets, { connect, _write: write, _writev: writev });
      if (hadPush) sockets.push = push;
      else delete (sockets as Partial<SocketParts>).push;
    },
  };
}
