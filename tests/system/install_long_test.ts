/**
 * "deno task install" as it is called: on a scratch root, killed at any line, with Debian's diversions, and with a whole
 * system run in between.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { existsSync } from "@std/fs";
import { join } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { eachLine } from "../../components/supervisor/lines.ts";
import { applyPlan } from "../../scripts/install/apply.ts";
import { readManifest } from "../../scripts/install/manifest.ts";
import { placeAt } from "../../scripts/install/place.ts";
import { planInstall } from "../../scripts/install/plan.ts";
import { rollBack } from "../../scripts/install/rollback.ts";
import { survey } from "../../scripts/install/survey.ts";
import { inventory, type OriginalHost, originalHost } from "../support/original_host.ts";
import { originalText } from "../support/original_mail.ts";
import { OriginalQueue, readOriginalQueue } from "../support/original_queue.ts";
import { sendMail } from "../support/smtp_client.ts";
import { startSmtpSink } from "../support/smtp_sink.ts";
import { checkout, makeBaseDir, System } from "../support/system.ts";
import { runTask } from "../support/task.ts";
import { waitFor } from "../support/wait.ts";

const isRoot = Deno.uid() === 0;
const needsRoot = isRoot ? "" : " (skipped: not root)";
const needsDpkg = needsRoot !== "" || existsSync("/usr/bin/dpkg-divert") ? needsRoot : " (skipped: no dpkg-divert)";

/** Where this one test's processes run from. */
class Staged implements Disposable {
  readonly dir = makeBaseDir();
  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

function argsFor({ root, prefix }: OriginalHost, { dir }: Staged, ...more: readonly string[]): string[] {
  return ["--prefix", prefix, "--root", root, "--staged", dir, ...more];
}

/** The machine but for the record, and what useradd writes anew. */
function machine({ root, dir }: OriginalHost): Readonly<Record<string, string>> {
  return inventory(root, [join(dir, "install"), join(root, "etc")]);
}

/** Starts it and kills it when it has said so many lines; answers whether it was still at work. */
async function killAtLine(args: readonly string[], count: number): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--allow-all",
      "--config",
      `${checkout}/deno.json`,
      `${checkout}/scripts/install.ts`,
      ...args,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    env: { NO_COLOR: "1" },
  }).spawn();
  let left = count;
  await eachLine(child.stdout, () => {
    if (left-- !== 0) return;
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  });
  return (await child.status).signal === "SIGKILL";
}

describe("deno task install, as a program", () => {
  it("says in words and in JSON what it found and would change, and changes nothing", async () => {
    using host = originalHost();
    using staged = new Staged();
    const before = inventory(host.root);
    const words = await runTask("install", argsFor(host, staged, "--dry-run"));
    assertEquals([words.code, words.stderr], [0, ""]);
    for (const text of ["a qmail is there", "srs_maxage           translated into srsage", "To look at:"]) {
      assertStringIncludes(words.stdout, text);
    }
    const { code, stdout } = await runTask("install", argsFor(host, staged, "--dry-run", "--json"));
    const report = JSON.parse(stdout) as { found: string; done: boolean; changes: unknown[] };
    assertEquals([code, report.found, report.done], [0, "qmail", false]);
    assert(report.changes.length > 5);
    assertEquals(inventory(host.root), before);
  });

  it("ends with 111 while qmail-send runs, and changes nothing", async () => {
    using host = originalHost();
    using staged = new Staged();
    using mutex = Deno.openSync(join(host.dir, "queue/lock/sendmutex"), { write: true });
    assert(await mutex.tryLock(true));
    const before = inventory(host.root);
    const { code, stdout } = await runTask("install", argsFor(host, staged));
    assertEquals(code, 111);
    assertStringIncludes(stdout, "qmail-send");
    assertEquals(inventory(host.root), before);
  });

  const wrong: readonly { args: readonly string[]; says: string }[] = [
    { args: [], says: "--prefix is missing" },
    { args: ["--prefix", "var/qmail"], says: "expected an absolute path" },
    { args: ["--prefix", "/q", "--sample", "big"], says: "--sample: expected one of single" },
    { args: ["--prefix", "/q", "--sample", "relay"], says: "needs --relay" },
    { args: ["--prefix", "/q", "--rollback"], says: "there is no install to take back" },
    { args: ["--prefix", "/q", "--frobnicate"], says: "--frobnicate is not known" },
  ];
  for (const { args, says } of wrong) {
    it(`refuses ${JSON.stringify(args.join(" "))} with 100, and says why`, async () => {
      using host = originalHost({ empty: true });
      const { code, stdout, stderr } = await runTask("install", [...args, "--root", host.root]);
      assertEquals(code, 100);
      assertStringIncludes(stdout + stderr, says);
      assertEquals(existsSync(host.dir), false);
    });
  }

  it(
    `killed at any of its lines, is completed by the next run, and given back whole${needsRoot}`,
    { ignore: !isRoot },
    async () => {
      using staged = new Staged();
      let killed = 0;
      // Behind the report, which is said before anything is done.
      const reported = 40;
      for (const lines of [0, reported, reported + 2, reported + 4, reported + 6]) {
        using host = originalHost({ split: 3 });
        host.queue.put({ mess: originalText("kept"), info: "F\0", local: "Tamy@localhost\0" });
        const before = machine(host);
        if (await killAtLine(argsFor(host, staged), lines)) killed++;
        const again = await runTask("install", argsFor(host, staged));
        assertEquals([again.code, again.stderr], [0, ""]);
        assertStringIncludes(again.stdout, "\nInstalled.");
        assertEquals(readOriginalMessages(host), 1);
        const back = await runTask("install", argsFor(host, staged, "--rollback"));
        assertEquals([back.code, back.stderr], [0, ""]);
        assertMatch(back.stdout, /^Given back\. 1 messages wait in the queue\.$/m);
        assertEquals(machine(host), before, `killed at line ${lines}`);
      }
      assert(killed >= 2, `${killed} of the runs were killed`);
    },
  );

  it(
    `moves another server's sendmail aside by a diversion, and back${needsDpkg}`,
    { ignore: needsDpkg !== "" },
    async () => {
      using host = originalHost({ empty: true });
      using staged = new Staged();
      host.write("usr/sbin/sendmail", "#!another server's\n", 0o755);
      dpkgIn(host);
      const { code, stderr } = await runTask("install", argsFor(host, staged, "--me", "mx.my.example", "--sendmail"));
      assertEquals([code, stderr], [0, ""]);
      const path = join(host.root, "usr/sbin/sendmail");
      assertEquals(Deno.readLinkSync(path), "/q/bin/sendmail");
      assertEquals(Deno.readTextFileSync(`${path}.before-dqmail`), "#!another server's\n");
      assertMatch(Deno.readTextFileSync(join(host.root, "var/lib/dpkg/diversions")), /^\/usr\/sbin\/sendmail\n/m);
      assertEquals((await runTask("install", argsFor(host, staged, "--rollback"))).code, 0);
      assertEquals(Deno.readTextFileSync(path), "#!another server's\n");
      assertEquals(existsSync(`${path}.before-dqmail`), false);
      assertEquals(Deno.readTextFileSync(join(host.root, "var/lib/dpkg/diversions")), "");
    },
  );
});

function readOriginalMessages({ dir }: OriginalHost): number {
  return [0, 1, 2].flatMap((part) => [...Deno.readDirSync(join(dir, "queue/mess", String(part)))]).length;
}

/** What a machine of Debian's has for its packages. */
function dpkgIn({ write }: OriginalHost): void {
  for (const file of ["status", "diversions"]) write(`var/lib/dpkg/${file}`, "");
  write("usr/bin/.keep", "");
}

describe("the samples for Debian", () => {
  it(
    `put our programs in another server's places, and give them back${needsDpkg}`,
    { ignore: needsDpkg !== "" },
    async () => {
      using host = originalHost({ empty: true });
      dpkgIn(host);
      for (const path of ["usr/sbin/sendmail", "usr/bin/mailq"]) host.write(path, "another's\n", 0o755);
      const run = async (script: string, word: string) => {
        const { code, stderr } = await new Deno.Command(join(checkout, "config/samples/debian", script), {
          args: [word],
          env: { DPKG_ROOT: host.root, DPKG_MAINTSCRIPT_PACKAGE: "dqmail", DQMAIL_PREFIX: "/q" },
        }).output();
        assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      };
      const before = inventory(join(host.root, "usr"));
      await run("postinst", "configure");
      for (
        const [path, program] of [["sbin/sendmail", "sendmail"], ["bin/mailq", "mailq"], [
          "bin/newaliases",
          "newaliases",
        ]]
      ) {
        assertEquals(Deno.readLinkSync(join(host.root, "usr", path!)), `/q/bin/${program}`);
      }
      await run("postinst", "configure");
      await run("prerm", "upgrade");
      assertEquals(existsSync(join(host.root, "usr/sbin/sendmail.before-dqmail")), true);
      await run("prerm", "remove");
      assertEquals(inventory(join(host.root, "usr")), before);
    },
  );
});

describe("a qmail that is taken over and given back", () => {
  it(
    `has its mail delivered, and finds what came in since in its own queue${needsRoot}`,
    { ignore: !isRoot },
    async () => {
      await using sink = await startSmtpSink();
      const split = 7;
      let put: OriginalQueue | undefined;
      await using system = new System({
        controls: {
          smtproutes: `r.example:127.0.0.1:${sink.port}\n`,
          defaultdelivery: "./Maildir/\n",
          locals: "localhost\n",
        },
        prepare: (home) => {
          put = new OriginalQueue(home.queue(), split);
          put.put({ mess: originalText("before"), info: "Fa@r.example\0", remote: "Tok@r.example\0" });
          Deno.mkdirSync(`${home.dir}/bin`);
          Deno.writeTextFileSync(home.bin("qmail-queue"), "#!qmail's own\n");
          for (const dir of ["tmp", "new", "cur"]) {
            Deno.mkdirSync(`${home.dir}/alias/Maildir/${dir}`, { recursive: true });
          }
          Deno.writeTextFileSync(`${home.dir}/alias/.qmail-default`, "./Maildir/\n");
        },
      });
      const { home, baseDir } = system;
      // The scratch root is the test's folder, the prefix its home.
      Deno.mkdirSync(join(baseDir, "etc"));
      for (const file of ["passwd", "group"]) Deno.writeTextFileSync(join(baseDir, "etc", file), "root:x:0:\n");
      const place = placeAt("/h", baseDir);
      const found = await survey(place);
      const plan = planInstall(found, { sample: new Map(), sendmail: false });
      assertEquals([found.found, plan.refusals, plan.running], ["qmail", [], []]);
      const runtime = { deno: Deno.execPath(), denoDir: "/nowhere", code: checkout, audit: undefined };
      assertEquals(await applyPlan(found, plan, { stage: () => Promise.resolve(runtime), say: () => {} }), []);

      await system.start();
      await waitFor(() => sink.taken.some(({ content }) => content.includes("X-Case: before")), "what qmail had left");
      // One that arrives, and one that has to wait; both go through the journal.
      const to = ["anybody@localhost", "later@r.example"];
      await sendMail(system.ports["smtp"]!, { from: "amy@r.example", to, content: "Subject: since\n\nx\n" });
      await system.waitForLog((line) => line.includes(": deferral: "));
      const arrived = () => [...Deno.readDirSync(`${home.dir}/alias/Maildir/new`)].length;
      await waitFor(() => arrived() === 1, "mail in alias's Maildir");
      assertEquals((await survey(place)).running.length, 1);
      assertEquals(await system.end(), 0);

      const done = await rollBack(place, readManifest(place)!, { say: () => {} });
      assertEquals(done.waiting, 1);
      const queue = readOriginalQueue(home.queue(), split);
      assertEquals(queue.size, 1);
      assertMatch([...queue.values()][0]!.remote!.content, /Tlater@r\.example\0/);
      assertEquals(Array.from(Deno.readDirSync(home.queue()), ({ name }) => name).sort(), [
        ...["bounce", "info", "intd", "local", "lock", "mess", "pid", "remote", "todo"],
      ]);
      assertEquals(Deno.readTextFileSync(home.bin("qmail-queue")), "#!qmail's own\n");
      assertEquals([existsSync(home.libexec()), existsSync(home.run())], [false, false]);
    },
  );
});
