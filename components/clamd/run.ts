/**
 * clamd's shell: the socket `clamd`, and the way to the scanner.
 * @module
 */
import { serveFilter } from "../lib/filters/serve.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { clamdJudge } from "./judge.ts";

export function run({ home }: Pick<Start, "home">): Running {
  const controls = new ControlValues(home, "clamd");
  const serving = serveFilter({ home, name: "clamd", judge: clamdJudge(() => controls.current.clamd) });
  return { stop: () => serving.stop(), reload: () => controls.reload() };
}
