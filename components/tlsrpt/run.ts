/**
 * tlsrpt's shell: the sockets `tlsrpt` and `sts-memory`, the files, the clock, the way into the queue.
 * @module
 */
import { Buffer } from "node:buffer";
import { isDomain } from "../../config/values.ts";
import { realDisk } from "../lib/disk/disk.ts";
import { ResolverClient } from "../lib/dns/resolver_client.ts";
import { describeError, log, logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { Submission } from "../lib/queue/submission.ts";
import { secondsOfDay } from "../lib/tlsrpt/report.ts";
import { Client } from "../lib/wire/client.ts";
import { mayCall } from "../lib/wire/may_call.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { formatKeptPolicy, parseStsMemoryRequest } from "../lib/wire/sts_memory_protocol.ts";
import { parseTlsrptNote } from "../lib/wire/tlsrpt_protocol.ts";
import { KeptPolicies } from "./kept_policies.ts";
import { dayOf, Ledger, startOfDay } from "./ledger.ts";
import { reportDay } from "./reporter.ts";

/** What tests put in the place of the world. */
export interface RunOptions {
  readonly nowSeconds?: () => number;
  /** How long after the end of a day its reports leave: by default any time up to four hours, as RFC 8460 §4.1 suggests. */
  readonly spreadSeconds?: number;
  /** How often counts are written, and reports are thought of: what a crash may cost. */
  readonly tickMs?: number;
}

const longestSpreadSeconds = 4 * 3600;
const defaultTickMs = 5000;
/** Between rounds for a day of which something is left: the DNS gave no answer, the queue was away. */
const retrySeconds = 900;
/** For how long that goes on after the day's end. */
const giveUpSeconds = 36 * 3600;
/** Between two reports. */
const gapMs = 50;

/** Starts serving. Throws CannotStart on a malformed control file. */
export function run({ home }: Start, options: RunOptions = {}): Running {
  const {
    nowSeconds = () => Math.floor(Date.now() / 1000),
    spreadSeconds = Math.floor(Math.random() * longestSpreadSeconds),
    tickMs = defaultTickMs,
  } = options;
  const controls = new ControlValues(home, "tlsrpt");
  const resolver = new ResolverClient(home);
  const queue = new Client(home.socket("qmail-queue"));
  const ledger = new Ledger({
    disk: realDisk(),
    dir: home.tlsrpt(),
    onTrouble: (error) => log(`alert: cannot write in tlsrpt: ${describeError(error)}; counting goes on in memory`),
    onDamage: (day, lines) => log(`warning: tlsrpt/${day} was damaged; lines passed over: ${lines}`),
  });
  ledger.load();
  const kept = new KeptPolicies({
    disk: realDisk(),
    dir: home.tlsrpt(),
    nowSeconds,
    onTrouble: (error) => log(`alert: cannot write tlsrpt/policies: ${describeError(error)}; mta-sts alone has them`),
    onDamage: (lines) => log(`warning: tlsrpt/policies was damaged; lines passed over: ${lines}`),
  });
  // Where control/mtasts is 0 nobody has policies, and the socket is in no grant.
  const keeps = mayCall(home, "sts-memory");
  if (keeps) kept.load();
  let isOver = false;

  async function submit(content: Uint8Array, recipients: readonly string[]): Promise<boolean> {
    const submission = new Submission(queue, "uid", Deno.uid() ?? 0);
    await submission.write(content);
    // From nobody: what comes back of a report is for nobody to answer.
    const { code } = await submission.commit({ sender: "", recipients });
    return code === 0;
  }

  const around = {
    ledger,
    lookUp: (name: string) => resolver.resolve(name, "TXT"),
    queue: submit,
    from: () => controls.current.tlsrptfrom,
    nowSeconds,
    token: () => Buffer.from(crypto.getRandomValues(new Uint8Array(12))).toString("hex"),
    pause: () => new Promise<void>((resolve) => setTimeout(resolve, gapMs)),
    isOver: () => isOver,
  };

  /** When a day that is over is looked at next. */
  const nextRound = new Map<string, number>();

  async function reportAll(): Promise<void> {
    for (const day of ledger.days) {
      const endSeconds = startOfDay(day) + secondsOfDay;
      const now = nowSeconds();
      if (day >= dayOf(now) || now < (nextRound.get(day) ?? endSeconds + spreadSeconds)) continue;
      nextRound.set(day, now + retrySeconds);
      const isDone = await reportDay(day, around);
      if (isOver) return;
      if (!isDone && now < endSeconds + giveUpSeconds) continue;
      if (!isDone) logEvent("tlsrpt_given_up", { day, domains: ledger.counts(day)?.domains.length ?? 0 });
      ledger.drop(day);
      nextRound.delete(day);
    }
  }

  let ticking: Promise<void> | undefined;
  const timer = setInterval(() => {
    ticking ??= kept.flush().then(() => ledger.flush()).then(reportAll).finally(() => ticking = undefined);
  }, tickMs);

  const server = serveUnix(home.socket("tlsrpt"), {
    onFrame(frame) {
      const note = parseTlsrptNote(frame);
      // Anything else has no record that could ask for a report, and would end up in a file's name.
      if (isDomain(note.domain)) ledger.note(note, nowSeconds());
    },
    onError: (error) => logEvent("garbage", { socket: "tlsrpt", reason: describeError(error) }),
  });

  async function tellAll(id: number, pipe: Pipe): Promise<void> {
    for (const policy of kept.all) {
      pipe.send(formatKeptPolicy(policy));
      await pipe.drained();
    }
    pipe.send({ id });
  }

  const memory = !keeps ? undefined : serveUnix(home.socket("sts-memory"), {
    onFrame(frame, pipe) {
      const request = parseStsMemoryRequest(frame);
      if (request.op === "recall") return tellAll(request.id, pipe);
      kept.remember(request.kept);
    },
    onError: (error) => logEvent("garbage", { socket: "sts-memory", reason: describeError(error) }),
  });

  return {
    reload: () => controls.reload(),
    stop: async () => {
      isOver = true;
      clearInterval(timer);
      for (const one of [server, memory]) {
        one?.stop();
        one?.closeAll();
      }
      // What hangs on the DNS or the queue is cut off.
      resolver.close();
      queue.close();
      await ticking;
      await kept.flush();
      await ledger.flush();
    },
  };
}
