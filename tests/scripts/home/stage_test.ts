import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { existsSync } from "@std/fs";
import { dirname, join } from "@std/path";
import { bundlePath } from "../../../components/supervisor/launcher.ts";
import { homeAt } from "../../../config/home.ts";
import { stage } from "../../../scripts/home/stage.ts";
import { componentPrograms } from "../../../scripts/ship/programs.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

describe("stage()", () => {
  let dir: TempDir;
  let reasons: string[];
  let bundled: number;
  const home = () => homeAt(join(dir.path, "h"));
  const onSources = (reason: string) => void reasons.push(reason);
  const bundle = (out: string) => {
    bundled++;
    for (const main of componentPrograms) {
      const path = join(out, bundlePath(main));
      Deno.mkdirSync(dirname(path), { recursive: true });
      Deno.writeTextFileSync(path, "export {};\n");
    }
    return Promise.resolve();
  };
  const fail = () => Promise.reject(new Error("esbuild cannot be had"));

  beforeEach(() => {
    dir = tempDir();
    [reasons, bundled] = [[], 0];
  });
  afterEach(() => dir[Symbol.dispose]());

  it("makes bundles once, and not again while nothing changes", async () => {
    for (let start = 0; start < 2; start++) {
      const runtime = await stage(home(), { bundle, onSources });
      assertEquals([runtime.bundled, runtime.code], [true, home().libexec("code")]);
    }
    assertEquals([bundled, reasons], [1, []]);
  });

  it("stages the sources where no bundles can be made, says why, and tries again the next time", async () => {
    const runtime = await stage(home(), { bundle: fail, onSources });
    assertEquals([runtime.bundled, reasons], [undefined, ["esbuild cannot be had"]]);
    assert(existsSync(join(runtime.code, "components", "supervisor", "main.ts")));
    assertEquals((await stage(home(), { bundle, onSources })).bundled, true);
    assertEquals([bundled, reasons.length], [1, 1]);
  });

  it("leaves what was staged in its place when new bundles cannot be made, until the sources are there", async () => {
    await stage(home(), { bundle, onSources });
    Deno.removeSync(home().libexec("staged"));
    await stage(home(), { bundle: fail, onSources });
    assertEquals([existsSync(`${home().libexec("code")}.new`), reasons.length], [false, 1]);
  });

  it("stages the sources where that is asked for", async () => {
    const runtime = await stage(home(), { sources: true, bundle, onSources });
    assertEquals([runtime.bundled, bundled, reasons], [undefined, 0, []]);
  });
});
