/**
 * `deno task start [--home DIR] [--port-offset N]`: has the home prepared (prepare.ts, in a process that ends with the
 * welcome), starts the supervisor through its launcher, and passes signals on. It is the only program that runs without a
 * grant; it opens no port and ends with the supervisor. It runs as long as that one does: what it imports is paid for
 * until then.
 * @module
 */
import { callerName } from "./cli/caller_name.ts";
import { prepare } from "./home/preparation.ts";
import { runSupervisor } from "./home/supervisors.ts";

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const preparation = await prepare([callerName(), ...argv]);
  if (preparation.prepared === undefined) Deno.exit(preparation.code);
  const { launcher, args } = preparation.prepared;
  Deno.exit(await runSupervisor(launcher, { args, onReady: preparation.onReady }));
}

if (import.meta.main) await main(Deno.args);
