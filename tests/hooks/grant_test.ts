/** hooks' grant: exactly the configured programs, and what an intruder could do with it. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { manifest } from "../../components/hooks/permissions.ts";
import { scriptPath } from "../../components/hooks/script.ts";
import { parsePlugins } from "../../components/lib/hooks/plugins_file.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { flagsOf, type Grant } from "../../components/lib/permissions/grant.ts";
import { parseTcpSmtp, parseTcpSmtpCdb } from "../../components/lib/tcprules/control_files.ts";
import { rightsOf } from "../../components/lib/permissions/grant.ts";
import { homeAt } from "../../config/home.ts";
import type { Controls } from "../../config/schema.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";
import { outside, readAudit, unused } from "../support/audit.ts";
import { ignore, note, world } from "./world.ts";

const home = homeAt("/h");

function rules(text: string) {
  const parsed = parseTcpSmtp(text);
  assert(parsed.ok);
  return parsed.value;
}

function plugins(text: string) {
  const parsed = parsePlugins(text);
  assert(parsed.ok);
  return parsed.value;
}

/** The programs of a configuration, as the names of their scripts tell them. */
function programsOf(controls: Partial<Controls>): string[] {
  const { run = [] } = manifest.permissions(defaultConfig(home, 0, controls));
  return run.map((path) => path.slice(path.lastIndexOf("/") + 1).replace(/^hooks-(.*)-[0-9a-f]{16}$/, "$1")).sort();
}

describe("hooks' grant", () => {
  const table: readonly { readonly what: string; readonly controls: Partial<Controls>; readonly want: string[] }[] = [
    { what: "nothing is configured", controls: {}, want: [] },
    { what: "control/rcptcheck names one", controls: { rcptcheck: "/usr/bin/check" }, want: ["check"] },
    {
      what: "rules name some, each once, whether they allow or deny",
      controls: {
        "tcp.smtp": rules(
          '1.:allow,RCPTCHECK="/a/one",QMAILQUEUE="bin/two"\n2.:deny,RCPTCHECK="/a/one"\n3.:allow,QMAILQUEUE="/c/three"',
        ),
      },
      want: ["one", "three", "two"],
    },
    {
      what: "rules name our own queue, or none",
      controls: { "tcp.smtp": rules('1.:allow,QMAILQUEUE="bin/qmail-queue"\n2.:allow,QMAILQUEUE="",RCPTCHECK=""') },
      want: [],
    },
    {
      what: "there are plug-ins, and commands among them",
      controls: { smtpplugins: plugins("[mail]\n/a/one\n:grep -q x /etc/y && echo N\n[rcpt]\n/a/one\n") },
      want: ["_grep_-q_x_etc_y_echo_N".slice(1), "one"],
    },
    {
      what: "a file names a launcher or what deno is started by",
      controls: {
        rcptcheck: "/h/libexec/launch/qmail-send",
        smtpplugins: plugins("[mail]\nlibexec/grants/qmail-send\n"),
      },
      want: [],
    },
  ];
  for (const { what, controls, want } of table) {
    it(`holds exactly the programs where ${what}`, () => {
      const config = defaultConfig(home, 0, controls);
      assertEquals(programsOf(controls), want.sort());
      assertEquals(manifest.neededWhen?.(config), want.length > 0);
      assertEquals([...manifest.programs!(config).keys()].length, want.length);
      assertEquals(breaches([manifest], config), []);
    });
  }

  it("is not told apart by names: two programs or commands that look alike have scripts of their own", () => {
    const paths = [{ program: "/a/x" }, { program: "/b/x" }, { command: "x" }, { command: "x " }, { command: "/a/x" }]
      .map((hook) => scriptPath(hook, home));
    assertEquals(new Set(paths).size, paths.length);
    assertEquals(scriptPath({ program: "bin/x" }, home), scriptPath({ program: "/h/bin/x" }, home));
  });

  it("breaks the rule where it names a script that the supervisor does not write", () => {
    const config = defaultConfig(home, 0, { rcptcheck: "/a/one" });
    const stray = home.libexec("grants", "programs", "hooks-x-0");
    const more = (grant: Grant): Grant => ({ ...grant, run: [...grant.run ?? [], stray] });
    const wider = { ...manifest, permissions: () => more(manifest.permissions(config)) };
    assertEquals(breaches([wider], config), [`hooks: may run ${stray}, which is no launcher`]);
    const networked = {
      ...manifest,
      permissions: () => ({ ...manifest.permissions(config), connect: ["0.0.0.0/0:25"] }),
    };
    assert(breaches([networked], config)[0]?.startsWith("hooks: reaches the network and may run "));
  });

  it("needs a file of rules that it can read: a compiled one that is damaged stops the start", () => {
    assertEquals(parseTcpSmtpCdb("x".repeat(5000)).ok, false);
  });
});

describe(`hooks under its grant${note}`, { ignore }, () => {
  it("runs what is configured; deno refuses the rest, whoever asks for it", async () => {
    await using here = world();
    const stranger = here.program("stranger", "touch ran");
    const check = here.program("check", "exit 100");
    const config = here.configure({ rcptcheck: `${check}\n`, smtpplugins: "[mail]\n:echo N\n" });
    await here.startProcess();
    const ask = (program: string) => here.client.rcptcheck(new Map([["RCPTCHECK", program]]));
    assertEquals([await ask(check), await ask(stranger), await ask("/bin/sh")], [100, 120, 120]);
    assertEquals(await here.client.spp("mail", new Map()), { kind: "lines", lines: ["N"] });
    assert(!here.has("ran"));
    // The script around the stranger, as a supervisor would write it: it is not in the grant.
    const other = here.home.libexec("grants", "programs", "hooks-other-0");
    Deno.copyFileSync(scriptPath({ program: check }, here.home), other);
    const attempts = [other, stranger, "/bin/sh", scriptPath({ program: check }, here.home)];
    const code = `for (const path of ${JSON.stringify(attempts)}) {
      try { new Deno.Command(path, { clearEnv: true }).outputSync(); console.log("done"); }
      catch (error) { console.log(error.name); }
    }
    for (const deed of [
      () => Deno.writeTextFileSync(${JSON.stringify(other)}, "x"),
      () => Deno.writeTextFileSync(${JSON.stringify(attempts[3])}, "x"),
      () => Deno.readTextFileSync("/etc/passwd"),
      () => Deno.listen({ port: 0 }),
      () => Deno.kill(${Deno.pid}, "SIGCONT"),
      () => Deno.env.get("PATH"),
    ]) { try { deed(); console.log("done"); } catch (error) { console.log(error.name); } }`;
    const file = `${here.home.dir}/intruder.ts`;
    Deno.writeTextFileSync(file, code);
    const flags = flagsOf(manifest.permissions(config), here.home);
    const { stdout } = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--no-check", ...flags, file],
      env: { NO_COLOR: "1" },
    }).outputSync();
    const said = new TextDecoder().decode(stdout).trim().split("\n");
    assertEquals(said, [...["NotCapable", "NotCapable", "NotCapable", "done"], ...Array(6).fill("NotCapable")]);
  });

  it("needs every entry of its grant, and asks for nothing else", async () => {
    await using here = world();
    const check = here.program("check", "exit 0");
    const queue = here.program("queue", "cat > /dev/null; cat <&1 > /dev/null");
    const config = here.configure({
      smtpplugins: "[mail]\n:echo N\n",
      "tcp.smtp": `:allow,RCPTCHECK="${check}",QMAILQUEUE="${queue}"\n`,
    });
    const child = await here.startProcess({ audit: here.home.dir });
    assertEquals(await here.client.rcptcheck(new Map([["RCPTCHECK", check]])), 0);
    assertEquals((await here.client.spp("mail", new Map())).kind, "lines");
    const submission = here.client.begin(queue, new Map(), "network", 7);
    assertEquals((await submission.commit({ sender: "", recipients: ["a@b"] })).code, 0);
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
    const rights = rightsOf(manifest.permissions(config), here.home);
    const asked = readAudit(here.home.dir, "hooks");
    // Deno keeps no record of the checks for starting programs: that they ran is the proof.
    assertEquals(unused(asked, { ...rights, run: [] }), []);
    assertEquals(rights.run.length, 3);
    assertEquals(outside(asked, rights), []);
    assert(asked.some(({ kind }) => kind === "env"));
  });
});
