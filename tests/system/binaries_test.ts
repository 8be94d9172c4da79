import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { homeAt } from "../../config/home.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import { binariesFile, formatBinaries } from "../../components/supervisor/binaries.ts";
import { quote } from "../../components/supervisor/launcher.ts";
import { askSupervisor } from "../../scripts/ask.ts";
import { bakedInto, binariesFor, binaryPath, compileWords } from "../../scripts/ship/binaries.ts";
import { bundlePrograms } from "../../scripts/ship/deno_bundle.ts";
import { bundlerNeed } from "../support/bundler.ts";
import { waitForMail } from "../support/maildir.ts";
import { sendMail } from "../support/smtp_client.ts";
import { Started } from "../support/started.ts";
import { checkout, defaultControls, makeBaseDir } from "../support/system.ts";
import { tempDir } from "../support/temp_dir.ts";
import { waitFor } from "../support/wait.ts";

const controls = { ...defaultControls, listeners: "smtp 127.0.0.1:0\n" };

/** Whether a binary can be made here: by DENORT_BIN, or what deno has downloaded, or may. */
function canCompile(): boolean {
  using dir = tempDir();
  Deno.writeTextFileSync(join(dir.path, "a.js"), "Deno.exit(7);\n");
  const binary = join(dir.path, "a");
  const made = new Deno.Command(Deno.execPath(), {
    args: ["compile", "--quiet", "--no-config", "--output", binary, join(dir.path, "a.js")],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync().success;
  return made && new Deno.Command(binary).outputSync().code === 7;
}

/** Binaries of three components: real ones, or scripts that have deno do what is baked into them. */
async function makeBinaries(base: string, dir: string, home: string, isReal: boolean): Promise<void> {
  const config = readConfig(homeAt(home), 0);
  if (!("controls" in config)) throw new Error(config.join("\n"));
  const names = ["qmail-smtpd", "qmail-queue", "resolver"];
  const binaries = binariesFor(config).filter(({ name, main }) => names.includes(name) && !main.startsWith("tools/"));
  assertEquals(binaries.length, names.length);
  const bundles = join(base, "bundles");
  await bundlePrograms(checkout, binaries.map(({ main }) => `components/${main}`), bundles);
  Deno.mkdirSync(dir);
  // The components' users may not reach root's own.
  const deno = Deno.uid() === 0 ? homeAt(home).libexec("deno") : Deno.execPath();
  for (const binary of binaries) {
    const [, , path, ...words] = compileWords(binary, config, bundles, dir);
    assertEquals(path, join(dir, binaryPath(binary)));
    if (isReal) {
      const command = new Deno.Command(Deno.execPath(), { args: compileWords(binary, config, bundles, dir) });
      assert(command.outputSync().success);
    } else {
      const line = [deno, "run", ...words].map(quote).join(" ");
      Deno.writeTextFileSync(path!, `#!/bin/sh\nexport DENO_DIR=/nonexistent\nexec ${line} "$@"\n`, { mode: 0o755 });
    }
  }
  Deno.writeTextFileSync(join(dir, binariesFile), formatBinaries(bakedInto(binaries, config)), { mode: 0o644 });
}

function describeSystem(what: string, ignore: boolean, isReal: boolean): void {
  describe(what, { ignore }, () => {
    let base: string;
    let binaries: string;
    let system: Started;

    beforeAll(async () => {
      base = makeBaseDir();
      binaries = join(base, "binaries");
      const home = join(base, "h");
      Deno.mkdirSync(homeAt(home).control(""), { recursive: true });
      for (const [file, text] of Object.entries(controls)) Deno.writeTextFileSync(homeAt(home).control(file), text);
      await makeBinaries(base, binaries, home, isReal);
      system = await Started.start({
        command: [
          ...[Deno.execPath(), "run", "--quiet", "--allow-all", "--config", join(checkout, "deno.json")],
          ...[join(checkout, "scripts", "start.ts"), "--home", home, "--binaries", binaries],
        ],
        env: { ...Deno.env.toObject(), NO_COLOR: "1" },
        cwd: base,
        home,
        controls,
      });
    });

    afterAll(async () => {
      await system?.[Symbol.asyncDispose]();
      Deno.removeSync(base, { recursive: true });
    });

    const grantOf = (name: string) => Deno.readTextFileSync(system.home.libexec("grants", name));

    it("has those run that there are, and the rest by deno; mail goes through both", async () => {
      assert(grantOf("qmail-queue").includes(` ${binaries}/qmail-queue `), grantOf("qmail-queue"));
      assert(!grantOf("qmail-queue").includes("--allow-"));
      assertStringIncludes(grantOf("qmail-send"), "--allow-");
      const { ports } = await system.component("qmail-smtpd");
      const content = "Subject: baked\n\nHello.\n";
      await sendMail(ports["smtp"]!, { from: "amy@example.org", to: ["demo@localhost"], content });
      const [message] = await waitForMail(system.home);
      assertStringIncludes(message!, "Subject: baked");
    });

    it("has deno run a program again once its grant is another than the one baked in", async () => {
      assertStringIncludes(grantOf("qmail-smtpd"), `${binaries}/qmail-smtpd`);
      const { pid } = await system.component("qmail-smtpd");
      Deno.writeTextFileSync(system.home.control("listeners"), "smtp 127.0.0.1:0\nsmtp [::1]:0\n");
      assertEquals((await askSupervisor(system.home, { op: "reload" }))["defects"], []);
      const { ports } = await waitFor(
        async () => {
          const found = await system.component("qmail-smtpd").catch(() => undefined);
          return found?.state === "running" && found.pid !== pid && found.ports["smtp2"] !== undefined && found;
        },
        "the other qmail-smtpd",
        20_000,
      );
      assert(!grantOf("qmail-smtpd").includes(binaries));
      assertStringIncludes(grantOf("qmail-queue"), `${binaries}/qmail-queue`);
      const content = "Subject: again\n\nHello.\n";
      await sendMail(ports["smtp"]!, { from: "amy@example.org", to: ["demo@localhost"], content });
      assertEquals((await waitForMail(system.home, "demo@localhost", 2)).length, 2);
    });
  });
}

describeSystem(
  `a system with scripts in the place of binaries${bundlerNeed.note}`,
  bundlerNeed.ignore,
  false,
);

const need = bundlerNeed.ignore
  ? bundlerNeed
  : canCompile()
  ? { ignore: false, note: "" }
  : { ignore: true, note: " (skipped: the base of binaries, denort, cannot be had)" };
describeSystem(`a system with binaries${need.note}`, need.ignore, true);
