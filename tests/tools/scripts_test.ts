/**
 * The scripts of `bin/`, as text.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { existsSync } from "@std/fs";
import { join } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { wordsBeforeArguments } from "../../components/tools/support/caller.ts";
import { tools, wrappers } from "../../components/tools/permissions.ts";
import { homeAt } from "../../config/home.ts";
import { formatTool, formatWrapper } from "../../scripts/home/tools.ts";
import { checkout } from "../support/system.ts";

/** A home whose name the shell would take for something else. */
const home = homeAt("/a b'c$(d)");
const runtime = { deno: "/deno", denoDir: "/deno_dir", code: "/the code", audit: undefined };
const scripts = [
  ...tools.map((tool) => ({ name: tool.name, text: formatTool(tool, home, runtime) })),
  ...wrappers.map((wrapper) => ({ name: wrapper.name, text: formatWrapper(wrapper, home) })),
];

/** Linux reads so much of a script's first line. */
const longestFirstLine = 255;

describe("the script", () => {
  it("is one for each name", () => {
    assertEquals(new Set(scripts.map(({ name }) => name)).size, scripts.length);
  });

  for (const { name, text } of scripts) {
    it(`of ${name} is one the kernel and a shell can read`, () => {
      assert(text.split("\n")[0]!.length <= longestFirstLine);
      const { success } = new Deno.Command("/bin/sh", { args: ["-n", "-c", text] }).outputSync();
      assert(success);
    });
  }

  for (const tool of tools) {
    it(`of ${tool.name} runs a program that is there, in an environment of its own`, () => {
      assert(existsSync(join(checkout, "components", "tools", `${tool.name}.ts`)));
      const text = formatTool(tool, home, runtime);
      assert(/^#!\/usr\/bin\/env -S (-i |\/usr\/bin\/timeout --foreground 0 \/usr\/bin\/env -i )/.test(text), text);
      assert(/\nexec \/usr\/bin\/env -i PATH=\S+ DENO_DIR=\/deno_dir [^\n]+\n$/.test(text), text);
    });
  }

  it("has as many words in front of a caller's arguments as the tool takes away", () => {
    const text = formatTool(tools.find(({ knowsCaller }) => knowsCaller)!, home, runtime);
    const words = text.split("\n")[0]!.split(" -S ")[1]!.split(" ");
    // And the script's own name.
    assertEquals(words.length + 1, wordsBeforeArguments);
  });
});
