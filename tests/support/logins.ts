/**
 * Who may log in to a system under test.
 * @module
 */
import { replacePassword } from "../../components/lib/users/passwd_file.ts";
import type { System } from "./system.ts";
import { runTask } from "./task.ts";

/** Sets the password of a mailbox, as an operator does; makes the mailbox where it is not there. */
export async function setPassword(system: System, mailbox: string, password: string): Promise<void> {
  const isThere = Deno.readTextFileSync(system.home.users("passwd")).split("\n").some((line) =>
    line.startsWith(`${mailbox}:`)
  );
  const args = [isThere ? "passwd" : "add", mailbox, "--password-stdin", "--home", system.home.dir];
  const { code, stdout, stderr } = await runTask("user", args, { input: `${password}\n` });
  if (code !== 0) throw new Error(`deno task user ended with ${code}; it said:\n${stdout}${stderr}`);
}

/** Keeps the password of a mailbox that is there as it is, which CRAM-MD5 needs. */
export function keepPassword(system: System, mailbox: string, password: string): void {
  const path = system.home.users("passwd");
  const lines = Deno.readTextFileSync(path).split("\n").map((line) =>
    line.startsWith(`${mailbox}:`) ? replacePassword(line, `{PLAIN}${password}`, undefined) : line
  );
  Deno.writeTextFileSync(path, lines.join("\n"));
}
