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

if (import.meta.main) await runComponent("qmail-smtpd", (start) => run(start, idsFrom(Deno.args)));
