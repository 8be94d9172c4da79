/**
 * `deno bundle` for programs of this project. What comes out is the same, octet for octet, wherever it is made: no path of
 * the machine is left in it.
 * @module
 */
import { existsSync } from "@std/fs";
import { join, relative } from "@std/path";
import { bundlePath } from "../../components/supervisor/launcher.ts";
import { runDeno } from "./run_deno.ts";

/** How bundles are made. */
export interface BundleOptions {
  readonly minify?: boolean;
  /** A file beside each bundle by which deno names the sources in a stack trace; it tells where they lay. */
  readonly sourceMaps?: boolean;
}

/**
 * A file that mailauth asks for by a name without its extension, `package.json` of its own, which the bundler does not
 * find. It takes its version number from there, for a request over HTTP that is never made.
 */
const absentFile = "../package";

/** The words after `deno` that bundle programs, given by their sources' paths below the checkout, into the folder `out`. */
export function bundleWords(
  mains: readonly string[],
  out: string,
  { minify = false, sourceMaps = false }: BundleOptions = {},
): string[] {
  return [
    ...["bundle", "--quiet", "--config", "deno.json", "--frozen", "--external", absentFile],
    ...minify ? ["--minify"] : [],
    ...sourceMaps ? ["--sourcemap", "linked"] : [],
    ...mains.length === 1
      ? ["--output", join(out, bundlePath(mains[0]!))]
      : ["--outdir", join(out, commonFolder(mains))],
    ...mains,
  ];
}

/** What all paths begin with: below an output folder the bundler leaves it out. */
function commonFolder(paths: readonly string[]): string {
  const folders = paths.map((path) => path.split("/").slice(0, -1));
  const differs = folders[0]!.findIndex((part, at) => folders.some((folder) => folder[at] !== part));
  return folders[0]!.slice(0, differs === -1 ? undefined : differs).join("/");
}

/** Where deno keeps packages, by name and version. */
export async function packagesFolder(checkout: string): Promise<string> {
  const { npmCache } = JSON.parse(await runDeno(["info", "--json"], checkout)) as { readonly npmCache?: unknown };
  if (typeof npmCache !== "string") throw new Error("deno info does not tell where its packages are");
  // A folder for each registry that packages came from: the one that has ours.
  const registries = [...Deno.readDirSync(npmCache)].map(({ name }) => join(npmCache, name));
  const ours = registries.find((registry) => existsSync(join(registry, "hono")));
  if (ours === undefined) throw new Error(`${npmCache} has none of our packages: "deno install" fetches them`);
  return ours;
}

/** A bundle's text without what only holds on this machine. */
export function plainBundle(text: string, packages: string): string {
  return text.replaceAll(`${packages}/`, "npm:").replaceAll(/[\w$]+\("\.\.\/package"\)/g, "{}");
}

/** What a bundle imports that deno does not bring along. */
export function strayImports(text: string): string[] {
  const imports = text.matchAll(/(?:^|;)(?:import|export)\b ?[\w$*{][^'"`;()]*\bfrom ?"([^"\n]+)";/gm);
  const required = text.matchAll(/[\w$]+\("(\.\.?\/[^"\n]+)"\)/g);
  const names = [...imports, ...required].map(([, name]) => name!);
  return [...new Set(names)].filter((name) => !name.startsWith("node:"));
}

/** How many programs begin in a bundle as soon as it is loaded. */
export function programsIn(text: string): number {
  return text.match(/\bimport\.meta\.main\b/g)?.length ?? 0;
}

/**
 * Bundles programs of a checkout, given by their sources' paths below it, into the folder `out`. Throws where one cannot be
 * made, or would need anything but deno.
 */
export async function bundlePrograms(
  checkout: string,
  mains: readonly string[],
  out: string,
  options: BundleOptions = {},
): Promise<void> {
  // as the bundler writes it into names and comments
  const packages = relative(checkout, await packagesFolder(checkout));
  const fileOf = (main: string) => join(out, bundlePath(main));
  await runDeno(bundleWords(mains, out, options), checkout);
  for (const main of mains) {
    // The bundler lets every program that it was told of begin, also as a part of another (sendmail holds two).
    const holdsOthers = programsIn(Deno.readTextFileSync(fileOf(main))) > 1;
    if (holdsOthers) await runDeno(bundleWords([main], out, options), checkout);
    const text = plainBundle(Deno.readTextFileSync(fileOf(main)), packages);
    const [stray, programs] = [strayImports(text), programsIn(text)];
    if (stray.length > 0) throw new Error(`The bundle of ${main} cannot be used: it needs ${stray.join(", ")}`);
    if (programs !== 1) throw new Error(`The bundle of ${main} cannot be used: ${programs} programs begin in it`);
    Deno.writeTextFileSync(fileOf(main), text);
  }
}
