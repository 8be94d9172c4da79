/**
 * `deno task queue check [--repair]`: what is wrong with a queue, and what can be done about it while nobody works in it.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { print } from "../../components/lib/process/tool.ts";
import type { Finding } from "../../components/lib/queue/check.ts";
import { checkQueue } from "../../components/lib/queue/look.ts";
import { whileShown } from "../cli/progress.ts";
import { repair } from "./repair.ts";
import { lockQueue, queueRuns } from "./running.ts";

/** Between two looks at what seems wrong: longer than a message needs from one state to the next. */
const pauseMs = 200;

/** A name in the queue may hold anything; a line shows it on one line. */
function oneLine(path: string): string {
  // deno-lint-ignore no-control-regex
  return path.replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}

function formatFinding({ kind, path, detail, note }: Finding): string {
  return `${oneLine(path)}: ${note === true ? "note: " : ""}${kind}: ${detail}\n`;
}

/** Exit code 1 where anything is wrong, after the repair if there is one. */
export async function check(home: Home, options: { json: boolean; repair: boolean }): Promise<void> {
  const { json } = options;
  let steps: readonly string[] = [];
  let findings: readonly Finding[];
  if (options.repair) ({ steps, findings } = await repairAll(home, json));
  else {
    const looking = {
      writing: () => queueRuns(home),
      pause: () => new Promise<void>((resolve) => setTimeout(resolve, pauseMs)),
    };
    findings = await whileShown(`looking at every file of ${home.queue()}`, () => checkQueue(home, looking));
  }
  const report = options.repair ? { steps, findings } : findings;
  await print(json ? [JSON.stringify(report, undefined, 2), "\n"] : findings.map(formatFinding));
  if (findings.some(({ note }) => note !== true)) Deno.exitCode = 1;
}

async function repairAll(home: Home, json: boolean): Promise<{ steps: string[]; findings: Finding[] }> {
  if (await queueRuns(home)) {
    throw new Error(`a queue is repaired only while nobody works in it: stop the dqmail in ${home.dir} first`);
  }
  using queue = await lockQueue(home);
  const steps: string[] = [];
  const say = async (step: string) => {
    steps.push(step);
    if (!json) await print([`${oneLine(step)}\n`]);
  };
  const findings = await repair(home, queue, say);
  return { steps, findings };
}
