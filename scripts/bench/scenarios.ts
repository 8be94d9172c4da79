/**
 * One run of a scenario: load, wait for the end the scenario has, count. What takes part (server, generator, sink,
 * Maildirs) is set up once for all runs by {@link setUp}.
 * @module
 */
import { type Evidence, evidenceOf, headsIn } from "./evidence.ts";
import { flushCount } from "./flushes.ts";
import { Child } from "./json_lines.ts";
import { type LoadJob, type LoadReport, startLoad } from "./load.ts";
import { type Filled, Maildirs } from "./maildirs.ts";
import { startNameServer } from "./name_server.ts";
import { endsAtSink, endsInMaildirs, type Options } from "./options.ts";
import { expandMaildirs } from "./pattern.ts";
import { type Signed, sourceDomain } from "./payload.ts";
import { measureTree, type TreeUse } from "./processes.ts";
import { type ServerPlan, type Starter, startServer } from "./server.ts";
import { makeSignedMail } from "./signed_mail.ts";
import type { SinkReport, SinkRequest } from "./sink.ts";
import { round } from "./statistics.ts";
import { countSyncs, type SyncCalls } from "./syncs.ts";
import type { Mark } from "./timeline.ts";

/** What takes part in every run. */
export interface Rig extends AsyncDisposable {
  readonly options: Options;
  readonly host: string;
  readonly port: number;
  /** Root of the server's process tree, where it is known. */
  readonly pid: number | undefined;
  readonly load: Child<LoadJob, LoadReport>;
  readonly sink: Child<SinkRequest, SinkReport> | undefined;
  readonly maildirs: Maildirs | undefined;
  /** The private server's home. */
  readonly home: string | undefined;
  /** What the generator puts in front of each message. */
  readonly signed: Signed | undefined;
  /** The number of the next message; runs do not share numbers. */
  nextNumber: number;
}

/** One run's figures; those that the scenario has not are absent. */
export interface RunResult {
  /** Everything accepted and, where delivery is awaited, delivered. */
  readonly complete: boolean;
  /** From the first connect to the scenario's end. */
  readonly seconds: number;
  readonly messagesPerSecond: number;
  readonly recipientsPerSecond: number;
  readonly load: LoadReport;
  readonly wanted: number;
  readonly delivered?: number;
  readonly lost?: number;
  readonly duplicates?: number;
  readonly serverCpuMs?: number;
  /** What the device of the server's file system was made to flush during the run, and commits of its journal. */
  readonly diskFlushes?: number;
  readonly journalCommits?: number;
  /** How the number of deliveries rose, by milliseconds since the load began. */
  readonly deliveredOverTime?: readonly Mark[];
  readonly sink?: SinkReport;
  /** Where a filter is measured: whether the run's messages show its work. */
  readonly evidence?: Evidence;
}

/** No server has to be told of as many. */
const usualSessions = 400;

/** Starts what the options ask for, a private server by `start`. Disposing of the rig ends all of it. */
export async function setUp(options: Options, start: Starter = startServer): Promise<Rig> {
  await using stack = new AsyncDisposableStack();
  const { scenario, target } = options;
  const relays = endsAtSink(options);
  const sink = relays ? stack.use(new Child<SinkRequest, SinkReport>("./sink.ts")) : undefined;
  const relayPort = (await sink?.ask({ kind: "start", port: options.sinkPort, delayMs: options.delayMs }))?.port;
  const plan = {
    users: relays ? 0 : options.users,
    hold: scenario === "accept",
    relayPort,
    ...(options.sessions > usualSessions ? { connections: options.sessions } : {}),
  };
  const { signed, ...work } = await workOf(options, stack);
  const server = target.kind === "own" ? stack.use(await start({ ...plan, ...work, dir: target.dir })) : target;
  const load = stack.use(startLoad());
  const folders = "maildirs" in server ? server.maildirs : expandMaildirs(options.maildir ?? "", options.users);
  const owned = stack.move();
  let disposed: PromiseLike<void> | undefined; // a second call waits as well
  return {
    options,
    host: server.host,
    port: server.port,
    pid: server.pid,
    load,
    sink,
    maildirs: endsInMaildirs(options) ? new Maildirs(folders) : undefined,
    home: "home" in server ? server.home : undefined,
    signed,
    nextNumber: 0,
    [Symbol.asyncDispose]: () => disposed ??= owned.disposeAsync(),
  };
}

/** What a measured filter needs of the server and, to verify something, of mail and DNS. */
async function workOf(
  { filter, sizeBytes }: Options,
  stack: AsyncDisposableStack,
): Promise<Pick<ServerPlan, "controls" | "dkimDomain"> & { readonly signed: Signed | undefined }> {
  switch (filter) {
    case undefined:
      return { signed: undefined };
    case "sign": // what clients bring that may relay, and the generator may, is signed on the way in "smtp", too
      return { signed: undefined, dkimDomain: sourceDomain, controls: { filters: "smtp: sign" } };
    case "verify": {
      const { signed, texts } = await makeSignedMail(sizeBytes, Date.now());
      const { port } = stack.use(await startNameServer(texts));
      // Of clients that may relay nothing is verified: here the generator is a stranger.
      return { signed, controls: { filters: "smtp: verify", nameservers: `127.0.0.1:${port}`, relayclients: "" } };
    }
  }
}

/** The server's processes as they are now; undefined where they are not known. */
export function serverUse(rig: Rig): TreeUse | undefined {
  return rig.pid === undefined ? undefined : measureTree(rig.pid);
}

/** Runs a smaller load of the same kind, so that caches and compilers are warm. */
export async function warmUp(rig: Rig): Promise<void> {
  const { warmup, recipientsPerMessage } = rig.options;
  if (warmup > 0) await runOnce(rig, { messages: warmup, recipientsPerMessage: Math.min(recipientsPerMessage, 100) });
}

/** Runs the scenario once. */
export async function runOnce(
  rig: Rig,
  size: { readonly messages: number; readonly recipientsPerMessage: number } = rig.options,
): Promise<RunResult> {
  const firstNumber = rig.nextNumber;
  rig.nextNumber += size.messages;
  await rig.sink?.ask({ kind: "reset", firstNumber });
  const sinkBefore = await rig.sink?.ask({ kind: "report" });
  const before = serverUse(rig);
  const flushesBefore = flushesOf(rig);
  const begin = performance.now();
  const { host, port } = rig;
  const signed = rig.signed === undefined ? {} : { signed: rig.signed };
  const load = await rig.load.ask({ ...jobOf(rig.options), ...size, ...signed, host, port, firstNumber });
  const wanted = load.recipientsAccepted;
  const limitMs = Math.max(rig.options.limitMs - (performance.now() - begin), 0);
  const sunk = await rig.sink?.ask({ kind: "await", deliveries: wanted, limitMs });
  const { recipientsPerMessage } = size;
  const filled = await rig.maildirs?.reached(wanted, { limitMs, firstNumber, recipientsPerMessage });
  const after = serverUse(rig);
  const flushesAfter = flushesOf(rig);
  const commits = (flushesAfter?.commits ?? NaN) - (flushesBefore?.commits ?? NaN);
  const evidence = lookFor(rig, { firstNumber, messages: size.messages });
  return {
    ...figures(load, size.messages, sunk ?? filled, evidence),
    ...(before && after ? { serverCpuMs: after.cpuMs - before.cpuMs } : {}),
    ...(flushesBefore && flushesAfter ? { diskFlushes: flushesAfter.flushes - flushesBefore.flushes } : {}),
    ...(Number.isNaN(commits) ? {} : { journalCommits: commits }),
    ...(sunk && sinkBefore ? { sink: { ...sunk, cpuMs: round(sunk.cpuMs - sinkBefore.cpuMs, 1) } } : {}),
  };
}

function flushesOf({ options: { flushDir } }: Rig): ReturnType<typeof flushCount> {
  return flushDir === undefined ? undefined : flushCount(flushDir);
}

/** What strace has counted, and over how many messages and recipients. */
export interface CountedSyncs {
  readonly calls: SyncCalls;
  readonly messages: number;
  readonly recipients: number;
}

const messagesUnderStrace = 100;
const recipientsUnderStrace = 1000;

/** A short run of its own under strace. Undefined where the server's processes are not known or may not be watched. */
export async function countRun(rig: Rig): Promise<CountedSyncs | undefined> {
  const { messages, recipientsPerMessage } = rig.options;
  if (rig.pid === undefined) return undefined;
  const size = {
    messages: Math.min(messages, messagesUnderStrace),
    recipientsPerMessage: Math.min(recipientsPerMessage, recipientsUnderStrace),
  };
  let run: RunResult | undefined;
  const calls = await countSyncs(rig.pid, async () => run = await runOnce(rig, size));
  if (calls === undefined || run?.complete !== true) return undefined;
  return { calls, messages: run.load.accepted, recipients: run.wanted };
}

/** After the run's end: the look is no part of what is measured. */
function lookFor(
  { home, options: { filter } }: Rig,
  run: { readonly firstNumber: number; readonly messages: number },
): Evidence | undefined {
  return home === undefined || filter === undefined ? undefined : evidenceOf(headsIn(home), filter, run);
}

function jobOf(options: Options): Omit<LoadJob, "host" | "port" | "firstNumber"> {
  const { sessions, messages, sizeBytes, reuse, pipelining, recipient, recipientsPerMessage } = options;
  const { users, domains, limitMs } = options;
  const message = { sizeBytes, recipient, recipientsPerMessage, users, domains, reversePath: `sender@${sourceDomain}` };
  return { ...message, sessions, messages, reuse, pipelining, limitMs };
}

/**
 * The figures of a run; `end` is what the sink or the Maildirs have got, absent where only acceptance counts; `evidence` is
 * there where a filter is measured.
 */
export function figures(
  load: LoadReport,
  messages: number,
  end: SinkReport | Filled | undefined,
  evidence?: Evidence,
): RunResult {
  const wanted = load.recipientsAccepted;
  const lastSeconds = end === undefined ? 0 : (end.lastAtMs - load.startedAtMs) / 1000;
  const seconds = Math.max(load.seconds, lastSeconds);
  const accepted = load.accepted === messages && load.recipientsRefused === 0;
  return {
    complete: accepted && (end === undefined || end.deliveries >= wanted) && evidence?.isEnough !== false,
    seconds,
    messagesPerSecond: seconds > 0 ? round(load.accepted / seconds, 1) : 0,
    recipientsPerSecond: seconds > 0 ? round(wanted / seconds, 1) : 0,
    load,
    wanted,
    ...(evidence === undefined ? {} : { evidence }),
    ...(end === undefined ? {} : {
      delivered: end.deliveries,
      lost: wanted - end.deliveries,
      duplicates: end.duplicates,
      deliveredOverTime: end.marks.map(([atMs, count]) => [atMs - load.startedAtMs, count] as const),
    }),
  };
}
