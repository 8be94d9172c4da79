/**
 * qread's shell: its socket, around the listing and the preview.
 * @module
 */
import { describeError, logEvent } from "../lib/log/log.ts";
import { breathe } from "../lib/process/breathe.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { parseQreadRequest, previewBytes, type QreadRequest } from "../lib/wire/qread_protocol.ts";
import { ProtocolError, serveUnix } from "../lib/wire/server.ts";
import { Listing } from "./listing.ts";
import { readMessageStart } from "./message_octets.ts";
import { previewOf } from "./preview.ts";

/** Trouble is logged no more often: there may be as much of it as messages. */
const logMs = 10_000;

export function run({ home }: Start): Running {
  let loggedMs = -Infinity;
  const listing = new Listing(home, {
    breathe,
    nowMs: () => Date.now(),
    onTrouble: (error) => {
      if (Date.now() < loggedMs + logMs) return;
      loggedMs = Date.now();
      logEvent("unreadable", { reason: describeError(error) });
    },
  });

  const answer = async (request: QreadRequest): Promise<object> => {
    if (request.op === "list") return await listing.list(request);
    const start = readMessageStart(home, request.message, previewBytes);
    return start === undefined ? {} : { found: { message: request.message, ...await previewOf(start) } };
  };
  const server = serveUnix(home.socket("qread"), {
    onFrame: async (frame, pipe) => {
      const request = parseQreadRequest(frame);
      const head = await answer(request).catch(troubleOf);
      pipe.send({ ...head, id: request.id });
    },
    onError: (error) => logEvent("garbage", { socket: "qread", reason: describeError(error) }),
  });
  return {
    stop: () => {
      server.stop();
      server.closeAll();
      listing.forget();
      return Promise.resolve();
    },
  };
}

/** Files that cannot be read are the operator's to know of, and no reason to end. */
function troubleOf(error: unknown): object {
  if (error instanceof ProtocolError) throw error;
  return { trouble: describeError(error).slice(0, 1000) };
}
