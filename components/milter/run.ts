/**
 * milter's shell: the socket `milter`, and the way to the milters.
 * @module
 */
import { serveFilter } from "../lib/filters/serve.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { milterJudge } from "./judge.ts";

/** For one message; the milters share all but what the way to the next takes. */
const [budgetMs, miltersMs] = [30_000, 28_000];

export function run({ home }: Pick<Start, "home">): Running {
  const controls = new ControlValues(home, "milter");
  const judge = milterJudge({
    milters: () => controls.current.milters,
    me: () => controls.current.me,
    newId: () => crypto.randomUUID(),
    limitMs: miltersMs,
  });
  const serving = serveFilter({ home, name: "milter", judge, budgetMs });
  return { stop: () => serving.stop(), reload: () => controls.reload() };
}
