/**
 * tally's shell: the socket `tally`, the clocks, the file.
 * @module
 */
import { realDisk } from "../lib/disk/disk.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { assertNever } from "../lib/result.ts";
import { parseTallyRequest, type TallyRequest } from "../lib/wire/tally_protocol.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { Counts } from "./counts.ts";
import { Greylist } from "./greylist.ts";
import { GreylistFile } from "./greylist_file.ts";
import { tripletOf } from "./triplet.ts";

/** Of the wall clock: what is written down has to mean something to the next process. */
function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

export function run({ home }: Start): Running {
  const nowMs = () => Math.floor(performance.now());
  const greylist = new Greylist();
  const counts = new Counts();
  const file = new GreylistFile({ disk: realDisk(), dir: home.tally(), greylist, nowMs });
  file.load();
  greylist.expire(nowSeconds());
  logEvent("greylist", greylist.counts);

  function answer(request: TallyRequest): object {
    switch (request.op) {
      case "greylist": {
        const { reply, changes } = greylist.ask(tripletOf(request), request.waitSeconds, nowSeconds());
        // Before the answer: a triplet that was told to wait is remembered, whatever becomes of this process.
        file.append(changes);
        return reply;
      }
      case "count":
        return counts.count(request, nowMs());
      default:
        return assertNever(request);
    }
  }

  const server = serveUnix(home.socket("tally"), {
    onFrame(frame, pipe) {
      const request = parseTallyRequest(frame);
      pipe.send({ id: request.id, ...answer(request) });
      return pipe.drained();
    },
    onError: (error) => logEvent("garbage", { socket: "tally", reason: describeError(error) }),
  });
  return {
    stop: async () => {
      server.stop();
      server.closeAll();
      await file.stop();
    },
  };
}
