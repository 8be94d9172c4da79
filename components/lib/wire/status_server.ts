/**
 * A component's status socket: answers `{op:"status"}` with what `status()` tells, takes nothing else.
 * @module
 */
import type { Home, SocketName } from "../../../config/home.ts";
import { describeError, logEvent } from "../log/log.ts";
import * as field from "./fields.ts";
import { ProtocolError, serveUnix, type UnixServer } from "./server.ts";

export function serveStatus(home: Home, socket: SocketName, status: () => object): UnixServer {
  return serveUnix(home.socket(socket), {
    onFrame: (frame, pipe) => {
      if (frame.head["op"] !== "status") throw new ProtocolError(`expected the request "status"`);
      pipe.send({ ...status(), id: field.wholeNumber(frame.head, "id") });
    },
    onError: (error) => logEvent("garbage", { socket, reason: describeError(error) }),
  });
}
