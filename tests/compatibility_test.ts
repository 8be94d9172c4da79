/**
 * COMPATIBILITY.md, held to its word: each row has a state, what is there names the tests that show it, and what is not, or
 * is otherwise, says why.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { existsSync } from "@std/fs";
import { fromFileUrl, join } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { schema } from "../config/schema.ts";

const rootDir = fromFileUrl(new URL("..", import.meta.url));
const states = ["implemented", "differently", "absent"];
const heading = ["feature", "state", "how, or why not", "shown by"];

interface Row {
  readonly line: number;
  readonly section: string;
  /** As between the bars, blanks and escapes removed. */
  readonly cells: readonly string[];
}

const text = Deno.readTextFileSync(join(rootDir, "COMPATIBILITY.md"));

/** The rows of its tables, without their headings. */
function rowsOf(markdown: string): readonly Row[] {
  const rows: Row[] = [];
  let section = "";
  markdown.split("\n").forEach((line, index) => {
    if (line.startsWith("## ")) section = line.slice(3);
    if (!line.startsWith("|") || /^\|[-|]+$/.test(line)) return;
    const cells = line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
    if (cells.join() !== heading.join()) rows.push({ line: index + 1, section, cells });
  });
  return rows;
}

/** Where the links of a text lead. */
function linksIn(markdown: string): readonly string[] {
  return Array.from(markdown.matchAll(/\]\(([^)]*)\)/g), ([, path]) => path!);
}

const rows = rowsOf(text);

/** Rows that `isWrong` says something about, as "line: feature". */
function wrongRows(isWrong: (row: Row) => boolean): readonly string[] {
  return rows.filter(isWrong).map(({ line, cells }) => `${line}: ${cells[0]}`);
}

describe("COMPATIBILITY.md", () => {
  it("has rows in every section, each once, of four cells", () => {
    const sections = text.split("\n").filter((line) => line.startsWith("## ")).map((line) => line.slice(3));
    assert(sections.length > 5);
    for (const section of sections) {
      const features = rows.filter((row) => row.section === section).map(({ cells }) => cells[0]);
      assert(features.length > 0, section);
      assertEquals(new Set(features).size, features.length, section);
    }
    assertEquals(wrongRows(({ cells }) => cells.length !== 4 || cells[0] === ""), []);
  });

  it("says of every row what became of it", () => {
    assertEquals(wrongRows(({ cells }) => !states.includes(cells[1]!)), []);
  });

  it("names the test of what is implemented, and why the others are not, or otherwise", () => {
    assertEquals(
      wrongRows(({ cells: [, state, , shown] }) => state === "implemented" && linksIn(shown!).length === 0),
      [],
    );
    assertEquals(wrongRows(({ cells: [, state, why] }) => state !== "implemented" && why!.length < 8), []);
  });

  it("leads only to what is there, and as a proof to tests only", () => {
    assertEquals(linksIn(text).filter((path) => path.startsWith("/") || !existsSync(join(rootDir, path))), []);
    const isNoTest = (path: string) => !/^tests(\/[a-z0-9_/-]+_test\.ts)?$/.test(path);
    assertEquals(wrongRows(({ cells }) => linksIn(cells[3]!).some(isNoTest)), []);
  });

  it("names as control files only those there are, or files that go with them", () => {
    const named = Array.from(text.matchAll(/`control\/([a-z0-9.]+)`/g), ([, file]) => file!);
    const companions = ["clientca.pem"];
    assert(named.length > 20);
    assertEquals(named.filter((file) => !(file in schema) && !companions.includes(file)), []);
  });
});
