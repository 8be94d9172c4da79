/**
 * One situation: a private dqmail, what stands in the way, and fresh mail sent past it.
 * @module
 */
import { Arrivals } from "../arrivals.ts";
import { nowMs, pause } from "../clock.ts";
import { sendFresh, type Sent } from "../fresh.ts";
import { untilAborted } from "../interrupt.ts";
import type { Child } from "../json_lines.ts";
import type { LoadJob, LoadReport } from "../load.ts";
import { settle } from "../quiet.ts";
import { type Server, startServer } from "../server.ts";
import type { SinkReport, SinkRequest } from "../sink.ts";
import { type Latency, latencyOf, round } from "../statistics.ts";
import { sendStatus } from "../status.ts";
import { blackhole } from "./blackhole.ts";
import type { FairnessOptions } from "./options.ts";
import {
  controlsOf,
  crowdedMailboxes,
  deadAddress,
  freshLocal,
  freshRemote,
  loadOf,
  type Situation,
} from "./situations.ts";

/** What became of fresh mail of one kind. */
export interface FreshFigures {
  readonly sent: number;
  /** Not arrived within the limit; counted in the latencies as if it had arrived then. */
  readonly missing: number;
  /** From the 250 to the Maildir, or to the final dot at the sink. */
  readonly latency: Latency;
  /** From connect to the 250. */
  readonly accept: Latency;
}

export interface SituationFigures {
  readonly situation: Situation;
  readonly local: FreshFigures;
  readonly remote: FreshFigures;
  /** The intake of what stood in the way, each time that it was sent. */
  readonly loads: readonly LoadReport[];
  /** While fresh mail was sent: how long that took, and deliveries that succeeded in it, that mail's included. */
  readonly seconds: number;
  readonly deliveriesPerSecond: number;
  /** Messages in the queue when the last fresh one had been sent. */
  readonly messagesLeft: number;
  /** The longest wait for an answer of qmail-send's status socket in that time: whether it is qmail-send that is busy. */
  readonly slowestAnswerMs: number;
  /** The machine did not become quiet before. */
  readonly noisyStart: boolean;
}

/** What takes part besides the server. */
export interface Rig {
  readonly options: FairnessOptions;
  readonly load: Child<LoadJob, LoadReport>;
  /** Asked one thing at a time. */
  readonly sink: Child<SinkRequest, SinkReport>;
  readonly sinkPort: number;
  /** Ends the measurement; what was started is stopped and removed then. */
  readonly signal: AbortSignal;
}

/** The load's numbers begin at 0, those of the warm-up and of what is measured far above. */
const firstWarm = 1_000_000_000;
const firstFresh = 2_000_000_000;
const warmMessages = 20;
const warmEveryMs = 50;
const watchEveryMs = 50;

/** Measures one situation in a home of its own. */
export async function measureSituation(rig: Rig, situation: Situation): Promise<SituationFigures> {
  const { options, sinkPort } = rig;
  using dead = situation === "dead host" ? await blackhole(deadAddress) : undefined;
  const controls = controlsOf(sinkPort, dead?.port);
  await using server = await startServer({
    dir: options.dir,
    users: crowdedMailboxes + 1,
    hold: false,
    relayPort: sinkPort,
    controls,
  });
  return await untilAborted(rig.signal, measureOn(rig, situation, server));
}

async function measureOn(rig: Rig, situation: Situation, server: Server): Promise<SituationFigures> {
  const { options } = rig;
  using arrivals = new Arrivals(server.maildirs[crowdedMailboxes] ?? "");
  const take = { ...rig, server, arrivals };
  await rig.sink.ask({ kind: "reset", firstNumber: firstWarm });
  await sendAndAwait(take, { messages: warmMessages, everyMs: warmEveryMs, firstNumber: firstWarm });
  const noisyStart = options.settleMs > 0 && !await settle(options.settleMs);
  await rig.sink.ask({ kind: "reset", firstNumber: firstFresh });
  const job = loadOf(situation, options, { host: server.host, port: server.port });
  const wanted = Math.floor(options.seconds * 1000 / options.everyMs);
  const parts: Part[] = [];
  const loads: LoadReport[] = [];
  // A large message may be delivered before that much fresh mail is sent: then there is another one.
  for (let done = 0; done < wanted; done += parts.at(-1)?.sent.length ?? wanted) {
    const before = await sendStatus(server.home);
    if (job !== undefined) loads.push(await loadWhole(rig, job));
    const firstNumber = firstFresh + done;
    const fresh = { messages: wanted - done, everyMs: options.everyMs, firstNumber };
    // What is for the dead host stays in the way.
    const recipients = situation === "dead host" ? Infinity : loads.at(-1)?.recipientsAccepted ?? Infinity;
    parts.push(await sendAndAwait(take, fresh, (before?.delivered ?? 0) + recipients));
  }
  const sent = parts.flatMap((part) => part.sent);
  const atSink = new Map((await rig.sink.ask({ kind: "arrivals" })).arrivals);
  const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
  const figuresOf = (to: string, arrivedAtMs: ReadonlyMap<number, number>) =>
    freshFigures(sent.filter(({ recipient }) => recipient === to), arrivedAtMs, nowMs());
  return {
    situation,
    local: figuresOf(freshLocal, arrivals.atMs),
    remote: figuresOf(freshRemote, atSink),
    loads,
    seconds: round(seconds, 1),
    deliveriesPerSecond: round(parts.reduce((sum, part) => sum + part.deliveries, 0) / seconds, 1),
    messagesLeft: parts.at(-1)?.messagesLeft ?? 0,
    slowestAnswerMs: round(Math.max(...parts.map((part) => part.slowestAnswerMs)), 1),
    noisyStart,
  };
}

async function loadWhole(rig: Rig, job: LoadJob): Promise<LoadReport> {
  const load = await rig.load.ask(job);
  if (load.accepted === job.messages && load.recipientsRefused === 0) return load;
  throw new Error(
    `Cannot measure: ${load.accepted} of ${job.messages} messages were accepted, ` +
      `${load.recipientsRefused} recipients refused${
        load.firstError === undefined ? "" : `; first: ${load.firstError}`
      }`,
  );
}

/** Fresh mail sent while one load was in the way. */
interface Part {
  readonly sent: readonly Sent[];
  readonly seconds: number;
  readonly deliveries: number;
  readonly messagesLeft: number;
  readonly slowestAnswerMs: number;
}

/** Sends fresh mail until there have been so many deliveries, and waits until it has arrived. */
async function sendAndAwait(
  { sink, options, server, arrivals }: Rig & { readonly server: Server; readonly arrivals: Arrivals },
  fresh: { readonly messages: number; readonly everyMs: number; readonly firstNumber: number },
  deliveries = Infinity,
): Promise<Part> {
  const { home, host, port } = server;
  const before = await sendStatus(home);
  let after = before;
  let slowestAnswerMs = 0;
  let sending = true;
  const watching = (async () => {
    while (sending) {
      await pause(watchEveryMs);
      const askedAtMs = nowMs();
      after = await sendStatus(home);
      slowestAnswerMs = Math.max(slowestAnswerMs, nowMs() - askedAtMs);
    }
  })();
  const begin = nowMs();
  const over = () => (after?.delivered ?? 0) >= deliveries;
  const sent = await sendFresh({ host, port, recipients: [freshLocal, freshRemote], ...fresh, over })
    .finally(() => sending = false);
  const seconds = (nowMs() - begin) / 1000;
  await watching;
  const numbersOf = (to: string) => sent.filter(({ recipient }) => recipient === to).map(({ running }) => running);
  await Promise.all([
    arrivals.reached(numbersOf(freshLocal), options.limitMs),
    sinkReached(sink, numbersOf(freshRemote), options.limitMs),
  ]);
  return {
    sent,
    seconds,
    deliveries: (after?.delivered ?? 0) - (before?.delivered ?? 0),
    messagesLeft: after?.messages ?? 0,
    slowestAnswerMs,
  };
}

/** Waits until all of `numbers` are at the sink, or for `limitMs`. */
async function sinkReached(sink: Rig["sink"], numbers: readonly number[], limitMs: number): Promise<void> {
  const end = performance.now() + limitMs;
  while (performance.now() < end) {
    const there = new Map((await sink.ask({ kind: "arrivals" })).arrivals);
    if (numbers.every((number) => there.has(number))) return;
    await pause(watchEveryMs);
  }
}

/** The figures of one kind; `endMs` is when the waiting ended. */
export function freshFigures(
  sent: readonly Sent[],
  arrivedAtMs: ReadonlyMap<number, number>,
  endMs: number,
): FreshFigures {
  return {
    sent: sent.length,
    missing: sent.filter(({ running }) => !arrivedAtMs.has(running)).length,
    latency: latencyOf(sent.map(({ running, acceptedAtMs }) => (arrivedAtMs.get(running) ?? endMs) - acceptedAtMs)),
    accept: latencyOf(sent.map(({ acceptMs }) => acceptMs)),
  };
}
