/**
 * The shell of a component that counts and reports: its socket, its folder, the clock, the way into the queue.
 * @module
 */
import { Buffer } from "node:buffer";
import type { SocketName } from "../../../config/home.ts";
import type { Controls } from "../../../config/schema.ts";
import { realDisk } from "../disk/disk.ts";
import { ResolverClient } from "../dns/resolver_client.ts";
import { loggingHops, routeOf } from "../filters/controls.ts";
import type { ClientNote } from "../filters/filter.ts";
import { ChainSubmission } from "../filters/hand_on.ts";
import { usualLimits } from "../filters/route.ts";
import { describeError, log, logEvent } from "../log/log.ts";
import type { Running, Start } from "../process/component.ts";
import { ControlValues } from "../process/controls.ts";
import type { Frame } from "../wire/frame.ts";
import { serveUnix } from "../wire/server.ts";
import { type MakeDraft, reportDay } from "./day.ts";
import { dayOf, secondsOfDay, startOfDay } from "./days.ts";
import { type Counts, Ledger, type NoteKind } from "./ledger.ts";

/** What differs between such components. */
export interface Reporting<N, C extends Counts<N>> {
  /** The component, its socket and its folder. */
  readonly name: SocketName;
  readonly dir: string;
  readonly kind: NoteKind<N, C>;
  /** A note that may be counted; undefined: one that may not. Throws ProtocolError. */
  readonly receive: (frame: Frame) => N | undefined;
  readonly from: (controls: Controls) => string;
  readonly draft: MakeDraft<C>;
}

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

/** A report takes the way of mail that programs write here: who signs that signs reports as well. */
const writtenHere: ClientNote = { entrance: "local", ip: "127.0.0.1", helo: "", tls: false, relaying: true };

/** Starts serving. Throws CannotStart on a malformed control file. */
export function runReporting<N, C extends Counts<N>>(
  { home }: Start,
  { name, dir, kind, receive, from, draft }: Reporting<N, C>,
  options: RunOptions,
): Running {
  const {
    nowSeconds = () => Math.floor(Date.now() / 1000),
    spreadSeconds = Math.floor(Math.random() * longestSpreadSeconds),
    tickMs = defaultTickMs,
  } = options;
  const controls = new ControlValues(home, name);
  const resolver = new ResolverClient(home);
  const hops = loggingHops(home);
  const ledger = new Ledger({
    kind,
    disk: realDisk(),
    dir,
    onTrouble: (error) => log(`alert: cannot write in ${name}: ${describeError(error)}; counting goes on in memory`),
    onDamage: (day, lines) => log(`warning: ${name}/${day} was damaged; lines passed over: ${lines}`),
  });
  ledger.load();
  let isOver = false;

  async function submit(content: Uint8Array, recipients: readonly string[]): Promise<boolean> {
    const route = routeOf(controls.current, "local", writtenHere) ??
      { client: writtenHere, chain: [], ...usualLimits };
    const submission = new ChainSubmission(hops, { origin: "uid", uid: Deno.uid() ?? 0, route });
    await submission.write(content);
    // From nobody: what comes back of a report is for nobody to answer.
    const { code } = await submission.commit({ sender: "", recipients });
    return code === 0;
  }

  const world = {
    name,
    ledger,
    draft,
    lookUp: (name: string) => resolver.resolve(name, "TXT"),
    queue: submit,
    from: () => from(controls.current),
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
      const isDone = await reportDay(day, world);
      if (isOver) return;
      if (!isDone && now < endSeconds + giveUpSeconds) continue;
      if (!isDone) logEvent(`${name}_given_up`, { day, domains: ledger.counts(day)?.domains.length ?? 0 });
      ledger.drop(day);
      nextRound.delete(day);
    }
  }

  let ticking: Promise<void> | undefined;
  const timer = setInterval(() => {
    ticking ??= ledger.flush().then(reportAll).finally(() => ticking = undefined);
  }, tickMs);

  const server = serveUnix(home.socket(name), {
    onFrame(frame) {
      const note = receive(frame);
      if (note !== undefined) ledger.note(note, nowSeconds());
    },
    onError: (error) => logEvent("garbage", { socket: name, reason: describeError(error) }),
  });

  return {
    reload: () => controls.reload(),
    stop: async () => {
      isOver = true;
      clearInterval(timer);
      server.stop();
      server.closeAll();
      // What hangs on the DNS or the queue is cut off.
      resolver.close();
      hops.close();
      await ticking;
      await ledger.flush();
    },
  };
}
