/**
 * Every manual page: that there is one for each thing there is, and that what it says holds.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { tools, wrappers } from "../../../components/tools/permissions.ts";
import { manifests } from "../../../config/manifests.ts";
import { controlFilesOf, schema } from "../../../config/schema.ts";
import { inWords } from "../../../scripts/cli/called.ts";
import { commands } from "../../../scripts/cli/commands.ts";
import { findTopics, kinds, topics } from "../../../scripts/help/pages.ts";
import { mapPage, type Page, wholeParts } from "../../../scripts/help/page.ts";
import { escapeLine, formatRoff } from "../../../scripts/help/roff.ts";
import { formatPage } from "../../../scripts/help/text.ts";
import { toolUsages } from "../../../scripts/help/tool_usages.ts";

const pages = topics.map((topic) => ({ topic, page: topic.page() }));

function names(kind: string): string[] {
  return topics.filter((topic) => topic.kind === kind).map(({ name }) => name);
}

describe("the manual pages", () => {
  it("are one for each command, component, control file and program of bin/", () => {
    assertEquals(names("command"), commands.map(({ name }) => name));
    assertEquals(names("component"), manifests.map(({ name }) => name));
    assertEquals(names("control"), Object.keys(schema).toSorted());
    assertEquals(names("bin"), [...tools, ...wrappers].map(({ name }) => name));
  });

  it("begin with their name and what it is", () => {
    for (const { page } of pages) {
      assertStringIncludes(formatPage(page), `NAME\n    ${page.name} - ${page.does}`.slice(0, 80), page.name);
    }
  });

  it("name only pages that there are", () => {
    for (const { page } of pages) {
      for (const name of page.seeAlso) assert(findTopics(name).length > 0, `${page.name}: ${name}`);
    }
  });

  it("tell no command, and no word of one, that is not there", () => {
    const known = new Map(commands.map(({ name, words }) => [name, words?.map(({ name }) => name)]));
    for (const { page } of pages) {
      for (
        const [, name, word] of formatPage(page, 10_000).matchAll(/(?:"|^ {4})dqmail ([a-z]+)(?: ([a-z]+)\b(?!-))?/gm)
      ) {
        assert(known.has(name!), `${page.name}: dqmail ${name}`);
        const words = known.get(name!);
        if (words !== undefined && word !== undefined) {
          assert(words.includes(word), `${page.name}: dqmail ${name} ${word}`);
        }
      }
    }
  });

  it("name only control files that there are", () => {
    for (const { topic, page } of pages) {
      if (topic.kind !== "topic") continue;
      for (const [, file] of formatPage(page, 10_000).matchAll(/\bcontrol\/([a-z][a-z0-9.]*[a-z0-9])(?![\w/])/g)) {
        const known = file! in schema ||
          ["servercert.pem", "serverkey.pem", "servercerts", "clientca.pem"].includes(file!);
        assert(known, `${page.name}: control/${file}`);
      }
    }
  });

  it("tell of a component its job, its account, its sockets and its control files", () => {
    for (const { name, job, account } of manifests) {
      const text = formatPage(findTopics(`component/${name}`)[0]!.page()).replace(/\s+/g, " ");
      assertStringIncludes(text, job);
      assertStringIncludes(text, `account ${account}`);
      for (const file of controlFilesOf(name)) assertStringIncludes(text, `control/${file}`);
    }
  });

  it("tell of a control file its meaning and its users", () => {
    for (const [file, { doc, usedBy }] of Object.entries(schema)) {
      const { parts } = findTopics(`control/${file}`)[0]!.page();
      const text = JSON.stringify(parts);
      assertStringIncludes(text, JSON.stringify(doc));
      assertStringIncludes(text, usedBy.join(", "));
    }
  });

  it("have a usage for each program of bin/, the one that the program itself tells", () => {
    assertEquals([...toolUsages.keys()].toSorted(), names("bin").toSorted());
    for (const { name } of tools) {
      const source = Deno.readTextFileSync(new URL(`../../../components/tools/${name}.ts`, import.meta.url));
      const told = /\busage(?:\(|: )"?([a-z0-9-]+) (.*?)"/.exec(source);
      if (told?.[1] === name) assertEquals(toolUsages.get(name)!.usage, [told[2]!], name);
    }
  });

  it("are found by kind where a name means several things", () => {
    assertEquals(findTopics("dkim").map(({ kind }) => kind), ["command", "control"]);
    assertEquals(findTopics("control/dkim").map(({ kind }) => kind), ["control"]);
    assertEquals(findTopics("dqmail-status").map(({ name }) => name), ["status"]);
    assertEquals([findTopics("nothing"), findTopics("control/nothing"), findTopics("x/dkim")], [[], [], []]);
    for (const { kind, name } of topics) assertEquals(findTopics(`${kind}/${name}`).length, 1, `${kind}/${name}`);
    assertEquals([...new Set(topics.map(({ kind }) => kind))], [...kinds]);
  });

  it("say deno task where they are read so", () => {
    const page = mapPage(findTopics("upgrading")[0]!.page(), (text) => inWords(text, "deno task"));
    assertStringIncludes(formatPage(page, 10_000), '"deno task reload" has them read again');
  });
});

/** Lines of a page that man(1) would take for something else than text. */
function roffDefects(text: string): string[] {
  const macros = [".TH", ".SH", ".PP", ".TP", ".B", ".nf", ".fi", ".RS", ".RE", '.\\"'];
  return text.split("\n").filter((line) => {
    if (line.startsWith(".")) return !macros.includes(line.split(" ")[0]!);
    if (line.startsWith("'")) return true;
    return /\\(?!e|-|&|\((?:aq|ga|ha|ti|dq))/.test(line);
  });
}

describe("formatRoff()", () => {
  it("makes of every page one whose lines are text or known macros", () => {
    for (const { page } of pages) assertEquals(roffDefects(formatRoff(page, "0.1.0")), [], page.name);
  });

  it("lets no text become a macro or an escape", () => {
    fc.assert(fc.property(fc.string(), (words) => {
      const page: Page = {
        name: "x",
        section: 7,
        does: words,
        parts: [{
          title: words,
          blocks: [{ kind: "text", text: words }, { kind: "lines", lines: [words] }, {
            kind: "list",
            rows: [[words, words]],
          }],
        }],
        seeAlso: [],
      };
      assertEquals(roffDefects(formatRoff(page, "1")), []);
    }));
  });

  it("keeps an option's dashes as dashes", () =>
    assertEquals(escapeLine("--home 'x' \\n"), "\\-\\-home \\(aqx\\(aq \\en"));

  const hasMan = (() => {
    try {
      return new Deno.Command("groff", { args: ["--version"], stdout: "null" }).outputSync().success;
    } catch {
      return false;
    }
  })();

  it(
    `is read by groff without a warning${hasMan ? "" : " (skipped: no groff here)"}`,
    { ignore: !hasMan },
    async () => {
      const texts = ["control/smtproutes", "command/queue", "topic/from-postfix"].map((name) =>
        formatRoff(findTopics(name)[0]!.page(), "0.1.0")
      );
      const child = new Deno.Command("groff", {
        args: ["-man", "-Tascii", "-ww", "-rHY=0"],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(texts.join("")));
      await writer.close();
      const { stdout, stderr } = await child.output();
      assertEquals(new TextDecoder().decode(stderr), "");
      assertStringIncludes(new TextDecoder().decode(stdout), "DQMAIL-QUEUE(8)");
    },
  );
});

describe("formatPage()", () => {
  it("keeps to the width of the terminal, but for lines that are to be copied", () => {
    for (const { page } of pages) {
      for (const columns of [60, 80, 200]) {
        const plain = {
          ...page,
          parts: page.parts.map((part) => ({ ...part, blocks: part.blocks.filter(({ kind }) => kind !== "lines") })),
        };
        const long = formatPage(plain, columns).split("\n").filter((line) => line.length > Math.min(columns, 100));
        assertEquals(
          long.filter((line) => line.trim().includes(" ") && !/^ {4}\S+ {2}\S+$/.test(line)),
          [],
          `${page.name} at ${columns}`,
        );
      }
    }
  });

  it("shows parts in the order of the page", () => {
    const page = findTopics("command/status")[0]!.page();
    const titles = wholeParts(page).map(({ title }) => title);
    assertEquals(titles, [
      "NAME",
      "SYNOPSIS",
      "DESCRIPTION",
      "OPTIONS",
      "EXAMPLES",
      "EXIT STATUS",
      "ENVIRONMENT",
      "SEE ALSO",
    ]);
  });
});
