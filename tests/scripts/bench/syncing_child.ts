/** Writes and syncs a file for each line that it is sent: twice. @module */
import { answerLines } from "../../../scripts/bench/json_lines.ts";

await answerLines((path) => {
  using file = Deno.openSync(String(path), { write: true });
  for (const octet of [1, 2]) {
    file.writeSync(Uint8Array.of(octet));
    file.syncSync();
  }
  return Promise.resolve(Deno.pid);
});
