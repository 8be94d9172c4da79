/** Deno as a tool of the release: bundler and compiler. @module */

/** Runs deno below `cwd`; answers its standard output. Throws with what it said when it fails. */
export async function runDeno(args: readonly string[], cwd: string): Promise<string> {
  const decoder = new TextDecoder();
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    stdin: "null",
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
  });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`deno ${args[0]} failed: ${decoder.decode(stderr).trim()}`);
  return decoder.decode(stdout);
}
