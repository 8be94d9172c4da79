/**
 * A component's status socket: answers `{op:"status"}` with what `status()` tells, and what else there is to ask.
 * @module
 */
import type { Home, SocketName } from "../../../config/home.ts";
import { describeError, logEvent } from "../log/log.ts";
import * as field from "./fields.ts";
import { ProtocolError, serveUnix, type UnixServer } from "./server.ts";

/** `others`: further questions without arguments, by their names. */
export function serveStatus(
  home: Home,
  socket: SocketName,
  status: () => object,
  others: ReadonlyMap<string, () => object> = new Map(),
): UnixServer {
  return serveUnix(home.socket(socket), {
    onFrame: (frame, pipe) => {
      const { op } = frame.head;
      const answer = op === "status" ? status : typeof op === "string" ? others.get(op) : undefined;
      if (answer === undefined) throw new ProtocolError(`expected the request "status"`);
      pipe.send({ ...answer(), id: field.wholeNumber(frame.head, "id") });
    },
    onError: (error) => logEvent("garbage", { socket, reason: describeError(error) }),
  });
}
