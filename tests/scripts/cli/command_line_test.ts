import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import type { Command } from "../../../scripts/cli/command.ts";
import { checkCommandLine } from "../../../scripts/cli/command_line.ts";
import { commandOf, commands, findCommand } from "../../../scripts/cli/commands.ts";
import { formatHelp } from "../../../scripts/cli/help_text.ts";

function errorOf(command: Command, ...argv: readonly string[]): string | undefined {
  const args = checkCommandLine(command, argv);
  return args.ok ? undefined : args.error;
}

describe("checkCommandLine()", () => {
  const rows: readonly {
    readonly name: string;
    readonly argv: readonly string[];
    readonly want: string | undefined;
  }[] = [
    { name: "status", argv: ["--home", "x", "--json"], want: undefined },
    { name: "status", argv: ["--home=x"], want: undefined },
    { name: "status", argv: ["--hoem", "x"], want: "--hoem is not known; did you mean --home?" },
    { name: "status", argv: ["more"], want: "more is not known" },
    { name: "status", argv: ["--home"], want: "--home needs DIR" },
    { name: "status", argv: ["-x"], want: "-x is not known" },
    { name: "queue", argv: ["lits"], want: "lits is not known; did you mean list?" },
    { name: "queue", argv: ["list", "7"], want: "7 is not known" },
    { name: "queue", argv: ["show", "7", "8"], want: undefined },
    { name: "queue", argv: ["delete", "--from", ""], want: undefined },
    { name: "queue", argv: ["delete", "--from", "--json"], want: undefined },
    {
      name: "queue",
      argv: ["list", "--repair"],
      want: "list: --repair is not known here; it is for check",
    },
    {
      name: "explain",
      argv: ["--entrance", "pop3"],
      want: "--entrance: expected one of smtp, submission, submissions, lmtp",
    },
    { name: "config", argv: ["set", "databytes", "--", "--default"], want: undefined },
    { name: "doctor", argv: ["a.example", "b.example"], want: "b.example is not known" },
  ];
  for (const { name, argv, want } of rows) {
    it(`${name} ${argv.join(" ")}: ${want ?? "is fine"}`, () => assertEquals(errorOf(commandOf(name), ...argv), want));
  }

  it("answers help for --help and -h, and where the word that says what to do is missing", () => {
    for (const argv of [["--help"], ["-h"], ["list", "--help"], []]) {
      assertEquals(checkCommandLine(commandOf("queue"), argv), { ok: true, value: "help" });
    }
  });

  it("keeps what stands behind -- as it is", () => {
    const args = checkCommandLine(commandOf("config"), ["set", "badhelo", "--", "--json"]);
    assert(args.ok && args.value !== "help");
    assertEquals([args.value._, args.value["json"]], [["set", "badhelo", "--json"], false]);
  });

  it("never throws, whatever it is given", () => {
    fc.assert(fc.property(fc.constantFrom(...commands), fc.array(fc.string()), (command, argv) => {
      checkCommandLine(command, argv);
    }));
  });
});

describe("the commands", () => {
  it("each have examples, exit codes and a help that names every option, by both names of the program", () => {
    for (const command of commands) {
      assert(command.examples.length > 0 && command.codes.length > 1, command.name);
      const help = formatHelp(command, "dqmail");
      assert(help.startsWith(`Usage: dqmail ${command.name}`), help);
      for (const { name } of command.options) assertStringIncludes(help, `--${name}`);
      const task = formatHelp(command, "deno task");
      assertStringIncludes(task, `Usage: deno task ${command.noTask === true ? "dqmail " : ""}${command.name}`);
    }
  });

  it("use words and options in their examples that they know", () => {
    for (const command of commands) {
      if (command.name === "bench") continue; // It reads its own options.
      for (const { line } of command.examples.filter(({ line }) => /\bdqmail /.test(line))) {
        // The last command of a line, without what a shell does with its output.
        const words = /.*\bdqmail (.*)/.exec(line)?.[1]?.replace(/ (?:[|<>]|2>).*$| &&.*$|\)"$/, "") ?? "";
        const [name, ...argv] = words.match(/'[^']*'|"[^"]*"|\S+/g)?.map((word) => word.replace(/^['"]|['"]$/g, "")) ??
          [];
        const called = findCommand(name ?? "");
        assert(called !== undefined, line);
        assertEquals(errorOf(called, ...argv), undefined, line);
      }
    }
  });

  it("have a script of their name wherever a task has", () => {
    const tasks = JSON.parse(Deno.readTextFileSync(new URL("../../../deno.json", import.meta.url))).tasks as Record<
      string,
      string
    >;
    for (const { name, noTask } of commands) {
      if (noTask === true) assertEquals(tasks[name], undefined, name);
      else if (tasks[name] !== undefined) assertEquals(tasks[name], `deno run --allow-all scripts/${name}.ts`);
    }
  });
});
