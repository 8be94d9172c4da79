/**
 * What is shipped: every component, every tool of `bin/`, and the scripts an operator has a use for without a checkout.
 * @module
 */
import { join } from "@std/path";
import { tools } from "../../components/tools/permissions.ts";
import { manifests } from "../../config/manifests.ts";

/** Scripts about the checkout itself; those of bench start its sources. */
const checkoutOnly = ["bench.ts", "bundle.ts", "compile.ts", "docs.ts", "release.ts"];

/** What a script ends with that is a program and not a part of one. */
const runsItself = /^if \(import\.meta\.main\)/m;

/** The programs without those of scripts/, by their sources' paths below the checkout. */
export const componentPrograms: readonly string[] = [
  ...manifests.map(({ name }) => `components/${name}/main.ts`),
  ...tools.map(({ name }) => `components/tools/${name}.ts`),
];

/** The programs of scripts/, by their sources' paths below `checkout`. */
export function scriptPrograms(checkout: string): string[] {
  const folder = join(checkout, "scripts");
  return Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .filter((name) => name.endsWith(".ts") && !checkoutOnly.includes(name))
    .filter((name) => runsItself.test(Deno.readTextFileSync(join(folder, name))))
    .sort()
    .map((name) => `scripts/${name}`);
}
