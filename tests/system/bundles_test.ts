import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { makeBundles } from "../../scripts/ship/make_bundles.ts";
import { bundlerNeed } from "../support/bundler.ts";
import { newMail, waitForMail } from "../support/maildir.ts";
import { sendMail } from "../support/smtp_client.ts";
import { Started } from "../support/started.ts";
import { checkout, defaultControls, makeBaseDir } from "../support/system.ts";
import { within } from "../support/wait.ts";

describe(`a system of bundles${bundlerNeed.note}`, { ignore: bundlerNeed.ignore }, () => {
  let base: string;
  let env: Record<string, string>;
  let system: Started;

  /** Runs a program as a user would, and answers what it said. */
  async function run(program: string, args: readonly string[], input = ""): Promise<string> {
    const process = new Deno.Command(program, {
      args: [...args],
      cwd: base,
      clearEnv: true,
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
    const { code, stdout, stderr } = await within(process.output(), 30_000, () => program);
    const decoder = new TextDecoder();
    assertEquals(code, 0, `${program} ${args.join(" ")}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }

  const dqmail = (...args: readonly string[]) => run(join(base, "dqmail"), [...args, "--home", system.home.dir]);

  beforeAll(async () => {
    base = makeBaseDir();
    // Deno alone: no packages, nobody's cache.
    env = {
      PATH: `${dirname(Deno.execPath())}:/usr/bin:/bin`,
      HOME: base,
      DENO_DIR: join(base, "deno_dir"),
      NO_COLOR: "1",
      DENO_NO_UPDATE_CHECK: "1",
    };
    await makeBundles(checkout, join(base, "bundles"));
    // As an operator would have it in his path.
    Deno.symlinkSync(join(base, "bundles", "dqmail"), join(base, "dqmail"));
    const home = join(base, "h");
    system = await Started.start({
      command: [join(base, "dqmail"), "start", "--home", home],
      env,
      cwd: base,
      home,
      // verify, the resolver and admin hold most of the packages.
      controls: { ...defaultControls, filters: "smtp: verify\n" },
    });
  });

  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
    Deno.removeSync(base, { recursive: true });
  });

  it("takes mail at SMTP and puts it into a Maildir", async () => {
    const { ports } = await system.component("qmail-smtpd");
    const content = "Subject: bundled\n\nHello.\n";
    await sendMail(ports["smtp"]!, { from: "amy@example.org", to: ["demo@localhost"], content });
    const [message] = await waitForMail(system.home);
    assertStringIncludes(message!, "Subject: bundled");
    assertStringIncludes(message!, "Authentication-Results:");
  });

  it("runs the programs of bin/ from their bundles", async () => {
    const { home } = system;
    const count = newMail(home).length + 1;
    await run(home.bin("sendmail"), ["-fbob@localhost", "demo@localhost"], "Subject: by sendmail\n\nHello.\n");
    assertEquals((await waitForMail(home, "demo@localhost", count)).length, count);
    assertStringIncludes(await run(home.bin("qmail-qstat"), []), "messages in queue: 0");
  });

  it("answers the commands of dqmail", async () => {
    const status = JSON.parse(await dqmail("status", "--json")) as { readonly components: readonly unknown[] };
    assert(status.components.length > 10);
    await dqmail("queue", "check");
    await dqmail("reload");
    assertStringIncludes(await dqmail("status"), "qmail-smtpd");
  });

  it("starts nothing from a checkout, and lets deno fetch nothing", () => {
    const folder = system.home.libexec("grants");
    for (const { name, isFile } of Deno.readDirSync(folder)) {
      const grant = isFile ? Deno.readTextFileSync(join(folder, name)) : "";
      assert(!grant.includes(checkout), name);
      if (!grant.includes("/deno ")) continue;
      for (const flag of ["--no-remote", "--no-npm", "--no-config"]) assertStringIncludes(grant, flag);
    }
  });
});
