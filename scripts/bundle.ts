/**
 * `deno task bundle --out DIR`: every component, tool and script as one file that needs nothing but deno.
 * @module
 */
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { checkout } from "./home/checkout.ts";
import { makeBundles } from "./ship/make_bundles.ts";
import { outFolder } from "./ship/out_folder.ts";

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("bundle"), argv);
  if (args === undefined) return;
  const out = outFolder("bundle", args);
  const files = await makeBundles(checkout, out, {
    minify: args["minify"] === true,
    sourceMaps: args["source-maps"] === true,
  });
  if (args["json"] === true) return console.log(JSON.stringify({ out, files }, undefined, 2));
  console.log(`${files.length} programs are in ${out}; "${out}/dqmail start --home DIR" starts them`);
}

if (import.meta.main) {
  await main(Deno.args).catch((error: Error) => {
    console.error(`deno task bundle: ${error.message}`);
    Deno.exit(111);
  });
}
