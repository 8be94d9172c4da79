import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { join } from "@std/path";
import { homeAt } from "../../../config/home.ts";
import { flagsOf } from "../../../components/lib/permissions/grant.ts";
import { defaultConfig } from "../../../scripts/home/default_config.ts";
import { binariesFor, binaryPath, compileWords } from "../../../scripts/ship/binaries.ts";
import { tools } from "../../../components/tools/permissions.ts";
import { bundlerNeed } from "../../support/bundler.ts";
import { checkout } from "../../support/system.ts";
import { tempDir } from "../../support/temp_dir.ts";

const config = defaultConfig(homeAt("/var/qmail"), 7);
const binaries = binariesFor(config);

function binaryOf(name: string) {
  const found = binaries.find((binary) => binary.name === name);
  assert(found !== undefined, `no binary of ${name}`);
  return found;
}

/** Runs `deno task compile` with `base` as what binaries are made of. */
function compile(base: string | undefined, args: readonly string[]) {
  const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", join(checkout, "scripts/compile.ts"), ...args],
    cwd: checkout,
    stdin: "null",
    env: { NO_COLOR: "1", ...base === undefined ? {} : { DENORT_BIN: base } },
  }).outputSync();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

describe("binariesFor()", () => {
  it("has what this home has a use for, with paths that differ where names do not", () => {
    const names = binaries.map(({ name }) => name);
    for (const name of ["qmail-smtpd", "qmail-remote", "qmail-queue", "resolver", "qmail-qstat"]) {
      assert(names.includes(name), name);
    }
    // milter is in no filter of the default; the supervisor starts deno; dial6 asks a broker.
    for (const name of ["milter", "supervisor", "dial6"]) assert(!names.includes(name), name);
    const paths = binaries.map(binaryPath);
    assertEquals(new Set(paths).size, paths.length);
  });

  it("leaves out tools whose grant or input depends on their caller", () => {
    const ofTools = binaries.filter(({ main }) => main.startsWith("tools/"));
    for (const { name, paths, knowsCaller, runsFor } of tools) {
      const has = ofTools.some((binary) => binary.name === name);
      if (paths !== undefined || knowsCaller || runsFor !== undefined) assert(!has, name);
    }
    assert(ofTools.length >= 5);
  });
});

describe("compileWords()", () => {
  it("are the launcher's flags and arguments, with the output in front and the bundle in the source's place", () => {
    const clean = binaryOf("qmail-clean");
    assertEquals(compileWords(clean, config, "/bundles", "/out"), [
      ...["compile", "--output", "/out/qmail-clean"],
      ...["--quiet", "--no-prompt", "--v8-flags=--max-semi-space-size=1", "--no-remote", "--no-npm", "--no-config"],
      "--allow-read=/var/qmail/queue/options,/var/qmail/run/qmail-clean/s",
      "--allow-write=/var/qmail/queue/mess,/var/qmail/queue/intd,/var/qmail/queue/todo,/var/qmail/queue/options,/var/qmail/run/qmail-clean/s",
      "--allow-net=unix:/var/qmail/run/qmail-clean/s",
      "/bundles/components/qmail-clean/main.js",
      ...["--home", "/var/qmail", "--port-offset", "7"],
    ]);
  });

  it("hold each program's whole grant and no other right", () => {
    for (const binary of binaries) {
      const words = compileWords(binary, config, "/bundles", "/out");
      const rights = words.filter((word) => /^--(allow|deny)-/.test(word));
      const want = flagsOf(binary.grant, config.home).filter((flag) => /^--(allow|deny)-/.test(flag));
      assertEquals(rights, want, binary.name);
      assert(!words.includes("--allow-all"));
    }
  });
});

describe(`deno task compile${bundlerNeed.note}`, { ignore: bundlerNeed.ignore }, () => {
  /** What deno writes into the binary for its start. */
  interface Baked {
    readonly argv: readonly string[];
    readonly v8_flags: readonly string[];
    readonly permissions: Readonly<Record<string, unknown>>;
  }

  function bakedInto(path: string): Baked {
    const text = new TextDecoder("latin1").decode(Deno.readFileSync(path));
    const from = text.indexOf(`{"argv":[`);
    assert(from > 0, `${path} has nothing baked in`);
    let depth = 0;
    for (let at = from; at < text.length; at++) {
      if (text[at] === "{") depth++;
      else if (text[at] === "}" && --depth === 0) return JSON.parse(text.slice(from, at + 1)) as Baked;
    }
    throw new Error(`${path}: what is baked in has no end`);
  }

  it("bakes grant and arguments into what DENORT_BIN names, with no network", () => {
    using dir = tempDir();
    const [home, out] = [join(dir.path, "home"), join(dir.path, "out")];
    const result = compile("/bin/true", ["--out", out, "--home", home, "--only", "qmail-clean,qmail-qstat", "--json"]);
    assertEquals(result.code, 0, result.stderr);
    assertEquals(JSON.parse(result.stdout).commands.length, 2);
    const { argv, permissions, v8_flags } = bakedInto(join(out, "qmail-clean"));
    assertEquals(argv, ["--home", home, "--port-offset", "0"]);
    assert(v8_flags.includes("--max-semi-space-size=1"));
    assertEquals(permissions["allow_read"], [`${home}/queue/options`, `${home}/run/qmail-clean/s`]);
    assertEquals(permissions["allow_net"], [`unix:${home}/run/qmail-clean/s`]);
    for (const kind of ["allow_run", "allow_env", "allow_ffi", "allow_sys"]) {
      assertEquals(permissions[kind], null, kind);
    }
    assertEquals(permissions["prompt"], false);
    assertEquals(bakedInto(join(out, "tools/qmail-qstat")).argv, ["--home", home]);
  });

  it("prints the command lines of a dry run, and makes nothing", () => {
    using dir = tempDir();
    const out = join(dir.path, "out");
    const { code, stdout } = compile(undefined, ["--out", out, "--home", dir.path, "--dry-run"]);
    assertEquals(code, 0);
    const lines = stdout.trim().split("\n");
    assertEquals(lines.length, binaries.length);
    assert(lines.every((line) => line.startsWith("deno compile --output ")));
    assertEquals([...Deno.readDirSync(dir.path)], []);
  });

  it("says which name it knows no binary of, and that --out is missing", () => {
    assertStringIncludes(compile(undefined, ["--out", "/nowhere", "--only", "qmail-x"]).stderr, "no binary of qmail-x");
    assertStringIncludes(compile(undefined, []).stderr, "--out");
  });
});
