/**
 * qmail-clean's shell: removes what it is told to, one message after the other.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { type Disk, realDisk } from "../lib/disk/disk.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { queueFile } from "../lib/queue/layout.ts";
import { type CleanOp, parseCleanRequest } from "../lib/wire/clean_protocol.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { removalOrder } from "./removal.ts";

/** Answers whether every file of the message is gone. A later one stays when an earlier one could not be removed. */
export function removeMessage(disk: Disk, home: Home, op: CleanOp, id: number): boolean {
  try {
    for (const dir of removalOrder(op)) {
      const path = queueFile(home, dir, id);
      // Few messages have any: to look costs less than to try.
      if (dir !== "options" || disk.exists(path)) disk.remove(path);
    }
    return true;
  } catch (error) {
    logEvent("unremovable", { message: id, reason: describeError(error) });
    return false;
  }
}

export function run({ home }: Start): Running {
  const disk = realDisk();
  const server = serveUnix(home.socket("qmail-clean"), {
    onFrame: (frame, pipe) => {
      const { id, op, messages } = parseCleanRequest(frame);
      const failed = messages.filter((message) => !removeMessage(disk, home, op, message));
      pipe.send({ id, failed });
    },
    onError: (error) => logEvent("garbage", { socket: "qmail-clean", reason: describeError(error) }),
  });
  return {
    stop: async () => {
      server.stop();
      await Promise.all(Array.from(server.connections, (pipe) => pipe.flushed()));
      server.closeAll();
    },
  };
}
