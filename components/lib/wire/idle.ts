/**
 * When a component that runs on demand may end: nobody has asked it for a while, nobody waits for an answer, and every
 * client that holds a connection has let go of it.
 *
 * The word for that is a frame `{op:"leave"}` to each client: one that waits for nothing closes its connection and makes
 * a new one for its next request, so that no request is on its way when the process ends; one that waits for an answer
 * keeps it, and the process stays.
 * @module
 */
import type { Pipe } from "./pipe.ts";

export const leaveWord = { op: "leave" } as const;

/** How a server takes part in the question. */
interface Part {
  readonly connections: ReadonlySet<Pipe>;
  /** A connection means work under way, though nothing is asked on it for long. */
  readonly keepsSessions: boolean;
}

const parts = new Set<Part>();
let frames = 0;
/** What was found at the last look, and when it was found first. */
const seen = { frames: 0, sinceMs: performance.now() };

/** A server of this process; answers what to call when it has stopped. */
export function joinIdle(part: Part): () => void {
  parts.add(part);
  return () => parts.delete(part);
}

/** A frame came. Counted only, for it is done for every frame: the clock is looked at by {@link idleMs}. */
export function noteFrame(): void {
  frames++;
}

/** For how long, as far as the calls of this function can tell, no frame has come and no session stood; milliseconds. */
export function idleMs(): number {
  const isBusy = Array.from(parts).some(({ keepsSessions, connections }) => keepsSessions && connections.size > 0);
  if (isBusy || frames !== seen.frames) Object.assign(seen, { frames, sinceMs: performance.now() });
  return performance.now() - seen.sinceMs;
}

/** How long a client may take to let go: a turn of its loop. */
const letGoMs = 1000;
const lookMs = 20;

/** Asks all clients to let go; whether all have, and none has come or asked meanwhile. */
export async function letGo(): Promise<boolean> {
  const before = frames;
  const open = () => Array.from(parts, ({ connections }) => [...connections]).flat();
  for (const pipe of open()) pipe.send(leaveWord);
  const endMs = performance.now() + letGoMs;
  while (open().length > 0 && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, lookMs));
  return open().length === 0 && frames === before;
}
