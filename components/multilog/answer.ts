/**
 * Answers a request about the log as it stands: one search after another, in slices, each within its time.
 * @module
 */
import { breathe } from "../lib/process/breathe.ts";
import { tail, traceAddress, traceMessage } from "../lib/trace/answers.ts";
import type { Search } from "../lib/trace/lives.ts";
import type { LogText, Spent } from "../lib/trace/search.ts";
import type { TraceRequest } from "../lib/wire/trace_protocol.ts";

/** A request's time. */
export const budgetMs = 3000;
/** Others wait no longer for their turn. */
const sliceMs = 10;

/** Carries a search out, with pauses for others. */
export async function carryOut<T>(search: (spent: Spent) => Search<T>, ms: number = budgetMs): Promise<T> {
  const begunMs = performance.now();
  let sliceBegunMs = begunMs;
  const steps = search(() => (performance.now() - begunMs) / ms);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - sliceBegunMs < sliceMs) continue;
    await breathe();
    sliceBegunMs = performance.now();
  }
}

/** Where a cursor's lines end, in octets since the start; undefined: it is not of this process. */
export function parseCursor(cursor: string, startedMs: number): number | undefined {
  const [, start, octets] = /^([0-9]{1,15})\.([0-9]{1,15})$/.exec(cursor) ?? [];
  return Number(start) === startedMs ? Number(octets) : undefined;
}

export interface Standing {
  /** When this process began to keep the log, and what it has written since. */
  readonly startedMs: number;
  readonly written: number;
}

/** The fields of the reply to a request about the log's lines. */
export async function answerAbout(
  log: LogText,
  request: Exclude<TraceRequest, { readonly op: "rates" }>,
  { startedMs, written }: Standing,
): Promise<object> {
  switch (request.op) {
    case "trace message":
      return await carryOut((spent) => traceMessage(log, request.message, request.life, spent));
    case "trace address":
      return await carryOut((spent) => traceAddress(log, request.address, request.count, spent));
    case "tail": {
      const after = parseCursor(request.after ?? "", startedMs);
      const from = after === undefined ? 0 : Math.max(0, log.size - Math.max(0, written - after));
      const lines = await carryOut((spent) => tail(log, { ...request, from }, spent));
      return { ...lines, cursor: `${startedMs}.${written}` };
    }
  }
}
