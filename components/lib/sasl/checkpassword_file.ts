/**
 * control/checkpassword: the program that says whether a password is right, as qmail-popup runs one, and its arguments.
 * @module
 */
import { err, ok, type Result } from "../result.ts";

/** The program's absolute path, then its arguments; none: the passwd file is asked. */
export type Checkpassword = readonly string[];

/** One line, words parted by blanks; printable, for no shell is to see anything in it. */
export function parseCheckpassword(text: string): Result<Checkpassword, string> {
  const line = text.split("\n", 1)[0] ?? "";
  const command = line.split(/[ \t]+/).filter((word) => word !== "");
  const isPlain = command.every((word) => /^[\x21-\x7e]+$/.test(word));
  if (isPlain && command[0]?.startsWith("/")) return ok(command);
  return err(`expected a program by its absolute path, and its arguments, got ${JSON.stringify(line)}`);
}
