/**
 * The socket on which an operator asks for things: see control_protocol.ts. The folder around it decides who may.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Disk } from "../lib/disk/disk.ts";
import { openMessage } from "../lib/delivery/message_file.ts";
import { breathe } from "../lib/process/breathe.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { rewriteRecipient, type RewriteRules } from "../lib/queue/rewrite.ts";
import type { JournalReader } from "../lib/queue/journal/reader.ts";
import {
  type ControlRequest,
  mostAtOnce,
  mostDestinations,
  mostShownBytes,
  parseControlRequest,
  type ShownMessage,
} from "../lib/wire/control_protocol.ts";
import { ProtocolError, serveUnix, type UnixServer } from "../lib/wire/server.ts";
import type { JournalPlace } from "../lib/wire/queue_protocol.ts";
import type { Drain } from "./drain.ts";
import type { Manager } from "./manager.ts";
import type { Paused } from "./paused.ts";
import { showMessage } from "./show.ts";
import type { Store } from "./store.ts";

export interface ControlWays {
  readonly disk: Disk;
  readonly home: Home;
  readonly store: Store;
  readonly journal: JournalReader;
  readonly manager: Manager;
  readonly drain: Drain;
  readonly paused: Paused;
  readonly rules: () => RewriteRules;
}

interface Reply {
  readonly head: object;
  readonly body?: Uint8Array;
}

export function serveControl(ways: ControlWays): UnixServer {
  return serveUnix(ways.home.socket("send-control"), {
    onFrame: async (frame, pipe) => {
      const request = parseControlRequest(frame);
      const { head, body } = await answer(ways, request).catch(troubleOf);
      pipe.send({ ...head, id: request.id }, body);
    },
    onError: (error) => logEvent("garbage", { socket: "send-control", reason: describeError(error) }),
  });
}

/** Files that cannot be read are the operator's to know of, and no reason to end. */
function troubleOf(error: unknown): Reply {
  if (error instanceof ProtocolError) throw error;
  return { head: { trouble: describeError(error) } };
}

async function answer(ways: ControlWays, request: ControlRequest): Promise<Reply> {
  const { manager, store, home, drain, paused } = ways;
  switch (request.op) {
    case "find": {
      const { part, selection } = request;
      const parts = home.queueSplit + 1;
      if (part >= parts) throw new ProtocolError(`part ${part} of ${parts}`);
      const memory = { ...manager.inMemory, todo: part === 0 ? await store.listTodo() : [] };
      return { head: { messages: await manager.commands.find(part, selection, memory, breathe), parts } };
    }
    case "show":
      return show(ways, request.message);
    case "destinations":
      return { head: { destinations: manager.destinations(Math.min(request.count, mostDestinations)) } };
    case "pause":
    case "resume": {
      const { op, destination } = request;
      const head = await paused.set(op, destination);
      logEvent("command", { action: op, destination, result: head.changed ? "done" : "was so before" });
      return { head };
    }
    case "drain":
      return { head: { messages: request.undo ? drain.end() : drain.begin() } };
    default: {
      const { op, messages } = request;
      if (messages.length > mostAtOnce) {
        throw new ProtocolError(`${messages.length} messages, ${mostAtOnce} are the most`);
      }
      const results = await Promise.all(messages.map((id) => manager.commands.act(op, id)));
      for (const { message, done, detail } of results) {
        if (done) logEvent("command", { action: op, message, result: detail });
      }
      return { head: { results } };
    }
  }
}

function show(ways: ControlWays, id: number): Reply {
  const { manager, rules } = ways;
  const message = manager.message(id);
  const fresh = [...manager.inMemory.journal].find((waiting) => waiting.id === id);
  const route = (recipient: string) => rewriteRecipient(recipient, rules());
  const shown = showMessage({ ...ways, route }, id, { message, fresh, errors: manager.errors.of(id) });
  if (shown === undefined) return { head: {} };
  const { place, ...rest } = shown;
  try {
    const { sizeBytes, header } = readText(ways, id, place);
    const found: ShownMessage = { ...rest, sizeBytes };
    return { head: { found }, body: header };
  } catch (error) {
    // Its end takes the text before this process hears of it.
    if (error instanceof Deno.errors.NotFound && message?.stage === "ending") return { head: {} };
    throw error;
  }
}

/** How large a message is, and what stands above its first empty line. */
function readText({ home, journal }: ControlWays, id: number, place: JournalPlace | undefined) {
  const text = openMessage(home, journal, id, place);
  try {
    return { sizeBytes: text.sizeBytes, header: headerOf(text.read(0)) };
  } finally {
    text.close();
  }
}

const lf = 10;

function headerOf(octets: Uint8Array): Uint8Array {
  const most = octets.subarray(0, mostShownBytes);
  const end = most.findIndex((octet, at) => octet === lf && (at === 0 || most[at - 1] === lf));
  return end < 0 ? most : most.subarray(0, end);
}
