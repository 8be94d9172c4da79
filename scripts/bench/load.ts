/**
 * The SMTP load generator. As a program of its own it runs {@link LoadJob}s, one JSON value a line, and answers each by
 * a {@link LoadReport}; a process of its own keeps its processor time apart from the server's, and one process for all
 * runs keeps its warm-up out of them.
 * @module
 */
import process from "node:process";
import { describeError } from "../../components/lib/log/log.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { answerLines, Child } from "./json_lines.ts";
import {
  beginDialogue,
  beginMessage,
  type Dialogue,
  endDialogue,
  envelopeCommands,
  onReply,
  type Outcome,
  type Step,
  takeReplies,
} from "./load_dialogue.ts";
import { expandPattern } from "./pattern.ts";
import { buildPayload, type Payload, type Signed, stampNumber } from "./payload.ts";
import { Sockets } from "./sockets.ts";
import { type Latency, latencyOf, round } from "./statistics.ts";
import { type Ended, type Timeline, timelineOf } from "./timeline.ts";

/** One load: so many messages over so many connections at a time. */
export interface LoadJob {
  /** An address in 127.0.0.0/8. */
  readonly host: string;
  readonly port: number;
  readonly sessions: number;
  readonly messages: number;
  readonly sizeBytes: number;
  /** Keep a connection for the next message instead of opening one for each. */
  readonly reuse: boolean;
  /** Use PIPELINING where the server offers it. */
  readonly pipelining: boolean;
  readonly reversePath: string;
  /** See pattern.ts; the running number counts recipients from 0. */
  readonly recipient: string;
  readonly recipientsPerMessage: number;
  readonly users: number;
  readonly domains: number;
  /** The running number in the first message; the others follow it. */
  readonly firstNumber: number;
  readonly limitMs: number;
  /** Comes in front of every message, on top of its size. */
  readonly signed?: Signed;
}

/** What became of a load. */
export interface LoadReport {
  readonly accepted: number;
  /** Messages the server said no to. */
  readonly refused: number;
  /** Messages whose connection failed or ended too soon. */
  readonly errors: number;
  /** Messages under way or not begun when the time was over. */
  readonly unfinished: number;
  /** Recipients of accepted messages, and all refused recipients. */
  readonly recipientsAccepted: number;
  readonly recipientsRefused: number;
  /** Milliseconds since 1970: before the first connect, and at the last 250. */
  readonly startedAtMs: number;
  readonly seconds: number;
  /** From connect (on a kept connection from MAIL) to the 250 after the message, milliseconds. */
  readonly latency: Latency;
  readonly timeline: Timeline;
  /** Processor time of the generator for this load. */
  readonly cpuMs: number;
  readonly firstError: string | undefined;
}

/** One load under way; the sessions count into it. */
interface Run {
  readonly job: LoadJob;
  readonly payload: Payload;
  readonly ended: Ended[];
  readonly startedAt: number;
  readonly sockets: Sockets;
  begun: number;
  /** Sessions that go on. */
  sessions: number;
  lastAt: number;
  counts: { accepted: number; refused: number; errors: number; recipientsAccepted: number; recipientsRefused: number };
  firstError: string | undefined;
}

/**
 * The generator as a process of its own. Its right is the widest there is, for a library that is named has to be named by its
 * path, which differs from machine to machine; that it keeps to loopback, its sockets see to.
 */
export function startLoad(): Child<LoadJob, LoadReport> {
  return new Child("./load.ts", ["--no-config", "--allow-ffi"]);
}

/** How one waits for the server: in a process of its own by blocking, which costs least; else others have a turn. */
export type Wait = "block" | "take turns";

/** Runs one load to its end or until its time is over. */
export async function runLoad(job: LoadJob, wait: Wait = "take turns"): Promise<LoadReport> {
  if (!job.host.startsWith("127.")) throw new Error(`Cannot load ${job.host}: only 127.0.0.0/8 is allowed`);
  using sockets = new Sockets();
  const cpuBefore = process.cpuUsage();
  const date = job.signed?.date ?? new Date().toUTCString().replace("GMT", "+0000");
  const run: Run = {
    job,
    payload: buildPayload(job.sizeBytes, date, job.signed?.signature),
    ended: [],
    startedAt: performance.now(),
    sockets,
    begun: 0,
    sessions: Math.min(job.sessions, job.messages),
    lastAt: 0,
    counts: { accepted: 0, refused: 0, errors: 0, recipientsAccepted: 0, recipientsRefused: 0 },
    firstError: undefined,
  };
  const startedAtMs = Date.now();
  run.lastAt = run.startedAt;
  for (let left = run.sessions; left > 0; left--) openConnection(run, run.payload.octets.slice());
  for (let leftMs = job.limitMs; run.sessions > 0 && leftMs > 0;) {
    if (sockets.poll(wait === "block" ? Math.ceil(leftMs) : 0) === 0) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    leftMs = job.limitMs - (performance.now() - run.startedAt);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const { accepted, refused, errors } = run.counts;
  return {
    ...run.counts,
    unfinished: job.messages - accepted - refused - errors,
    startedAtMs,
    seconds: round((run.lastAt - run.startedAt) / 1000, 6),
    latency: latencyOf(run.ended.map(({ latencyMs }) => latencyMs)),
    timeline: timelineOf(run.ended),
    cpuMs: round((user + system) / 1000, 1),
    firstError: run.firstError,
  };
}

/** The envelope of the next message; its number is stamped into the session's copy of the payload. */
function takeMessage(run: Run, octets: Uint8Array): readonly string[] {
  const { recipient, recipientsPerMessage, reversePath, firstNumber } = run.job;
  const index = run.begun++;
  stampNumber(octets, run.payload, firstNumber + index);
  const first = index * recipientsPerMessage;
  const paths = Array.from({ length: recipientsPerMessage }, (_, at) => expandPattern(recipient, first + at, run.job));
  return envelopeCommands(reversePath, paths);
}

/** The next connection of a session, whose copy of the payload `octets` is; ends the session where no message is left. */
function openConnection(run: Run, octets: Uint8Array): void {
  while (run.begun < run.job.messages) {
    try {
      return runConnection(run, octets);
    } catch (error) {
      countError(run, describeError(error));
    }
  }
  run.sessions--;
}

/** One connection, with one message or, where it is kept, as many as are left. */
function runConnection(run: Run, octets: Uint8Array): void {
  let since = performance.now();
  let dialogue: Dialogue = beginDialogue(takeMessage(run, octets), run.job.pipelining);
  let underWay = true;
  let isOpen = true;
  let buffered = "";

  /** What is to be sent after a reply. */
  function perform(step: Step): void {
    if (step.kind !== "closed") dialogue = step.dialogue;
    if (step.kind === "send") return socket.write(toOctets(step.text));
    if (step.kind === "payload") return socket.write(octets);
    if (step.kind === "closed") return end(undefined);
    if (step.kind !== "ended") return;
    const now = performance.now();
    countOutcome(run, step.outcome, since, now);
    underWay = run.job.reuse && step.outcome.kind === "accepted" && run.begun < run.job.messages;
    since = now;
    perform(underWay ? beginMessage(dialogue, takeMessage(run, octets)) : endDialogue(dialogue));
  }

  function end(problem = "connection closed too soon"): void {
    socket.close();
    isOpen = false;
    if (underWay) countError(run, problem);
    openConnection(run, octets);
  }

  const socket = run.sockets.connect(run.job.host, run.job.port, {
    onOctets(received) {
      const { replies, rest } = takeReplies(buffered + fromOctets(received));
      buffered = rest;
      for (const reply of replies) if (isOpen) perform(onReply(dialogue, reply));
    },
    onEnd: end,
  });
}

function countError(run: Run, problem: string): void {
  run.counts.errors++;
  run.firstError ??= problem;
}

function countOutcome(run: Run, outcome: Outcome, since: number, now: number): void {
  run.counts.recipientsRefused += outcome.refusedRecipients;
  if (outcome.kind === "accepted") {
    run.counts.accepted++;
    run.counts.recipientsAccepted += outcome.recipients;
    run.ended.push({ atMs: now - run.startedAt, latencyMs: now - since });
    run.lastAt = now;
  } else {
    run.counts.refused++;
    run.firstError ??= outcome.reply;
  }
}

if (import.meta.main) await answerLines((job) => runLoad(job as LoadJob, "block"));
