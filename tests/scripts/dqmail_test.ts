/**
 * `dqmail` as an operator calls it, without a running system.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { homeAt } from "../../config/home.ts";
import { formatDqmail } from "../../scripts/home/dqmail_script.ts";
import { commands } from "../../scripts/cli/commands.ts";
import { checkout } from "../support/system.ts";
import { runTask } from "../support/task.ts";
import { tempDir } from "../support/temp_dir.ts";

describe("dqmail", () => {
  it("lists the commands when it is given none", async () => {
    const { code, stdout, stderr } = await runTask("dqmail", []);
    assertEquals([code, stderr], [0, ""]);
    for (const { name, does } of commands) assertMatch(stdout, new RegExp(`^  ${name} +${RegExp.escape(does)}$`, "m"));
  });

  it("does in its process what each task does, and calls it by its own name", async () => {
    using dir = tempDir();
    const real = Deno.realPathSync(dir.path);
    const rows: readonly (readonly [readonly string[], number, string, string])[] = [
      [["status"], 1, "", `no dqmail runs in ${real}/var; "dqmail start --home ${real}/var" starts one\n`],
      [["--home", "x", "reload"], 1, "", `no dqmail of yours runs in ${real}/x\n`],
      [["stop"], 1, "", `no dqmail runs in ${real}/var`],
      [["config", "check"], 100, "", `"dqmail start --home ${real}/var" makes one`],
      [["queue", "list"], 100, "", `"dqmail start --home ${real}/var" makes one`],
      [["queue", "lst"], 100, "", "dqmail queue: lst is not known; did you mean list?\n\nUsage: dqmail queue "],
      [["send"], 100, "", "dqmail send: say to whom\n\nUsage: dqmail send RECIPIENT..."],
      [
        ["statsu"],
        100,
        "",
        'dqmail: statsu is not known; did you mean status?\n\n"dqmail --help" lists the commands\n',
      ],
      [["help", "databites"], 100, "", "databites is not known; did you mean databytes?"],
      [["help", "databytes"], 0, "DATABYTES(5)", ""],
      [["help", "--man", "trace"], 0, '.TH "DQMAIL\\-TRACE" 8', ""],
      [["completion", "bash"], 0, "complete -F _dqmail dqmail", ""],
      [["bench", "--help"], 0, "  dqmail bench accept\n", ""],
      [["grants"], 0, "qmail-smtpd: SMTP server", ""],
    ];
    for (const [args, code, stdout, stderr] of rows) {
      const result = await runTask("dqmail", args, { cwd: dir.path });
      assertEquals(result.code, code, `${args.join(" ")}: ${result.stderr}`);
      assertStringIncludes(result.stdout, stdout, args.join(" "));
      assertStringIncludes(result.stderr, stderr, args.join(" "));
      if (code !== 0) assertEquals(result.stdout, "", args.join(" "));
      assert(!/deno task (?!docs)/.test(result.stdout + result.stderr), result.stdout + result.stderr);
    }
  });

  it("explains every command with --help, by the script that does it", async () => {
    const here = commands.filter(({ name }) => {
      try {
        return Deno.statSync(new URL(`../../scripts/${name}.ts`, import.meta.url)).isFile;
      } catch {
        // It belongs to a part that is not there.
        return false;
      }
    });
    const results = await Promise.all(here.map(({ name }) => runTask("dqmail", [name, "--help"])));
    here.forEach(({ name }, at) => {
      assertEquals([results[at]!.code, results[at]!.stderr], [0, ""], name);
      assertMatch(results[at]!.stdout, /^Usage: /, name);
    });
  });

  it("prints JSON where it is asked to", async () => {
    const version = JSON.parse((await runTask("dqmail", ["version", "--json"])).stdout);
    assertEquals(version.deno, Deno.version.deno);
    const topics = JSON.parse((await runTask("dqmail", ["help", "--json"])).stdout) as { kind: string; name: string }[];
    assert(topics.some(({ kind, name }) => kind === "control" && name === "databytes"));
    const [page] = JSON.parse((await runTask("dqmail", ["help", "status", "--json"])).stdout);
    assertEquals([page.kind, page.name, page.section], ["command", "dqmail-status", 8]);
  });
});

describe("bin/dqmail", () => {
  const runtime = { deno: Deno.execPath(), denoDir: "/nowhere", code: checkout, audit: undefined };

  it("works on its own home, whatever its path is, unless another is named", async () => {
    using dir = tempDir();
    const home = homeAt(`${Deno.realPathSync(dir.path)}/a $HOME 'b' "c" \`d\` \\e}`);
    Deno.mkdirSync(home.dir);
    const script = `${home.dir}/dqmail`;
    // Its cache is this test's own: nothing is fetched.
    const { DENO_DIR } = Deno.env.toObject();
    const text = formatDqmail(home, { ...runtime, denoDir: DENO_DIR ?? `${Deno.env.get("HOME")}/.cache/deno` });
    Deno.writeTextFileSync(script, text);
    const status = async (env: Readonly<Record<string, string>>, ...args: readonly string[]) => {
      const { code, stderr } = await new Deno.Command("/bin/sh", { args: [script, "status", ...args], env }).output();
      return [code, new TextDecoder().decode(stderr).split(";")[0]];
    };
    assertEquals(await status({ DQMAIL_HOME: "" }), [1, `no dqmail runs in ${home.dir}`]);
    assertEquals(await status({ DQMAIL_HOME: "/other" }), [1, "no dqmail runs in /other"]);
    assertEquals(await status({ DQMAIL_HOME: "/other" }, "--home", "/third"), [1, "no dqmail runs in /third"]);
  });

  it("runs the bundle of dqmail where the whole runs from bundles", () => {
    const text = formatDqmail(homeAt("/h"), { ...runtime, code: "/opt/dqmail", bundled: true });
    assertStringIncludes(text, " --no-remote --no-npm --no-config /opt/dqmail/scripts/dqmail.js ");
    assert(!text.includes("deno.json"), text);
  });
});
