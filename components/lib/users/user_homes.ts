/**
 * The folders in which homes of accounts lie, as control/userhomes has them.
 * @module
 */
import type { Parse } from "../../../config/values.ts";
import { err, ok } from "../result.ts";

/** Where Unix systems keep them. */
export const defaultUserHomes: readonly string[] = ["/home"];

/**
 * One absolute path a line, without `.` and `..`; lines that begin with `#` are comments. The whole of the disk is no
 * folder of homes, and a comma would end a path in the flags of deno.
 */
export const parseUserHomes: Parse<readonly string[]> = (text) => {
  const folders: string[] = [];
  for (const line of text.split("\n").map((line) => line.replace(/[ \t\r]+$/, ""))) {
    if (line === "" || line.startsWith("#")) continue;
    const parts = line.replace(/\/+$/, "").split("/");
    const isPath = parts.length > 1 && parts[0] === "" &&
      parts.slice(1).every((part) => !["", ".", ".."].includes(part));
    // deno-lint-ignore no-control-regex
    if (!isPath || /[\x00-\x1f\x7f,]/.test(line)) {
      return err(`expected one folder a line, like /home, got ${JSON.stringify(line)}`);
    }
    folders.push(parts.join("/"));
  }
  return ok(folders);
};
