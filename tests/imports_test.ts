import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { dirname, join, relative } from "@std/path";

const root = join(import.meta.dirname!, "..");

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sources(join(folder, name));
    else if (/\.tsx?$/.test(name)) yield join(folder, name);
  }
}

/** Every relative import between our own files, by paths below the checkout's top. */
function* imports(folder: string): Generator<readonly [from: string, to: string]> {
  for (const path of sources(join(root, folder))) {
    const text = Deno.readTextFileSync(path);
    for (const [, to] of text.matchAll(/\bfrom "(\.[^"]+)"/g)) {
      yield [relative(root, path), relative(root, join(dirname(path), to!))];
    }
  }
}

const componentOf = (path: string) => /^components\/([^/]+)\//.exec(path)?.[1];

describe("imports", () => {
  it("of a component lead to itself, components/lib and config only; those of components/lib to no component", () => {
    const astray = [...imports("components")].filter(([from, to]) => {
      const [own, other] = [componentOf(from), componentOf(to)];
      return other === undefined ? !to.startsWith("config/") : other !== own && other !== "lib";
    });
    assertEquals(astray, []);
  });

  it("of what runs never lead to the tests", () => {
    const astray = ["components", "config"].flatMap((folder) => [...imports(folder)])
      .filter(([, to]) => to.startsWith("tests/") || to.startsWith("scripts/"));
    assertEquals(astray, []);
  });
});
