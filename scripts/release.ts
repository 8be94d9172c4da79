/**
 * `deno task release --out DIR`: an archive of the bundles, and SHA256SUMS. The same code, with the same deno, makes the
 * same octets; SOURCE_DATE_EPOCH is the time of the files in it.
 * @module
 */
import { ensureDirSync } from "@std/fs";
import { join } from "@std/path";
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { checkout } from "./home/checkout.ts";
import { archiveTime, formatChecksums, makeArchive } from "./ship/archive.ts";
import { makeBundles, versionOf } from "./ship/make_bundles.ts";
import { componentPrograms, scriptPrograms } from "./ship/programs.ts";
import { runDeno } from "./ship/run_deno.ts";
import { outFolder } from "./ship/out_folder.ts";

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("release"), argv);
  if (args === undefined) return;
  const out = outFolder("release", args);
  const seconds = archiveTime(Deno.env.get("SOURCE_DATE_EPOCH"));
  const name = `dqmail-${versionOf(checkout)}`;
  const archive = join(out, `${name}.tar.gz`);
  const work = Deno.makeTempDirSync({ prefix: "dqmail-" });
  try {
    const folder = join(work, name);
    // The bundler takes a name that nobody exports for one of the runtime's.
    await runDeno(["check", "--quiet", ...componentPrograms, ...scriptPrograms(checkout)], checkout);
    await makeBundles(checkout, folder);
    const sums = formatChecksums(folder);
    Deno.writeTextFileSync(join(folder, "SHA256SUMS"), sums, { mode: 0o644 });
    ensureDirSync(out);
    await makeArchive(folder, archive, seconds);
    Deno.writeTextFileSync(join(out, "SHA256SUMS"), formatChecksums(out, [archive]));
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
  if (args["json"] === true) return console.log(JSON.stringify({ archive }, undefined, 2));
  console.log(`${archive} is made; "sha256sum -c SHA256SUMS" in that folder, and in the one it unpacks to, checks it`);
}

if (import.meta.main) {
  await main(Deno.args).catch((error: Error) => {
    console.error(`deno task release: ${error.message}`);
    Deno.exit(111);
  });
}
