import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { homeAt } from "../../config/home.ts";
import { userHomeWord } from "../../components/lib/permissions/grant.ts";
import { formatGrant, formatHomeGrants, formatLauncher, launchCommand } from "../../components/supervisor/launcher.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { quickDeathsAfter, restartDelayMs } from "../../components/supervisor/restart.ts";
import { cut } from "../lib/octets.ts";
import { tempDir } from "../support/temp_dir.ts";

describe("restartDelayMs()", () => {
  const rows = [[0, 0], [1, 50], [2, 100], [3, 200], [7, 3200], [8, 5000], [1000, 5000]] as const;
  for (const [deaths, delayMs] of rows) {
    it(`is ${delayMs} ms after ${deaths} quick deaths`, () => assertEquals(restartDelayMs(deaths), delayMs));
  }

  it("begins anew after a run of two seconds", () => {
    assertEquals([quickDeathsAfter(5, 1999), quickDeathsAfter(5, 2000), quickDeathsAfter(0, 0)], [6, 0, 1]);
  });
});

describe("eachLine()", () => {
  async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
    const lines: string[] = [];
    await eachLine(ReadableStream.from(chunks) as ReadableStream<Uint8Array>, (line) => lines.push(line));
    return lines;
  }
  const encode = (text: string) => new TextEncoder().encode(text);

  const rows = [
    { text: "", want: [] },
    { text: "a\nb\n", want: ["a", "b"] },
    { text: "a\n\nb", want: ["a", "", "b"] },
    { text: `${"x".repeat(20_000)}\nb\n`, want: ["x".repeat(16_384), "b"] },
    { text: "y".repeat(100_000), want: ["y".repeat(16_384)] },
  ];
  for (const { text, want } of rows) {
    it(`of ${JSON.stringify(text.slice(0, 10))}, ${text.length} characters`, async () => {
      assertEquals(await linesOf([encode(text)]), want);
    });
  }

  it("does not care where chunks are cut, and makes no line of a long one's end", async () => {
    const anyText = fc.array(fc.constantFrom("\n", "a", "\u00e4\u20ac", "x".repeat(9000), "z".repeat(16_384)), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(anyText, fc.array(fc.nat(100_000), { maxLength: 8 }), async (parts, places) => {
        const text = parts.join("");
        const lines = text.split("\n");
        if (lines.at(-1) === "") lines.pop();
        assertEquals(await linesOf(cut(encode(text), places)), lines.map((line) => line.slice(0, 16_384)));
      }),
      { numRuns: 60 },
    );
  });
});

describe("the launchers", () => {
  const words = ["plain", "", "two words", "$HOME `id` $(id)", "it's", '"', "\\", "a\nb", "*", "-n", "\u00e4", ";true"];
  const print = 'for word in "$@"; do printf \'%s\\0\' "$word"; done';

  /** The words a script passes on, as printed by a program that it runs. */
  function wordsOf(path: string, args: readonly string[]): string[] {
    const { stdout } = new Deno.Command("/bin/sh", { args: [path, ...args], clearEnv: true }).outputSync();
    return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
  }

  it("pass every word on as it is, with what they are started with behind", () => {
    using dir = tempDir();
    Deno.writeTextFileSync(`${dir.path}/print`, print);
    const script = formatGrant(["/bin/sh", `${dir.path}/print`, ...words]);
    Deno.writeTextFileSync(`${dir.path}/grant`, script);
    assertEquals(wordsOf(`${dir.path}/grant`, ["--supervised", "x y"]), [...words, "--supervised", "x y"]);
  });

  it("pass on any words", () => {
    using dir = tempDir();
    Deno.writeTextFileSync(`${dir.path}/print`, print);
    const anyWords = fc.array(fc.string({ unit: "grapheme" }).filter((word) => !word.includes("\0")), { maxLength: 4 });
    fc.assert(
      fc.property(anyWords, anyWords, (given, added) => {
        Deno.writeTextFileSync(`${dir.path}/grant`, formatGrant(["/bin/sh", `${dir.path}/print`, ...given]));
        assertEquals(wordsOf(`${dir.path}/grant`, added), [...given, ...added]);
      }),
      { numRuns: 40 },
    );
  });

  it("run the grant of their component, in a home of any name", () => {
    using dir = tempDir();
    const home = homeAt(`${dir.path}/it's a "home" $x`);
    Deno.mkdirSync(home.libexec("grants"), { recursive: true });
    Deno.writeTextFileSync(home.libexec("grants", "qmail-queue"), print);
    Deno.writeTextFileSync(`${dir.path}/launcher`, formatLauncher("qmail-queue", home));
    assertEquals(wordsOf(`${dir.path}/launcher`, ["a b", "c"]), ["a b", "c"]);
  });

  it("choose by the first word alone between a program's own grant and those for an account's home", () => {
    using dir = tempDir();
    const home = homeAt(dir.path);
    Deno.mkdirSync(home.libexec("grants"), { recursive: true });
    const forHome = ["account", "programs"];
    for (const name of ["qmail-local", "qmail-local-account"]) {
      Deno.writeTextFileSync(home.libexec("grants", name), `printf '%s\\0' ${name}; ${print}`);
    }
    Deno.writeTextFileSync(`${dir.path}/launcher`, formatLauncher("qmail-local", home, { forHome }));
    const rows: readonly (readonly [string, readonly string[]])[] = [
      ["qmail-local", []],
      ["qmail-local", ["--allow-all"]],
      ["qmail-local", ["x", "--account", "/home/joe"]],
      ["qmail-local", ["--accounts", "/home/joe"]],
      ["qmail-local-account", ["--account", "/home/joe"]],
      ["qmail-local-account", ["--programs", "/home/joe", "x"]],
    ];
    for (const [want, args] of rows) assertEquals(wordsOf(`${dir.path}/launcher`, args), [want, ...args]);
  });

  it("give an account's home to deno within flags, and take nothing for one that is more than a path", () => {
    using dir = tempDir();
    Deno.writeTextFileSync(`${dir.path}/print`, print);
    const command = (
      word: string,
    ) => ["/bin/sh", `${dir.path}/print`, word, `--allow-read=${userHomeWord},/run dir`, "end"];
    const grants = formatHomeGrants(new Map(["account", "programs"].map((word) => [word, command(word)])));
    Deno.writeTextFileSync(`${dir.path}/grant`, grants);
    const homes = ["/home/joe", "/home/it's $x `id` $(id) \"", "/..x/y", "/a b", "/-", "/*"];
    for (const home of homes) {
      for (const word of ["account", "programs"]) {
        const got = wordsOf(`${dir.path}/grant`, [`--${word}`, home]);
        assertEquals(got, [word, `--allow-read=${home},/run dir`, "end"], home);
      }
    }
    const none = [
      "",
      "/",
      "joe",
      "/home/",
      "/h/..",
      "/../etc",
      "/h/./x",
      "//h",
      "/a,/etc",
      "/a\n/b",
      "--allow-all",
      "/.",
    ];
    for (const home of none) assertEquals(wordsOf(`${dir.path}/grant`, ["--account", home]), [], JSON.stringify(home));
    assertEquals(wordsOf(`${dir.path}/grant`, ["--account"]), []);
    assertEquals(wordsOf(`${dir.path}/grant`, ["--account", "/home/joe", "--allow-all"]), []);
    assertEquals(wordsOf(`${dir.path}/grant`, ["--other", "/home/joe"]), []);
  });

  it("clear the environment, and let deno neither ask nor download", () => {
    const runtime = { deno: "/opt/deno", denoDir: "/cache", code: "/code", audit: undefined };
    const command = launchCommand("qmail-clean", { write: ["/q"] }, runtime, homeAt("/h"), ["--home", "/h"]);
    assertEquals(command.slice(0, 3), ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin"]);
    assert(["--no-prompt", "--cached-only", "--frozen", "--allow-write=/q"].every((flag) => command.includes(flag)));
    assert(!command.some((word) => word.startsWith("--allow-") && word !== "--allow-write=/q"));
    assertEquals(command.slice(-3), ["/code/components/qmail-clean/main.ts", "--home", "/h"]);
  });
});
