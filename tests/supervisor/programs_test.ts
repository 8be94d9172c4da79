import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { homeAt } from "../../config/home.ts";
import { bakedKey, formatBinaries, parseBinaries } from "../../components/supervisor/binaries.ts";
import { launchCommand, type Runtime, v8Flags } from "../../components/supervisor/launcher.ts";

const home = homeAt("/h");
const grant = { write: ["/q"] };
const args = ["--home", "/h"];
const sources: Runtime = { deno: "/opt/deno", denoDir: "/cache", code: "/code", audit: undefined };

function command(runtime: Runtime, main?: string): string[] {
  return launchCommand("qmail-clean", grant, runtime, home, args, main);
}

describe("launchCommand()", () => {
  it("runs a bundle in its source's place, with the same grant, and lets deno look nowhere else", () => {
    const bundled = command({ ...sources, bundled: true });
    assertEquals(bundled.slice(-3), ["/code/components/qmail-clean/main.js", ...args]);
    for (const flag of ["--no-prompt", "--no-remote", "--no-npm", "--no-config", "--allow-write=/q"]) {
      assert(bundled.includes(flag), flag);
    }
    assert(!bundled.some((word) => ["--config", "--cached-only", "--frozen"].includes(word)));
    const tool = command({ ...sources, bundled: true }, "tools/forward.ts");
    assertEquals(tool.at(-3), "/code/components/tools/forward.js");
  });

  const key = bakedKey("qmail-clean/main.ts", [v8Flags("qmail-clean"), "--allow-write=/q"], args);
  const binaries = new Map([[key, "/bin/qmail-clean"]]);

  it("runs a binary that has this very grant and these arguments in it", () => {
    const words = command({ ...sources, binaries });
    assertEquals(words, ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "NO_COLOR=1", "/bin/qmail-clean"]);
  });

  it("runs none for another grant, other arguments, another program, or while checks are recorded", () => {
    const runtime = { ...sources, binaries };
    const others = [
      launchCommand("qmail-clean", { write: ["/q", "/r"] }, runtime, home, args),
      launchCommand("qmail-clean", {}, runtime, home, args),
      launchCommand("qmail-clean", grant, runtime, home, ["--home", "/other"]),
      launchCommand("qmail-clean", grant, runtime, home, args, "tools/forward.ts"),
      launchCommand("qmail-clean", grant, { ...runtime, audit: "/audit" }, home, args),
    ];
    for (const words of others) assert(words.includes("/opt/deno"), words.join(" "));
  });
});

describe("parseBinaries()", () => {
  it("reads what formatBinaries() writes, with the folder in front", () => {
    const text = formatBinaries(new Map([["a", "qmail-clean"], ["b", "tools/qmail-qstat"]]));
    assertEquals([...parseBinaries(text, "/out")], [["a", "/out/qmail-clean"], ["b", "/out/tools/qmail-qstat"]]);
  });

  it("throws for anything else", () => {
    for (const text of ["", "[", `{"a":1}`, "null"]) assertThrows(() => parseBinaries(text, "/out"));
  });
});
