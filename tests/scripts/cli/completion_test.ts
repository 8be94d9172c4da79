/**
 * Completion, by the shells themselves where they are on this machine.
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { commands } from "../../../scripts/cli/commands.ts";
import { bashCompletion, fishCompletion, zshCompletion } from "../../../scripts/cli/completion.ts";

const completions = { commands, controls: ["databytes", "me"], topics: ["queue", "from-qmail", "from-postfix"] };

function hasShell(name: string): boolean {
  try {
    return new Deno.Command(name, { args: ["-c", "exit 0"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

function run(shell: string, script: string, ...args: readonly string[]): string {
  const { stdout, stderr } = new Deno.Command(shell, { args: ["-c", script, shell, ...args] }).outputSync();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** A test that only this shell can make; its name says what is missing where it is not there. */
function withShell(shell: string, name: string, test: () => void): void {
  const here = hasShell(shell);
  it(here ? name : `${name} (skipped: no ${shell} here)`, { ignore: !here }, test);
}

const bashRows: readonly (readonly [readonly string[], readonly string[]])[] = [
  [["st"], ["start", "stop", "status"]],
  [["queue", "re"], ["retry", "release", "resume"]],
  [["queue", "--re"], ["--repair"]],
  [["config", "set", "datab"], ["databytes"]],
  [["help", "from-"], ["from-qmail", "from-postfix"]],
  [["--home", "/x", "sto"], ["stop"]],
  [["explain", "--entrance", "sub"], ["submission", "submissions"]],
  [["queue", "retry", "--to", ""], []],
  [["status", "--home", "/et"], ["/etc"]],
  [["nonsense", ""], []],
];

describe("bash completion", () => {
  withShell("bash", "offers what may stand there", () => {
    const script = `${bashCompletion(completions)}
COMP_WORDS=(dqmail "$@"); COMP_CWORD=$#; _dqmail; printf '%s\\n' "\${COMPREPLY[@]}"`;
    for (const [words, want] of bashRows) {
      assertEquals(run("bash", script, ...words).split("\n").filter((line) => line !== ""), want, words.join(" "));
    }
  });
});

describe("zsh completion", () => {
  withShell("zsh", "is a script that zsh reads", () => {
    assertEquals(run("zsh", `compdef() { : }\n${zshCompletion(completions)}`), "");
  });

  it("names every command with what it does", () => {
    const script = zshCompletion(completions);
    for (const { name, does } of commands) assertStringIncludes(script, `'${name}:${does.replaceAll("'", `'\\''`)}'`);
  });
});

describe("fish completion", () => {
  withShell("fish", "is a script that fish reads", () => assertEquals(run("fish", fishCompletion(completions)), ""));

  it("names every command and its options", () => {
    const script = fishCompletion(completions);
    for (const { name, options } of commands) {
      for (const option of options.filter(({ name }) => name !== "home")) {
        assertStringIncludes(script, `'__fish_seen_subcommand_from ${name}' -l ${option.name}`);
      }
    }
  });
});
