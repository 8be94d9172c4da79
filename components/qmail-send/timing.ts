/**
 * When a message is tried again (qmail's schedule): `birth + (isqrt(now - birth) + skip)²`, so that on an idle system
 * attempt k comes (skip·k)² seconds after birth.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import type { Channel } from "../lib/queue/layout.ts";

/** qmail's chanskip. */
const skip: Readonly<Record<Channel, number>> = { local: 10, remote: 20 };

/** Next attempt after one begun at `nowSeconds`, for a message born at `birthSeconds` (both seconds since 1970). */
export function nextAttempt(birthSeconds: number, nowSeconds: number, channel: Channel): number {
  const ageSeconds = Math.max(0, nowSeconds - birthSeconds);
  return birthSeconds + (Math.floor(Math.sqrt(ageSeconds)) + skip[channel]) ** 2;
}

/** When deferrals of a message become failures; seconds since 1970. Mail from `<>` and `#@[]` may have less time. */
export function expirySeconds(
  { birthSeconds, sender }: { readonly birthSeconds: number; readonly sender: string },
  { queuelifetime, bouncelifetime }: Pick<Controls, "queuelifetime" | "bouncelifetime">,
): number {
  const isBounce = sender === "" || sender === "#@[]";
  if (!isBounce || bouncelifetime === "queuelifetime") return birthSeconds + queuelifetime;
  return birthSeconds + Math.min(bouncelifetime, queuelifetime);
}

/** Seconds before what failed for trouble of our own is tried again, as in qmail. */
export const troubleSeconds = 123;

/** Seconds before a delivery whose process died is tried again; `losses` of this recipient so far, from 1. */
export function retryAfterLoss(losses: number): number {
  return 0.25 * 4 ** (losses - 1);
}

/** So often a delivery may be lost before it waits its turn like any deferral: a message may be what kills the process. */
export const mostLosses = 4;
