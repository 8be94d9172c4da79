/**
 * The process around a judge: takes messages off the filter's socket, holds them within bounds, has each judged within its
 * time, and hands on what passes. A message is in nobody's care but its sender's until the next one has answered for it:
 * whatever dies here, the server says 451.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { describeError, logEvent } from "../log/log.ts";
import type { Running } from "../process/component.ts";
import { toOctets } from "../octets.ts";
import type { Pipe } from "../wire/pipe.ts";
import { type EnvelopeFields, parseQueueRequest } from "../wire/queue_protocol.ts";
import { serveUnix } from "../wire/server.ts";
import type { FilterName } from "./chain.ts";
import { loggingHops } from "./controls.ts";
import type { Judge, Verdict } from "./filter.ts";
import { ChainSubmission, type Patience } from "./hand_on.ts";
import { FilterIntake } from "./intake.ts";
import { judgeWithin } from "./judging.ts";
import { Leaving } from "./leaving.ts";
import { Room } from "./room.ts";
import { parseRoute } from "./route.ts";

export interface FilterOptions {
  readonly home: Home;
  /** Its socket, and its name in control/filters and in the log. */
  readonly name: FilterName;
  readonly judge: Judge;
  /** For one message; default 30,000, at the most 40,000: those in front count on it. */
  readonly budgetMs?: number;
  /** Octets of all messages held at once; default 128 MiB. */
  readonly roomBytes?: number;
  /** What tests put in the place of the usual times. */
  readonly patience?: Patience;
}

export interface FilterRunning extends Pick<Running, "stop"> {
  stop(): Promise<void>;
  /** Octets of the messages it holds. */
  readonly heldBytes: number;
}

const [usualBudgetMs, longestBudgetMs] = [30_000, 40_000];
/** Twice the largest that control/filterbytes may say: for a moment a message is there in pieces and in one. */
const usualRoomBytes = 128 * 1024 * 1024;
/** So long messages under way may take after a stop. */
const stopMs = 3000;

/** Serves until stopped. A judge's verdict that cannot be carried out is a surprise as its rejection is. */
export function serveFilter(
  { home, name, judge, budgetMs = usualBudgetMs, roomBytes = usualRoomBytes, patience }: FilterOptions,
): FilterRunning {
  const hops = loggingHops(home, patience);
  const room = new Room(roomBytes);
  const limitMs = Math.min(budgetMs, longestBudgetMs);
  const intakes = new Map<Pipe, FilterIntake>();
  const underWay = new Set<Promise<void>>();

  const newIntake = () =>
    new FilterIntake({
      room,
      judge: (message, signal) => judgeWithin(judge, message, signal, limitMs),
      leave: (route, origin, uid) => new Leaving(new ChainSubmission(hops, { origin, uid, route })),
      unjudgedField: (reason) => toOctets(`X-Unfiltered: ${name}; ${reason}\n`),
      onUnjudged: ({ sender }, reason, went) => logEvent("unjudged", { filter: name, sender, reason, went }),
      onJudged: (envelope, { client }, verdict) => logVerdict(name, envelope, client?.ip ?? "-", verdict),
    });

  const server = serveUnix(home.socket(name), {
    onOpen: (pipe) => void intakes.set(pipe, newIntake()),
    onFrame: (frame, pipe) => {
      const request = parseQueueRequest(frame);
      const begins = request.op === "message" || request.op === "open";
      const { room: wait, reply } = intakes.get(pipe)!.take(request, begins ? parseRoute(frame.head) : undefined);
      if (reply !== undefined) {
        const done = reply
          .then((answer) => pipe.send({ ...answer, id: request.id }))
          .catch((error) => {
            // A bug: without an answer its sender would wait.
            logEvent("alert", { filter: name, reason: describeError(error) });
            pipe.close();
          })
          .finally(() => underWay.delete(done));
        underWay.add(done);
      }
      return wait;
    },
    onClose: (pipe) => {
      intakes.get(pipe)?.end();
      intakes.delete(pipe);
    },
    onError: (error) => logEvent("garbage", { socket: name, reason: describeError(error) }),
  });
  return {
    get heldBytes() {
      return room.bytes;
    },
    stop: async () => {
      server.stop();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const enough = new Promise<void>((resolve) => timer = setTimeout(resolve, stopMs));
      await Promise.race([Promise.all(underWay), enough]).finally(() => clearTimeout(timer));
      await Promise.race([Promise.all(Array.from(server.connections, (pipe) => pipe.flushed())), enough]);
      server.closeAll();
      hops.close();
    },
  };
}

function logVerdict(filter: string, { sender, recipients }: EnvelopeFields, ip: string, verdict: Verdict): void {
  if (verdict.kind === "pass") return;
  const what = { filter, ip, sender, recipients: recipients.length };
  if (verdict.kind === "discard") return logEvent("discarded", what);
  logEvent("refused", { ...what, code: verdict.code, reason: verdict.text });
}
