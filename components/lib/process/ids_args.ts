/**
 * Whom a server is to become that begins as root, to bind a port below 1024.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Ids } from "../permissions/grant.ts";
import { nodeProcess } from "./builtin.ts";
import { CannotStart } from "./component.ts";

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

/** Gives root up for good; undefined: it was never root's. */
export function become(ids: Ids | undefined): void {
  if (ids === undefined) return;
  const process = nodeProcess();
  process.setgid!(ids.gid);
  process.setuid!(ids.uid);
}
