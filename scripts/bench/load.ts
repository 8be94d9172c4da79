/**
 * The SMTP load generator. As a program of its own it runs {@link LoadJob}s, one JSON value a line, and answers each by
 * a {@link LoadReport}; a process of its own keeps its processor time apart from the server's, and one process for all
 * runs keeps its warm-up out of them.
 * @module
 */
import process from "node:process";
import { describeError } from "../../components/lib/log/log.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { answerLines } from "./json_lines.ts";
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
  readonly open: Set<Deno.TcpConn>;
  begun: number;
  over: boolean;
  lastAt: number;
  counts: { accepted: number; refused: number; errors: number; recipientsAccepted: number; recipientsRefused: number };
  firstError: string | undefined;
}

/** Runs one load to its end or until its time is over. */
export async function runLoad(job: LoadJob): Promise<LoadReport> {
  if (!job.host.startsWith("127.")) throw new Error(`Cannot load ${job.host}: only 127.0.0.0/8 is allowed`);
  const cpuBefore = process.cpuUsage();
  const date = job.signed?.date ?? new Date().toUTCString().replace("GMT", "+0000");
  const run: Run = {
    job,
    payload: buildPayload(job.sizeBytes, date, job.signed?.signature),
    ended: [],
    startedAt: performance.now(),
    open: new Set(),
    begun: 0,
    over: false,
    lastAt: 0,
    counts: { accepted: 0, refused: 0, errors: 0, recipientsAccepted: 0, recipientsRefused: 0 },
    firstError: undefined,
  };
  const startedAtMs = Date.now();
  run.lastAt = run.startedAt;
  const timer = setTimeout(() => {
    run.over = true;
    for (const conn of run.open) conn.close();
  }, job.limitMs);
  await Promise.all(Array.from({ length: Math.min(job.sessions, job.messages) }, () => runSession(run)));
  clearTimeout(timer);
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

/** One connection after the other until no message is left. */
async function runSession(run: Run): Promise<void> {
  const octets = run.payload.octets.slice();
  while (!run.over && run.begun < run.job.messages) await runConnection(run, octets);
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

/** One connection, with one message or, where it is kept, as many as are left. Resolves when it is closed. */
async function runConnection(run: Run, octets: Uint8Array): Promise<void> {
  let since = performance.now();
  let dialogue: Dialogue = beginDialogue(takeMessage(run, octets), run.job.pipelining);
  let underWay = true;
  let isOpen = true;

  /** What is to be sent after a reply. */
  function perform(step: Step): Uint8Array | undefined {
    if (step.kind !== "closed") dialogue = step.dialogue;
    if (step.kind === "send") return toOctets(step.text);
    if (step.kind === "payload") return octets;
    if (step.kind === "closed") isOpen = false;
    if (step.kind !== "ended") return undefined;
    const now = performance.now();
    countOutcome(run, step.outcome, since, now);
    underWay = run.job.reuse && step.outcome.kind === "accepted" && run.begun < run.job.messages && !run.over;
    since = now;
    return perform(underWay ? beginMessage(dialogue, takeMessage(run, octets)) : endDialogue(dialogue));
  }

  let problem = "connection closed too soon";
  try {
    using conn = await Deno.connect({ hostname: run.job.host, port: run.job.port });
    conn.setNoDelay(true);
    run.open.add(conn);
    try {
      const buffer = new Uint8Array(4096);
      let buffered = "";
      while (isOpen) {
        const count = await conn.read(buffer);
        if (count === null) break;
        const { replies, rest } = takeReplies(buffered + fromOctets(buffer.subarray(0, count)));
        buffered = rest;
        for (const reply of replies) {
          const next = perform(onReply(dialogue, reply));
          for (let at = 0; next !== undefined && at < next.length;) at += await conn.write(next.subarray(at));
        }
      }
    } finally {
      run.open.delete(conn);
    }
  } catch (error) {
    problem = describeError(error);
  }
  if (underWay && !run.over) {
    run.counts.errors++;
    run.firstError ??= problem;
  }
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

if (import.meta.main) await answerLines((job) => runLoad(job as LoadJob));
