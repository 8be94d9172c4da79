import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { join } from "@std/path";
import {
  bundlePrograms,
  bundleWords,
  packagesFolder,
  plainBundle,
  programsIn,
  runTogether,
  strayImports,
} from "../../../scripts/ship/deno_bundle.ts";
import { bundlerNeed } from "../../support/bundler.ts";
import { checkout } from "../../support/system.ts";
import { tempDir } from "../../support/temp_dir.ts";

describe("bundleWords()", () => {
  it("names a file for one program, and for several the folder that all of them are in", () => {
    const end = (mains: readonly string[]) => bundleWords(mains, "/out").slice(-mains.length - 2);
    const [clean, queue, tool, start] = [
      "components/qmail-clean/main.ts",
      "components/qmail-queue/main.ts",
      "components/tools/forward.ts",
      "scripts/start.ts",
    ];
    assertEquals(end([clean]), ["--output", "/out/components/qmail-clean/main.js", clean]);
    assertEquals(end([clean, queue, tool]), ["--outdir", "/out/components", clean, queue, tool]);
    assertEquals(end([clean, start]), ["--outdir", "/out", clean, start]);
    assertEquals(end(["scripts/start.ts", "scripts/send.ts"])[1], "/out/scripts");
  });
});

describe("plainBundle()", () => {
  it("leaves no path of the machine in names and comments, and puts an empty object in the absent file's place", () => {
    const packages = "../../root/.cache/deno/npm/registry.example";
    const text =
      `// ${packages}/joi/1.0.0/a.js\n"${packages}/joi/1.0.0/a.js"(){ var p = __require("../package"), q=j("../package"); }`;
    assertEquals(plainBundle(text, packages), `// npm:joi/1.0.0/a.js\n"npm:joi/1.0.0/a.js"(){ var p = {}, q={}; }`);
  });

  it("has nothing but ASCII in it, and says the same", () => {
    const text = 'const grüße = "für 😀"; export default `${grüße}–${/^[😀ü]$/u.test("😀")}`;';
    const plain = plainBundle(text, "/packages");
    assert(/^[ -~]*$/.test(plain), plain);
    const said = (code: string) => new Function(code.replace("export default", "return"))();
    assertEquals(said(plain), said(text));
  });
});

describe("runTogether()", () => {
  it("runs what failed beside others once more, alone, and fails where that does", async () => {
    let running = 0;
    const ran: string[] = [];
    const task = (name: string) => async () => {
      const isAlone = ++running === 1;
      ran.push(name);
      await Promise.resolve();
      running--;
      if (!isAlone || name === "bad") throw new Error(name);
    };
    await runTogether([task("a"), task("b"), task("c")]);
    assertEquals(ran, ["a", "b", "c", "b", "c"]);
    assertStringIncludes(String(await assertRejects(() => runTogether([task("a"), task("bad")]))), "bad");
    await runTogether([]);
  });
});

describe("strayImports()", () => {
  const table: readonly { input: string; want: readonly string[] }[] = [
    { input: `import { join } from "node:path";\nimport fs from "node:fs";\n`, want: [] },
    { input: `import { a } from "npm:hono@4";\n`, want: ["npm:hono@4"] },
    { input: `import * as a from "./other.js";\nexport { b } from "hono";\n`, want: ["./other.js", "hono"] },
    { input: `var a=1;import{b}from"hono";var c=2;`, want: ["hono"] },
    { input: `var a = __require("./a.json");\nvar b = __require("node:net");`, want: ["./a.json"] },
    { input: `const text = 'import x from "y"';\nfunction from(a) { return a; }\nfrom("z");\n`, want: [] },
  ];
  for (const { input, want } of table) {
    it(`finds ${JSON.stringify(want)} in ${JSON.stringify(input)}`, () => assertEquals(strayImports(input), want));
  }
});

describe(`bundles${bundlerNeed.note}`, { ignore: bundlerNeed.ignore }, () => {
  const mains = ["components/qmail-clean/main.ts", "components/verify/main.ts", "components/tools/sendmail.ts"];
  const read = (dir: string, main: string) => Deno.readTextFileSync(join(dir, main.replace(/ts$/, "js")));

  /** Runs a bundle with no right, no package and no cache. */
  function run(program: string, args: readonly string[]): { code: number; said: string } {
    using cache = tempDir();
    const { code, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--no-remote", "--no-npm", "--no-config", program, ...args],
      cwd: "/",
      stdin: "null",
      clearEnv: true,
      env: { DENO_DIR: cache.path, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    }).outputSync();
    return { code, said: new TextDecoder().decode(stderr) };
  }

  it("run without packages, hold one program each, and are the same each time", async () => {
    using one = tempDir();
    using other = tempDir();
    await bundlePrograms(checkout, mains, one.path);
    await bundlePrograms(checkout, mains, other.path);
    const packages = await packagesFolder(checkout);
    for (const main of mains) {
      const text = read(one.path, main);
      assert(text === read(other.path, main), main);
      assertEquals(programsIn(text), 1, main);
      for (const path of [checkout, packages, packages.slice(1)]) assert(!text.includes(path), `${main} names ${path}`);
    }
    // It gets as far as its control files, which it has no right to read.
    const { code, said } = run(join(one.path, "components/verify/main.js"), ["--home", "/nowhere"]);
    assertEquals(code, 100, said);
    assertStringIncludes(said, `Cannot read control file "me"`);
  });

  it("are smaller and as good when minified, and have maps beside them when that is asked for", async () => {
    using dir = tempDir();
    await bundlePrograms(checkout, mains, dir.path, { minify: true, sourceMaps: true });
    const program = join(dir.path, "components/verify/main.js");
    assertEquals(run(program, ["--home", "/nowhere"]).code, 100);
    assert(Deno.statSync(`${program}.map`).isFile);
    assertEquals(programsIn(read(dir.path, mains[2]!)), 1);
  });

  it("are not made of a program that does not compile, and the bundler's words are passed on", async () => {
    using dir = tempDir();
    for (const name of ["deno.json", "deno.lock"]) Deno.copyFileSync(join(checkout, name), join(dir.path, name));
    Deno.writeTextFileSync(join(dir.path, "main.ts"), `import "./absent.ts";\n`);
    const error = await assertRejects(() => bundlePrograms(dir.path, ["main.ts"], join(dir.path, "out")));
    assertStringIncludes(String(error), "absent.ts");
  });
});
