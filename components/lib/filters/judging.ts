/**
 * Asking a judge: within its time, and with a verdict in the end that can be carried out.
 * @module
 */
import { describeError, logEvent } from "../log/log.ts";
import type { FilterMessage, Judge, Verdict } from "./filter.ts";
import type { Judged } from "./intake.ts";

/** Never rejects, and ends when its time is over or nobody waits, whatever the judge does. */
export async function judgeWithin(
  judge: Judge,
  message: FilterMessage,
  gone: AbortSignal,
  limitMs: number,
): Promise<Judged> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), limitMs);
  const signal = AbortSignal.any([gone, over.signal]);
  const ended = Promise.withResolvers<Judged>();
  signal.addEventListener("abort", () => ended.resolve({ kind: "failed", reason: "too slow" }), { once: true });
  try {
    const verdict = await Promise.race([judge(message, signal), ended.promise]);
    const defect = verdict.kind === "pass" ? defectOf(verdict) : undefined;
    return defect === undefined ? finished(verdict) : { kind: "failed", reason: defect };
  } catch (error) {
    if (!signal.aborted) logEvent("judge-failed", { reason: describeError(error) });
    return { kind: "failed", reason: signal.aborted ? "too slow" : "failed" };
  } finally {
    clearTimeout(timer);
  }
}

/** qmail's limit of an address, without its NUL. */
const longestAddress = 1002;

/** What the next one could not take: it would give up the connection, with the messages of others on it. */
function defectOf({ sender, recipients }: Verdict & { readonly kind: "pass" }): string | undefined {
  return [...sender === undefined ? [] : [sender], ...recipients ?? []].some(isNoAddress) ? "no address" : undefined;
}

function isNoAddress(address: string): boolean {
  return address.length > longestAddress || address.includes("\0") || /[^\0-\xff]/.test(address);
}

/** A header ends with a whole line: the message's own begins behind it. */
function finished(verdict: Judged): Judged {
  if (verdict.kind !== "pass" || verdict.header === undefined || verdict.header.at(-1) === 0x0a) return verdict;
  if (verdict.header.length === 0) return verdict;
  const header = new Uint8Array(verdict.header.length + 1);
  header.set(verdict.header);
  header[verdict.header.length] = 0x0a;
  return { ...verdict, header };
}
