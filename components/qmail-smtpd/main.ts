/** qmail-smtpd: see README.md. @module */
import { parseArgs } from "@std/cli/parse-args";
import { CannotStart, runComponent } from "../lib/process/component.ts";
import type { Ids } from "../lib/permissions/grant.ts";
import { run } from "./run.ts";

/** `--setuid UID --setgid GID`: whom to become once the ports are bound. Both or neither. */
export function idsFrom(args: readonly string[]): Ids | undefined {
  const { setuid, setgid } = parseArgs([...args], { string: ["setuid", "setgid"] });
  if (setuid === undefined && setgid === undefined) return undefined;
  const isId = (value: unknown) => typeof value === "string" && /^[1-9][0-9]{0,9}$/.test(value);
  if (!isId(setuid) || !isId(setgid)) {
    throw new CannotStart(
      `expected --setuid and --setgid with numbers above 0, got ${JSON.stringify([setuid, setgid])}`,
    );
  }
  return { uid: Number(setuid), gid: Number(setgid) };
}

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
