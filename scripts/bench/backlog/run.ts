/**
 * `bench backlog`: a queue with messages that wait for their next attempt, from its making to its removal.
 * @module
 */
import { startLoad } from "../load.ts";
import { untilAborted } from "../interrupt.ts";
import { measureBacklog } from "./measure.ts";
import type { BacklogOptions } from "./options.ts";
import { provideHome } from "./queue.ts";
import { formatBacklog, makeBacklogReport } from "./report.ts";

/** Measures and prints; answers the exit code. */
export async function runBacklog(options: BacklogOptions, signal: AbortSignal): Promise<number> {
  await using queue = await provideHome(options.place, options.messages, signal);
  await using processes = new AsyncDisposableStack();
  const load = processes.use(startLoad());
  const { home, messages } = queue;
  const rig = {
    home,
    messages,
    options,
    load,
    signal,
    onSpawn: (stop: () => Promise<unknown>) => void processes.defer(async () => void await stop()),
  };
  const figures = await untilAborted(signal, measureBacklog(rig));
  const report = makeBacklogReport(options, queue, figures, new Date());
  console.log(options.json ? JSON.stringify(report) : formatBacklog(report));
  if (options.place.kind === "keep") {
    console.error(`the queue is kept in ${home}: measure it again with --home ${home}`);
  }
  return report.complete ? 0 : 1;
}
