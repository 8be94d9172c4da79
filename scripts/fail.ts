/** How a command says that it cannot do what it was told. @module */

import { inWords } from "./cli/called.ts";

/** Says `message` on standard error and ends with 100: trying again as it is will not help. */
export function fail(message: string): never {
  console.error(inWords(message));
  Deno.exit(100);
}
