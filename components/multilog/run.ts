/**
 * multilog's shell: standard input, the folder `log`, the socket.
 * @module
 */
import { describeError, logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { takeLock } from "../lib/process/lock.ts";
import { keptMinutes } from "../lib/trace/rates.ts";
import { parseLogLine } from "../lib/trace/lines.ts";
import { oldestMs } from "../lib/trace/answers.ts";
import { backwards } from "../lib/trace/search.ts";
import type { Search } from "../lib/trace/lives.ts";
import { serveUnix, type UnixServer } from "../lib/wire/server.ts";
import { parseTraceRequest, type TraceRequest } from "../lib/wire/trace_protocol.ts";
import { answerAbout, carryOut } from "./answer.ts";
import { Keeper } from "./keeper.ts";
import { OpenLog } from "./log_files.ts";
import { LogFolder } from "./log_folder.ts";

export interface MultilogOptions {
  /** Where the lines come from; default standard input. */
  readonly input?: { read(buffer: Uint8Array): Promise<number | null> };
}

const readBytes = 64 * 1024;
/** What is still in the pipe when a signal says stop. */
const lastWordsMs = 300;

/** Starts keeping the log. Throws CannotStart on a malformed control file, or where another process keeps it. */
export async function run(
  { home, requestStop }: Start,
  { input = Deno.stdin }: MultilogOptions = {},
): Promise<Running> {
  const controls = new ControlValues(home, "multilog");
  const dir = home.log();
  const lock = await takeLock(home.log("lock"));
  const folder = new LogFolder(dir, controls.current);
  const keeper = new Keeper(folder);
  const startedMs = Date.now();
  // Before anything is written: what was written is counted already.
  const counted = countKept(dir, keeper);
  const ended = readAll(input, keeper);
  void ended.then(requestStop);
  const server = serve(home.socket("multilog"), dir, keeper, startedMs);
  return {
    reload: () => {
      const defects = controls.reload();
      folder.limits = controls.current;
      return defects;
    },
    stop: async () => {
      server.stop();
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, lastWordsMs))]);
      await keeper.close();
      server.closeAll();
      await counted;
      lock.close();
    },
  };
}

async function readAll(input: { read(buffer: Uint8Array): Promise<number | null> }, keeper: Keeper): Promise<void> {
  const buffer = new Uint8Array(readBytes);
  for (;;) {
    const count = await input.read(buffer).catch(() => null);
    if (count === null) return;
    await keeper.take(buffer.subarray(0, count));
  }
}

/** Counts what the files have of the last hour. */
async function countKept(dir: string, keeper: Keeper): Promise<void> {
  try {
    using log = new OpenLog(dir);
    await carryOut((spent) => countBack(log, Date.now() - keptMinutes * 60_000, keeper, spent));
  } catch (error) {
    logEvent("uncounted", { reason: describeError(error) });
  }
}

function* countBack(log: OpenLog, sinceMs: number, { rates }: Keeper, spent: () => number): Search<void> {
  for (const { hits } of backwards(log, [": accepted ip=", ": delivery ", ": bounce msg ", ": refused", '"event":"'])) {
    for (const { line } of hits) {
      const read = parseLogLine(line);
      if (read === undefined) continue;
      if (read.atMs < sinceMs) return;
      rates.count(line, read.atMs);
    }
    yield;
    if (spent() > 1) return;
  }
}

function serve(path: string, dir: string, keeper: Keeper, startedMs: number): UnixServer {
  /** One search at a time. */
  let before: Promise<unknown> = Promise.resolve();
  const answer = async (request: TraceRequest): Promise<object> => {
    using log = new OpenLog(dir);
    if (request.op === "rates") return { sinceMs: oldestMs(log), minutes: keeper.rates.minutes(Date.now()) };
    return await answerAbout(log, request, { startedMs, written: keeper.written });
  };
  return serveUnix(path, {
    onFrame: async (frame, pipe) => {
      const request = parseTraceRequest(frame);
      // What takes no search waits for none.
      const isQuick = request.op === "rates" || isPlain(request);
      const answered = isQuick ? answer(request) : before.then(() => answer(request));
      if (!isQuick) before = answered.catch(() => {});
      try {
        pipe.send({ ...await answered, id: request.id });
      } catch (error) {
        // The disk: whoever asked hears it as the end of the connection.
        logEvent("unanswered", { op: request.op, reason: describeError(error) });
        pipe.close();
      }
    },
    onError: (error) => logEvent("garbage", { socket: "multilog", reason: describeError(error) }),
  });
}

/** Whether the newest lines are asked for, whatever they are. */
function isPlain(request: TraceRequest): boolean {
  return request.op === "tail" && request.component === undefined && request.contains === undefined;
}
