/** The `@std` names as this project uses them: they must hold for the real packages as well. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { ensureDir, ensureDirSync, exists, existsSync } from "@std/fs";
import { basename, dirname, fromFileUrl, isAbsolute, join, normalize, relative, resolve, toFileUrl } from "@std/path";
import fc from "fast-check";
import node from "node:path/posix";
import { tempDir } from "../support/temp_dir.ts";

describe("parseArgs()", () => {
  const options = { string: ["home", "name"], boolean: ["force"], alias: { f: "force", n: "name" } };
  const rows: { args: string[]; want: Record<string, unknown> }[] = [
    { args: [], want: { force: false } },
    { args: ["--home", "/h"], want: { home: "/h", force: false } },
    { args: ["--home=/h=x"], want: { home: "/h=x", force: false } },
    { args: ["--home=", "a"], want: { _: ["a"], home: "", force: false } },
    { args: ["--force", "a", "b"], want: { _: ["a", "b"], force: true } },
    { args: ["-f", "-n", "x"], want: { force: true, name: "x" } },
    { args: ["--", "--force", "-f"], want: { _: ["--force", "-f"], force: false } },
    { args: ["a", "-"], want: { _: ["a", "-"], force: false } },
    { args: ["--home", "/a", "--home", "/b"], want: { home: "/b", force: false } },
  ];
  for (const { args, want } of rows) {
    it(`reads ${JSON.stringify(args)}`, () => {
      const parsed: Record<string, unknown> = { ...parseArgs(args, options) };
      // The real package also sets the alias; both agree under the option's own name.
      for (const name of ["f", "n"]) delete parsed[name];
      assertEquals(parsed, { _: [], ...want });
    });
  }

  it("takes defaults, which flags replace", () => {
    const withDefault = { string: ["home"], default: { home: "/d" } };
    assertEquals([parseArgs([], withDefault)["home"], parseArgs(["--home", "/h"], withDefault)["home"]], ["/d", "/h"]);
  });

  it("tells of flags nobody knows", () => {
    const unknown: string[] = [];
    const note = (arg: string) => {
      unknown.push(arg);
      return false;
    };
    const parsed = parseArgs(["--fores", "--home", "/h"], { ...options, unknown: note });
    assertEquals([unknown, parsed["home"], parsed["fores"]], [["--fores"], "/h", undefined]);
  });

  it("lets no flag reach an object's prototype", () => {
    parseArgs(["--__proto__=x", "--constructor", "--__proto__.polluted=1"], options);
    assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
  });
});

describe("@std/assert", () => {
  const failing: [string, () => unknown][] = [
    ["assert", () => assert(false)],
    ["assertEquals", () => assertEquals({ a: 1 }, { a: 2 })],
    ["assertNotEquals", () => assertNotEquals([1], [1])],
    ["assertMatch", () => assertMatch("a", /b/)],
    ["assertThrows", () => assertThrows(() => {})],
  ];
  for (const [name, fail] of failing) {
    it(`${name}() fails when it should`, () => assert(assertThrows(fail) instanceof Error));
  }

  it("assertRejects() fails when it should, and answers the error", async () => {
    const error = await assertRejects(() => Promise.reject(new TypeError("x")));
    assert(error instanceof TypeError);
    assert(await assertRejects(() => assertRejects(() => Promise.resolve())) instanceof Error);
  });
});

describe("@std/fs", () => {
  it("makes folders, again and with their parents", async () => {
    using dir = tempDir();
    for (let turn = 0; turn < 2; turn++) {
      await ensureDir(join(dir.path, "a", "b"));
      ensureDirSync(join(dir.path, "c", "d"));
    }
    assert(existsSync(join(dir.path, "a", "b")) && await exists(join(dir.path, "c", "d")));
  });

  it("says what exists; a dangling symlink does not", async () => {
    using dir = tempDir();
    Deno.symlinkSync(join(dir.path, "nowhere"), join(dir.path, "link"));
    assertEquals([await exists(join(dir.path, "link")), existsSync(join(dir.path, "absent"))], [false, false]);
  });
});

describe("@std/path", () => {
  it("joins and resolves", () => {
    assertEquals([join("/a", "..", "b"), resolve("/a", "b"), resolve("/a", "/b")], ["/b", "/a/b", "/b"]);
  });
});

describe("paths", () => {
  const part = fc.constantFrom("/", ".", "..", "a", "b.ts", "x/", " ", "%", "é");
  // With doubled slashes the documented behaviour and node's are not the same in dirname() and basename().
  const path = fc.array(part, { maxLength: 8 }).map((parts) => parts.join("").replaceAll(/\/+/g, "/"));

  it("are taken apart and put together as node does", () => {
    fc.assert(fc.property(path, path, (a, b) => {
      assertEquals([normalize(a), join(a, b), resolve(a, b), relative(a, b)], [
        node.normalize(a),
        node.join(a, b),
        node.resolve(a, b),
        node.relative(a, b),
      ]);
      assertEquals([dirname(a), basename(a, ".ts"), isAbsolute(a)], [
        node.dirname(a),
        node.basename(a, ".ts"),
        node.isAbsolute(a),
      ]);
    }));
  });

  it("become file: URLs and come back", () => {
    for (const each of ["/a b/c", "/100%", "/é?#", "/a\\b", "/a/"]) assertEquals(fromFileUrl(toFileUrl(each)), each);
    assertThrows(() => fromFileUrl("https://example.org/a"));
    assertThrows(() => fromFileUrl("file:///a%2Fb"));
  });
});
