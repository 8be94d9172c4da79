/**
 * Starts dqmail on a queue of messages that wait and measures it: the first time with mail coming in while qmail-send
 * still looks through the queue, the second time undisturbed.
 * @module
 */
import { Arrivals } from "../arrivals.ts";
import { pause } from "../clock.ts";
import { sendFresh } from "../fresh.ts";
import { writeControls } from "../home.ts";
import { freePort, host, type Instance, startInstance, type Stopped } from "../instance.ts";
import type { Child } from "../json_lines.ts";
import type { LoadJob, LoadReport } from "../load.ts";
import { measureProcess, measureTree, type ProcessUse, type TreeUse } from "../processes.ts";
import { controlFiles, maildirsOf } from "../server.ts";
import { type Latency, latencyOf } from "../statistics.ts";
import { componentPid, sendStatus } from "../status.ts";
import type { BacklogOptions } from "./options.ts";
import { users } from "./queue.ts";
import { type ScanFigures, watchScan } from "./scan.ts";

/** One start on the queue. */
export interface StartFigures {
  /** From the start's command to the first 220. */
  readonly greetingSeconds: number;
  /** From the same moment until a message sent at that 220 was in its Maildir; undefined: it did not arrive in time. */
  readonly firstMailSeconds: number | undefined;
  /** Of that, from its own 250. */
  readonly firstMailMs: number | undefined;
  readonly scan: ScanFigures;
}

/** Memory of qmail-send and of all processes. */
export interface MemoryFigures {
  readonly qmailSend: ProcessUse;
  readonly all: TreeUse;
}

export interface BacklogFigures {
  readonly first: StartFigures;
  /** Rounds of load that began before the scan's end, and after it. */
  readonly during: readonly LoadReport[];
  readonly after: readonly LoadReport[];
  /** From 250 to the Maildir, messages sent one by one after the scan; undefined: not all arrived in time. */
  readonly freshLatency: Latency | undefined;
  /** After the scan, before the rounds of load that follow it, and after those. */
  readonly memory: { readonly afterScan: MemoryFigures; readonly atEnd: MemoryFigures };
  readonly stop: Stopped;
  readonly second: StartFigures;
  readonly secondStop: Stopped;
}

/** What takes part besides the server. */
export interface Rig {
  readonly home: string;
  readonly messages: number;
  readonly options: BacklogOptions;
  readonly load: Child<LoadJob, LoadReport>;
  /** Nothing is started any more once it says stop. */
  readonly signal: AbortSignal;
  /** Hears of every process that is started, so that it can be ended whatever happens. */
  onSpawn(stop: () => Promise<Stopped>): void;
}

/** Numbers of single messages; the load's are far below. */
const firstFresh = 1_000_000_000;
const freshMessages = 30;
const freshEveryMs = 100;
/** The last mailbox gets single messages, the others the load. */
const freshMailbox = users - 1;

/** Measures both starts. */
export async function measureBacklog(rig: Rig): Promise<BacklogFigures> {
  const numbers = { load: 0, fresh: firstFresh };
  const during: LoadReport[] = [];
  const runRound = async () => {
    const report = await rig.load.ask(jobOf(rig.options, port, numbers.load));
    numbers.load += rig.options.load;
    return report;
  };
  const port = freePort();
  const one = await startOn(rig, port, numbers.fresh++, async (scanning) => {
    while (scanning()) during.push(await runRound());
  });
  await drained(rig);
  const afterScan = await measureMemory(one.instance);
  const after: LoadReport[] = [];
  for (let round = 0; round < rig.options.rounds; round++) after.push(await runRound());
  await drained(rig);
  const freshLatency = await measureFresh(rig, port, numbers.fresh);
  numbers.fresh += freshMessages;
  const atEnd = await measureMemory(one.instance);
  const stop = await one.instance.stop();
  const two = await startOn(rig, port, numbers.fresh);
  const secondStop = await two.instance.stop();
  return {
    first: one.figures,
    during,
    after,
    freshLatency,
    memory: { afterScan, atEnd },
    stop,
    second: two.figures,
    secondStop,
  };
}

/** Starts it, sends one message at its first 220, does `meanwhile`, and waits until it knows the whole queue. */
async function startOn(
  rig: Rig,
  port: number,
  running: number,
  meanwhile: (scanning: () => boolean) => Promise<void> = () => Promise.resolve(),
): Promise<{ instance: Instance; figures: StartFigures }> {
  const { home, signal, options: { limitMs } } = rig;
  await writeControls(home, controlFiles({ hold: false, relayPort: undefined }, { smtp: port, admin: freePort() }));
  using arrivals = new Arrivals(maildirsOf(home, users)[freshMailbox] ?? "");
  signal.throwIfAborted();
  const giveUp = new AbortController();
  let scanning = true;
  const scan = watchScan(rig, giveUp.signal).finally(() => scanning = false);
  const limits = { startLimitMs: limitMs, stopLimitMs: limitMs, onSpawn: rig.onSpawn };
  const instance = await startInstance(home, port, limits).catch((error) => {
    giveUp.abort();
    throw error;
  });
  const [sent] = await sendFresh({ ...freshJob(port), messages: 1, firstNumber: running });
  const arriving = arrivals.reached([running], limitMs);
  await meanwhile(() => scanning);
  await arriving;
  const arrivedMs = arrivals.atMs.get(running);
  const firstMail = arrivedMs === undefined ? undefined : {
    seconds: (arrivedMs - performance.timeOrigin - instance.begunAt) / 1000,
    ms: arrivedMs - (sent?.acceptedAtMs ?? 0),
  };
  return {
    instance,
    figures: {
      greetingSeconds: instance.greetingSeconds,
      firstMailSeconds: firstMail?.seconds,
      firstMailMs: firstMail?.ms,
      scan: await scan,
    },
  };
}

async function measureFresh(rig: Rig, port: number, firstNumber: number): Promise<Latency | undefined> {
  using arrivals = new Arrivals(maildirsOf(rig.home, users)[freshMailbox] ?? "");
  const sent = await sendFresh({ ...freshJob(port), messages: freshMessages, firstNumber });
  if (!await arrivals.reached(sent.map(({ running }) => running), rig.options.limitMs)) return undefined;
  return latencyOf(sent.map(({ running, acceptedAtMs }) => (arrivals.atMs.get(running) ?? 0) - acceptedAtMs));
}

function freshJob(port: number) {
  return { host, port, recipients: [`u${freshMailbox}@localhost`], everyMs: freshEveryMs };
}

function jobOf(options: BacklogOptions, port: number, firstNumber: number): LoadJob {
  const { sessions, sizeBytes, load, limitMs } = options;
  const message = { sizeBytes, recipient: "u%u@localhost", recipientsPerMessage: 1, users: freshMailbox, domains: 1 };
  const how = { sessions, messages: load, reuse: false, pipelining: true, reversePath: "sender@source.example" };
  return { ...message, ...how, host, port, firstNumber, limitMs };
}

/** Waits until only those messages are left that wait for their next attempt. */
async function drained({ home, options: { limitMs } }: Rig): Promise<void> {
  const end = performance.now() + limitMs;
  while (performance.now() < end) {
    const status = await sendStatus(home);
    if (status !== undefined && status.messages <= status.waitingForRetry) return;
    await pause(50);
  }
}

async function measureMemory({ home, pid }: Instance): Promise<MemoryFigures> {
  const qmailSend = measureProcess(await componentPid(home, "qmail-send") ?? 0);
  return { qmailSend, all: measureTree(pid) };
}
