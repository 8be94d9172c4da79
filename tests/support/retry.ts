/**
 * Attempts that would only come after minutes, made now.
 * @module
 */
import { parseSendStatus, type SendStatus } from "../../components/lib/wire/status_protocol.ts";
import { askStatus } from "../../scripts/ask.ts";
import type { System } from "./system.ts";
import { waitFor } from "./wait.ts";

export async function sendStatus({ home }: System): Promise<SendStatus> {
  return await askStatus(home, "send-status", parseSendStatus);
}

/** Settles once `count` messages wait for their next attempt (one that waits on both channels counts twice). */
export async function waitForDeferral(system: System, count = 1): Promise<void> {
  await waitFor(
    async () => {
      const { waitingForRetry, running } = await sendStatus(system);
      return waitingForRetry === count && running.local + running.remote === 0;
    },
    `${count} messages to wait for a retry`,
  );
}

/** Waits as {@link waitForDeferral} does, and makes all of them due: SIGALRM, as qmail has it. */
export async function retryAll(system: System, count = 1): Promise<void> {
  await waitForDeferral(system, count);
  await system.signal("qmail-send", "SIGALRM");
}
