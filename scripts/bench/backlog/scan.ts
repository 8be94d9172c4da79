/**
 * How long qmail-send takes to know all that waits in its queue, told from outside: its status socket is asked again and
 * again. What an answer takes tells as well whether the scan keeps it from everything else.
 * @module
 */
import { pause } from "../clock.ts";
import { sendStatus } from "../status.ts";

/** Seconds count from the start's command; undefined: not before the limit. */
export interface ScanFigures {
  /** Until qmail-send answered for the first time. */
  readonly answeredSeconds: number | undefined;
  /** Until it knew all messages. */
  readonly knownSeconds: number | undefined;
  /** Between these two. */
  readonly seconds: number | undefined;
  /** The longest wait for an answer until then. */
  readonly slowestAnswerMs: number;
}

const pauseMs = 25;

/** Watches a scan that is to begin now. An aborted one tells what was seen. */
export async function watchScan(
  queue: { readonly home: string; readonly messages: number; readonly options: { readonly limitMs: number } },
  signal: AbortSignal,
): Promise<ScanFigures> {
  const begin = performance.now();
  const secondsNow = () => (performance.now() - begin) / 1000;
  let answeredSeconds: number | undefined;
  let slowestAnswerMs = 0;
  while (!signal.aborted && secondsNow() * 1000 < queue.options.limitMs) {
    const askedAt = performance.now();
    const status = await sendStatus(queue.home);
    if (status !== undefined) {
      answeredSeconds ??= secondsNow();
      slowestAnswerMs = Math.max(slowestAnswerMs, performance.now() - askedAt);
      if (status.waitingForRetry >= queue.messages) {
        const knownSeconds = secondsNow();
        return { answeredSeconds, knownSeconds, seconds: knownSeconds - answeredSeconds, slowestAnswerMs };
      }
    }
    await pause(pauseMs);
  }
  return { answeredSeconds, knownSeconds: undefined, seconds: undefined, slowestAnswerMs };
}
