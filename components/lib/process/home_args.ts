/**
 * The home on a program's command line: whoever starts one tells it where the home is and, where it is not qmail's own
 * number, how the queue is split. A program does not look for itself: most may not read control/, nor list the queue.
 * @module
 */
import { defaultQueueSplit, type Home, homeAt } from "../../../config/home.ts";

/** The options' names, for parseArgs. */
export const homeOptions = ["home", "queue-split"] as const;

/** The words that {@link parseHomeArgs} makes the same home of. */
export function formatHomeArgs({ dir, queueSplit }: Home): string[] {
  return ["--home", dir, ...(queueSplit === defaultQueueSplit ? [] : ["--queue-split", String(queueSplit)])];
}

/** The home that parsed arguments name; the working directory where they name none. Throws for a split that is none. */
export function parseHomeArgs(args: Readonly<Record<string, unknown>>): Home {
  const queueSplit = Number(args["queue-split"] ?? defaultQueueSplit);
  // Another number would have every file looked for in the wrong folder.
  if (!Number.isSafeInteger(queueSplit) || queueSplit < 1) {
    throw new Error(`--queue-split: expected a whole number, got ${args["queue-split"]}`);
  }
  return homeAt(String(args["home"] ?? "."), { queueSplit });
}
