/**
 * What qmail-lspawn and qmail-rspawn share: a socket on which qmail-send asks, the queue's message files, and the way a
 * delivery ends when the process that should make it dies.
 * @module
 */
import type { Home, SocketName } from "../../../config/home.ts";
import { describeError, logEvent } from "../log/log.ts";
import { ConnectionLost } from "../wire/client.ts";
import {
  type DeliveryReport,
  formatSpawnReply,
  parseSpawnRequest,
  type SpawnReply,
  type SpawnRequest,
} from "../wire/delivery_protocol.ts";
import { serveUnix, type UnixServer } from "../wire/server.ts";
import { JournalReader } from "../queue/journal/reader.ts";
import type { Pipe } from "../wire/pipe.ts";
import { type MessageText, openMessage } from "./message_file.ts";
import { SharedMessages } from "./shared_messages.ts";

/** Has one message delivered to the request's recipients. Throws ConnectionLost when the delivering process died. */
export type Spawn = (request: SpawnRequest, file: MessageText) => Promise<readonly DeliveryReport[]>;

export interface Spawner {
  /** Takes no more requests and settles when those under way are answered. */
  stop(): Promise<void>;
}

/** The same report for every recipient. */
export function reportAll(recipients: readonly string[], report: DeliveryReport): DeliveryReport[] {
  return recipients.map(() => report);
}

export function deferral(text: string): DeliveryReport {
  return { verdict: "Z", text };
}

/** Serves `socket` until stopped. */
export function serveSpawner(home: Home, socket: SocketName, spawn: Spawn): Spawner {
  const underWay = new Set<Promise<void>>();
  const journal = new JournalReader(home);
  const messages = new WeakMap<Pipe, SharedMessages>();
  const server: UnixServer = serveUnix(home.socket(socket), {
    onOpen: (pipe) => void messages.set(pipe, new SharedMessages((id, place) => openMessage(home, journal, id, place))),
    onFrame: (frame, pipe) => {
      const request = parseSpawnRequest(frame);
      const done = carryOut(messages.get(pipe)!, request, spawn)
        .then((reply) => pipe.send({ ...formatSpawnReply(reply), id: request.id }))
        .finally(() => underWay.delete(done));
      underWay.add(done);
    },
    onError: (error) => logEvent("garbage", { socket, reason: describeError(error) }),
  });
  return {
    stop: async () => {
      server.stop();
      await Promise.all(underWay);
      await Promise.all(Array.from(server.connections, (pipe) => pipe.flushed()));
      server.closeAll();
      journal.close();
    },
  };
}

async function carryOut(messages: SharedMessages, request: SpawnRequest, spawn: Spawn): Promise<SpawnReply> {
  let file: MessageText;
  try {
    file = messages.open(request.message, request.place);
  } catch (error) {
    logEvent("unreadable", { message: request.message, reason: describeError(error) });
    return { lost: false, reports: reportAll(request.recipients, deferral("Unable to open message. (#4.3.0)\n")) };
  }
  try {
    return { lost: false, reports: await spawn(request, file) };
  } catch (error) {
    const lost = error instanceof ConnectionLost;
    if (!lost) logEvent("surprise", { message: request.message, reason: describeError(error) });
    return { lost, reports: reportAll(request.recipients, deferral("The delivering process ended early. (#4.3.0)\n")) };
  } finally {
    file.close();
  }
}
