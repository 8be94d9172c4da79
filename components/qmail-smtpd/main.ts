/** qmail-smtpd: see README.md. @module */
import { parseArgs } from "@std/cli/parse-args";
import { CannotStart, runComponent } from "../lib/process/component.ts";
import { idsFrom } from "../lib/process/ids_args.ts";
import { run } from "./run.ts";

/** `--instance N`: which of several processes this is; 1 where it is not said. */
export function instanceFrom(args: readonly string[]): number {
  const { instance } = parseArgs([...args], { string: ["instance"] });
  if (instance === undefined) return 1;
  if (typeof instance !== "string" || !/^[1-9][0-9]{0,4}$/.test(instance)) {
    throw new CannotStart(`expected --instance with a number above 0, got ${JSON.stringify(instance)}`);
  }
  return Number(instance);
}

if (import.meta.main) {
  await runComponent("qmail-smtpd", (start) => {
    return run(start, { ids: idsFrom(Deno.args), instance: instanceFrom(Deno.args) });
  });
}
