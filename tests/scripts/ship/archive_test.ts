import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { join } from "@std/path";
import { archiveTime, formatChecksums, makeArchive } from "../../../scripts/ship/archive.ts";
import { formatNotices, lockedPackages } from "../../../scripts/ship/notices.ts";
import { makeBundles } from "../../../scripts/ship/make_bundles.ts";
import { checkout } from "../../support/system.ts";
import { tempDir } from "../../support/temp_dir.ts";

function makeFiles(folder: string): void {
  for (const name of ["b", "a", "c/d"]) {
    Deno.mkdirSync(join(folder, name, ".."), { recursive: true });
    Deno.writeTextFileSync(join(folder, name), `${name}\n`);
  }
}

describe("makeArchive()", () => {
  it("makes the same octets of the same files, whatever their times and order", async () => {
    using one = tempDir();
    using other = tempDir();
    for (const { path } of [one, other]) makeFiles(join(path, "x"));
    Deno.utimeSync(join(other.path, "x", "a"), 1_000_000_000, 1_000_000_000);
    for (const { path } of [one, other]) {
      await makeArchive(join(path, "x"), join(path, "x.tar.gz"), archiveTime(undefined));
    }
    const [first, second] = [one, other].map(({ path }) => Deno.readFileSync(join(path, "x.tar.gz")));
    assertEquals(first, second);
    const listed = new Deno.Command("tar", { args: ["tzf", join(one.path, "x.tar.gz")] }).outputSync().stdout;
    assertEquals(new TextDecoder().decode(listed), "x/\nx/a\nx/b\nx/c/\nx/c/d\n");
  });

  it("says what tar said where it cannot be made", async () => {
    const error = await assertRejects(() => makeArchive("/nowhere/x", "/nowhere/x.tar.gz", 1));
    assertStringIncludes(String(error), "tar failed: ");
  });
});

describe("archiveTime()", () => {
  it("is what SOURCE_DATE_EPOCH says, in whole seconds", () => {
    assertEquals([archiveTime("1700000000"), archiveTime(undefined), archiveTime("")], [
      1_700_000_000,
      315532800,
      315532800,
    ]);
    for (const value of ["yesterday", "-1", "1.5"]) {
      assertStringIncludes(String(assertThrows(() => archiveTime(value))), "SOURCE_DATE_EPOCH");
    }
  });
});

describe("formatChecksums()", () => {
  it("is what sha256sum checks", () => {
    using dir = tempDir();
    makeFiles(dir.path);
    const sums = formatChecksums(dir.path);
    assertEquals(sums.split("\n").map((line) => line.slice(66)), ["a", "b", "c/d", ""]);
    Deno.writeTextFileSync(join(dir.path, "SHA256SUMS"), sums);
    const check = new Deno.Command("sha256sum", { args: ["-c", "--quiet", "SHA256SUMS"], cwd: dir.path });
    assertEquals(check.outputSync().code, 0);
    Deno.writeTextFileSync(join(dir.path, "a"), "changed\n");
    assert(!check.outputSync().success);
  });
});

describe("formatNotices()", () => {
  it("has the licence of each package of the lock file that is there", () => {
    using dir = tempDir();
    const lock = JSON.stringify({ npm: { "@a/b@1.0.0_c@2.0.0": {}, "c@2.0.0": {}, "gone@1.0.0": {} } });
    assertEquals(lockedPackages(lock).map(({ name, version }) => `${name} ${version}`), [
      "@a/b 1.0.0",
      "c 2.0.0",
      "gone 1.0.0",
    ]);
    for (const folder of ["@a/b/1.0.0", "c/2.0.0"]) Deno.mkdirSync(join(dir.path, folder), { recursive: true });
    Deno.writeTextFileSync(join(dir.path, "@a/b/1.0.0/LICENSE.md"), "be kind\n");
    Deno.writeTextFileSync(join(dir.path, "c/2.0.0/package.json"), `{"license":"MIT"}`);
    const notices = formatNotices(lock, dir.path);
    assert(notices.includes("@a/b 1.0.0\n==========\n\nbe kind\n"));
    assert(notices.includes("c 2.0.0\n=======\n\nLicence: MIT\n"));
    assert(!notices.includes("gone"));
  });
});

describe("makeBundles()", () => {
  it("touches no folder that holds something else", async () => {
    using dir = tempDir();
    Deno.writeTextFileSync(join(dir.path, "letters"), "dear\n");
    const error = await assertRejects(() => makeBundles(checkout, dir.path));
    assertStringIncludes(String(error), "holds something else");
    assertEquals(Array.from(Deno.readDirSync(dir.path), ({ name }) => name), ["letters"]);
  });
});
