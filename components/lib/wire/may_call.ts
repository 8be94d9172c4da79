/**
 * Whether this process was given a socket at all: a component that the control files leave out is in nobody's grant, and
 * who reads no control files knows it by that.
 * @module
 */
import type { Home, SocketName } from "../../../config/home.ts";

export function mayCall(home: Home, socket: SocketName): boolean {
  return Deno.permissions.querySync({ name: "write", path: home.socket(socket) }).state === "granted";
}
