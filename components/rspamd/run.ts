/**
 * rspamd's shell: the socket `rspamd`, and the way to the scanner.
 * @module
 */
import { serveFilter } from "../lib/filters/serve.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { rspamdJudge } from "./judge.ts";

export function run({ home }: Pick<Start, "home">): Running {
  const controls = new ControlValues(home, "rspamd");
  const judge = rspamdJudge({
    address: () => controls.current.rspamd,
    newId: () => crypto.randomUUID(),
  });
  const serving = serveFilter({ home, name: "rspamd", judge });
  return { stop: () => serving.stop(), reload: () => controls.reload() };
}
