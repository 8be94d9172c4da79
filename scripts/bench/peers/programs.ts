/**
 * Programs of other makes: where they are, and what an operator has to do where they are not.
 * @module
 */
import { existsSync } from "@std/fs";

/** Such servers change to users of their own. Throws where we are not root. */
export function requireRoot(name: string): void {
  if (Deno.uid() !== 0) throw new Error(`Cannot start ${name}: its processes become other users, which needs root`);
}

/** The first of `paths` that is there. Throws what installs it. */
export function findProgram(paths: readonly string[], name: string, remedy: string): string {
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(`Cannot start ${name}: neither ${paths.join(" nor ")} is there. Install it with "${remedy}"`);
}

/** What a program says, without the line's end. Throws, with its complaint, where it does not succeed. */
export function outputOf(program: string, args: readonly string[]): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args: [...args], stdin: "null" }).outputSync();
  if (!success) throw new Error(`Cannot run ${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}
