/**
 * `deno bundle` for programs of this project. What comes out is the same, octet for octet, wherever it is made: no path of
 * the machine is left in it.
 * @module
 */
import { existsSync } from "@std/fs";
import { basename, dirname, join, relative } from "@std/path";
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

/**
 * Programs that load parts of themselves when they are first asked for: these parts are files beside them, for what a
 * process does not need yet it should not hold.
 */
const inParts: readonly string[] = ["components/admin/main.ts"];

/** How the bundler begins a bundle, for packages that ask for modules of node's while they run. */
const requireWords = `import { createRequire as __deno_internal_createRequire } from "node:module";
var __require = __deno_internal_createRequire(import.meta.url);
`;
/** The same for less: node:module is 2 MiB in every process, though it is hardly ever asked. */
const requireLean = "var __require = (name) => globalThis.process.getBuiltinModule(name);\n";

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
    ...isInParts(mains)
      ? ["--code-splitting", "--outdir", join(out, dirname(mains[0]!))]
      : mains.length === 1
      ? ["--output", join(out, bundlePath(mains[0]!))]
      : ["--outdir", join(out, commonFolder(mains))],
    ...mains,
  ];
}

function isInParts(mains: readonly string[]): boolean {
  return mains.length === 1 && inParts.includes(mains[0]!);
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

/**
 * A bundle's text without what only holds on this machine, without node:module, and in ASCII, for a text with any other
 * character takes two octets for each.
 */
export function plainBundle(text: string, packages: string): string {
  const plain = text.replaceAll(`${packages}/`, "npm:").replaceAll(/[\w$]+\("\.\.\/package"\)/g, "{}");
  return asciiOf(plain.replace(requireWords, requireLean));
}

/** Such escapes mean the same in strings, templates, patterns and names, and stand nowhere else but in comments. */
function asciiOf(text: string): string {
  return text.replaceAll(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
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
  const together = mains.filter((main) => !isInParts([main]));
  const bundle = (of: readonly string[]) => () => runDeno(bundleWords(of, out, options), checkout);
  const inParts = mains.filter((main) => isInParts([main])).map((main) => bundle([main]));
  await runTogether(together.length > 0 ? [...inParts, bundle(together)] : inParts);
  // The bundler lets every program that it was told of begin, also as a part of another (sendmail holds two).
  const holdsOthers = (main: string) => programsIn(Deno.readTextFileSync(fileOf(main))) > 1;
  await runTogether(together.filter(holdsOthers).map((main) => bundle([main])));
  for (const main of mains) {
    const parts = isInParts([main]) ? partsBeside(fileOf(main)) : [];
    for (const file of [fileOf(main), ...parts.map((part) => join(dirname(fileOf(main)), part))]) {
      const text = plainBundle(Deno.readTextFileSync(file), packages);
      const stray = strayImports(text).filter((name) => !parts.includes(name.replace(/^\.\//, "")));
      const programs = programsIn(text);
      if (stray.length > 0) throw new Error(`The bundle of ${main} cannot be used: it needs ${stray.join(", ")}`);
      if (programs !== (file === fileOf(main) ? 1 : 0)) {
        throw new Error(`The bundle of ${main} cannot be used: ${programs} programs begin in ${file}`);
      }
      Deno.writeTextFileSync(file, text);
    }
  }
}

/**
 * Runs all at once, and each that fails once more, alone: the bundler's first user installs it, and two first users are in
 * each other's way.
 */
export async function runTogether(tasks: readonly (() => Promise<unknown>)[]): Promise<void> {
  const ended = await Promise.allSettled(tasks.map((task) => task()));
  for (const [at, { status }] of ended.entries()) if (status === "rejected") await tasks[at]!();
}

/** The names of the other files of code in a program's folder. */
function partsBeside(file: string): string[] {
  return Array.from(Deno.readDirSync(dirname(file)), ({ name }) => name)
    .filter((name) => name.endsWith(".js") && name !== basename(file));
}
