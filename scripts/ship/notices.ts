/**
 * The licences of the packages of others: who ships them within bundles passes these on.
 * @module
 */
import { existsSync } from "@std/fs";
import { join } from "@std/path";

/** A package of the lock file. */
interface Package {
  readonly name: string;
  readonly version: string;
}

/** The npm packages of a deno.lock, in its order. */
export function lockedPackages(lock: string): Package[] {
  const { npm = {} } = JSON.parse(lock) as { readonly npm?: Readonly<Record<string, unknown>> };
  return Object.keys(npm).map((key) => {
    // "@scope/name@1.2.3", and behind the version, after "_", the packages it was resolved with
    const at = key.indexOf("@", 1);
    return { name: key.slice(0, at), version: key.slice(at + 1).split("_")[0]! };
  });
}

/** What of a package's files is about its licence. */
const licenceFile = /^(licen[cs]e|notice|copying)([.-].*)?$/i;

function noticeOf(folder: string, { name, version }: Package): string {
  const files = Array.from(Deno.readDirSync(folder), (entry) => entry.name).filter((file) => licenceFile.test(file));
  const texts = files.sort().map((file) => Deno.readTextFileSync(join(folder, file)).trim());
  if (texts.length === 0) {
    const { license } = JSON.parse(Deno.readTextFileSync(join(folder, "package.json"))) as {
      readonly license?: unknown;
    };
    texts.push(`Licence: ${license ?? "see the package"}`);
  }
  return `${name} ${version}\n${"=".repeat(name.length + version.length + 1)}\n\n${texts.join("\n\n")}\n`;
}

/** All notices as one text; `packages` is the folder of packages, by name and version. Those not fetched are left out. */
export function formatNotices(lock: string, packages: string): string {
  const notices = lockedPackages(lock)
    .map((each) => [join(packages, each.name, each.version), each] as const)
    .filter(([folder]) => existsSync(folder))
    .map(([folder, each]) => noticeOf(folder, each));
  return ["Packages that dqmail is made with, and their licences.\n", ...notices].join("\n");
}
