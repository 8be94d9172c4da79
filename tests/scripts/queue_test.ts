/**
 * `deno task queue` and the programs of `bin/` on a system that works meanwhile, and their grants.
 * @module
 */
import { filterNames } from "../../components/lib/filters/chain.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { rightsOf } from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { smallMessageBytes } from "../../components/lib/wire/queue_protocol.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { tools } from "../../components/tools/permissions.ts";
import { homeAt } from "../../config/home.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";
import { outside, readAudit, unused } from "../support/audit.ts";
import { startMailStream } from "../support/mail_stream.ts";
import { queueFiles } from "../support/queue_files.ts";
import { waitForDeferral } from "../support/retry.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask, type TaskResult } from "../support/task.ts";
import { realQueue } from "../support/real_queue.ts";
import { tempDir } from "../support/temp_dir.ts";
import { waitFor } from "../support/wait.ts";

/** Runs one of the home's programs with `input` as descriptor 0 and `envelope` as descriptor 1, through a shell. */
async function run(program: string, { input = "/dev/null", envelope = "" } = {}): Promise<TaskResult> {
  const redirect = envelope === "" ? "" : `1<'${envelope}'`;
  const output = await new Deno.Command("/bin/sh", { args: ["-c", `exec '${program}' <'${input}' ${redirect}`] })
    .output();
  const decoder = new TextDecoder();
  return { code: output.code, stdout: decoder.decode(output.stdout), stderr: decoder.decode(output.stderr) };
}

describe("with a running system", () => {
  let system: System;
  const task = (...args: string[]) => runTask("queue", [...args, "--home", system.home.dir]);

  /** Queues a message to these recipients. */
  async function queue(...recipients: string[]): Promise<void> {
    const [input, envelope] = [`${system.baseDir}/msg`, `${system.baseDir}/env`];
    Deno.writeTextFileSync(input, "Subject: x\n\nHello\n");
    Deno.writeTextFileSync(envelope, `Famy@localhost\0${recipients.map((recipient) => `T${recipient}\0`).join("")}\0`);
    assertEquals((await run(system.home.bin("qmail-queue"), { input, envelope })).code, 0);
  }

  beforeAll(async () => {
    // Nothing listens there: mail for this host waits.
    system = await startSystem({ controls: { smtproutes: "later.example:127.0.0.1:1\n" } });
  });
  afterAll(() => system?.stop());

  it("nothing is in the queue, and nothing is wrong", async () => {
    assertEquals((await task("list")).stdout, "");
    assertEquals(JSON.parse((await task("list", "--json")).stdout), []);
    assertEquals(
      (await task("stat")).stdout,
      "messages in queue: 0\nmessages in queue but not yet preprocessed: 0\n",
    );
    assertEquals(await task("check"), { code: 0, stdout: "", stderr: "" });
    assertEquals(JSON.parse((await task("check", "--json")).stdout), []);
  });

  it("list, stat and qmail's programs show a message that waits, with what is done", async () => {
    await queue("demo@localhost", "bob@later.example");
    await waitForDeferral(system);
    const { stdout } = await task("list");
    assertMatch(
      stdout,
      /^[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT {2}#[0-9]+ {2}[0-9]+ {2}<amy@localhost> \n\tremote\tbob@later\.example\n$/,
    );
    assertEquals(await run(system.home.bin("qmail-qread")), { code: 0, stdout, stderr: "" });
    const stat = "messages in queue: 1\nmessages in queue but not yet preprocessed: 0\n";
    assertEquals((await task("stat")).stdout, stat);
    assertEquals(await run(system.home.bin("qmail-qstat")), { code: 0, stdout: stat, stderr: "" });
    assertEquals(JSON.parse((await task("stat", "--json")).stdout), { messages: 1, notPreprocessed: 0 });
    const [message] = JSON.parse((await task("list", "--json")).stdout);
    assertEquals([message.sender, message.bouncing], ["amy@localhost", false]);
    assertEquals(message.recipients, [{ channel: "remote", address: "bob@later.example", done: false }]);
    assertEquals((await task("check")).code, 0);
  });

  it("check finds nothing under load", async () => {
    const goals = ["demo@localhost", "nobody@localhost", "x@later.example"];
    // Of the large ones only the envelope is in the journal.
    const [small, large] = [{ connections: 8, size: 2000 }, { connections: 2, size: smallMessageBytes + 1 }].map((
      load,
    ) =>
      startMailStream({ ...load, port: system.ports["smtp"]!, recipient: (number) => goals[number % goals.length]! })
    );
    try {
      for (let round = 1; round <= 4; round++) {
        const enough = () => small!.accepted.size >= round * 50 && large!.accepted.size >= round * 5;
        await waitFor(enough, "mail to be accepted");
        const [check, list, stat] = await Promise.all([task("check"), task("list"), task("stat")]);
        assertEquals(check, { code: 0, stdout: "", stderr: "" });
        assertEquals([list.code, list.stderr, stat.code], [0, "", 0]);
        assert(list.stdout.split("\n").every((line) => /^([0-9]|\t| {2}done\t|$)/.test(line)));
      }
    } finally {
      await Promise.all([small!.stop(), large!.stop()]);
    }
  });

  it("check finds what does not belong there, a line each, with exit code 1", async () => {
    const { home } = system;
    Deno.writeTextFileSync(home.queue("todo", "notes"), "");
    Deno.symlinkSync("/etc/passwd", home.queue("bounce", "23"));
    Deno.writeTextFileSync(queueFile(home, "info", 46), "Famy@localhost\0");
    const { code, stdout } = await task("check");
    assertEquals([code, stdout], [
      1,
      "bounce/23: not-regular: a symlink in a file's place\n" +
      "info/0/46: no-text: info without a mess file\n" +
      "todo/notes: foreign: a file that no program of the queue makes\n",
    ]);
    const json = await task("check", "--json");
    assertEquals(json.code, 1);
    assertEquals((JSON.parse(json.stdout) as { kind: string }[]).map(({ kind }) => kind), [
      "not-regular",
      "no-text",
      "foreign",
    ]);
    for (const path of [home.queue("todo", "notes"), home.queue("bounce", "23"), queueFile(home, "info", 46)]) {
      Deno.removeSync(path);
    }
    assertEquals((await task("check")).code, 0);
  });

  const queueTools = ["qmail-queue", "qmail-qread", "qmail-qstat", "qmail-tcpto", "qmail-tcpok"];
  for (const { name, permissions } of tools.filter(({ name }) => queueTools.includes(name))) {
    it(`${name} asks for nothing beyond its grant, and its grant holds nothing else`, async () => {
      const { home, baseDir, auditDir } = system;
      await queue("bob@later.example");
      await waitFor(
        () => queueFiles(home).some((path) => path.startsWith(home.queue("remote"))),
        "a message that waits",
      );
      const copy = `${baseDir}/audited-${name}`;
      const script = Deno.readTextFileSync(home.bin(name));
      const audited = script.replace(" NO_COLOR=1 ", ` DENO_AUDIT_PERMISSIONS=${auditDir}/${name}.jsonl NO_COLOR=1 `);
      assert(audited !== script);
      Deno.writeTextFileSync(copy, audited, { mode: 0o755 });
      const isQueue = name === "qmail-queue";
      const { code } = await run(copy, isQueue ? { input: `${baseDir}/msg`, envelope: `${baseDir}/env` } : {});
      assertEquals(code, 0);
      const rights = rightsOf(permissions(home), home);
      const asked = readAudit(auditDir, name);
      // A program in a chain of filters hands on to the one behind it, which is any of them; there is no chain here.
      const toFilters = new Set(filterNames.map((filter) => home.socket(filter)));
      const left = unused(asked, rights).filter((one) =>
        !toFilters.has(one.replace(/^(?:read |write |net unix:)/, ""))
      );
      assertEquals([outside(asked, rights), left], [[], []]);
    });
  }
});

describe("the programs of bin/", () => {
  it("are the files of components/tools, each once", () => {
    const files = [...Deno.readDirSync(new URL("../../components/tools", import.meta.url))].map(({ name }) => name);
    const programs = files.filter((name) => name.endsWith(".ts") && name !== "permissions.ts");
    assertEquals(tools.map(({ name }) => `${name}.ts`).toSorted(), programs.toSorted());
  });

  it("keep the grant rule, but for those whose purpose it is to run a program of their caller's", () => {
    const config = defaultConfig(homeAt("/h"), 0);
    const manifests = tools.map(({ name, job, permissions }) => ({
      ...{ name, job, account: "qmaild", startedBy: "supervisor", stopOrder: 1 } as const,
      permissions: () => permissions(config.home),
    }));
    const runsShell = [
      ...[
        "bouncesaying",
        "condredirect",
        "dot-forward",
        "except",
        "fastforward",
        "predate",
        "preline",
        "qbiff",
      ],
      "tcp-env",
    ];
    assertEquals(
      breaches(manifests, config).toSorted(),
      [
        ...runsShell.map((name) => `${name}: may run /bin/sh, which is no launcher`),
        "splogger: may run /usr/bin/logger, which is no launcher",
      ].toSorted(),
    );
  });
});

describe("without a system", () => {
  it("check finds what nobody will finish", async () => {
    using queue = realQueue();
    const id = queue.message({});
    const { code, stdout } = await runTask("queue", ["check", "--home", queue.home.dir]);
    assertEquals(code, 1);
    assertStringIncludes(stdout, `/${id}: no-envelope: `);
  });

  it("what is no queue, and what is no command, is said with exit code 100", async () => {
    using dir = tempDir();
    const empty = await runTask("queue", ["list", "--home", dir.path]);
    assertEquals([empty.code, empty.stdout], [100, ""]);
    assertStringIncludes(empty.stderr, "there is no queue in ");
    using queue = realQueue();
    for (const args of [["empty"], ["list", "more"], ["list", "--all"]]) {
      const { code, stderr } = await runTask("queue", [...args, "--home", queue.home.dir]);
      assertEquals(code, 100);
      assertMatch(stderr, / is not known.*\n\nUsage: deno task queue /);
    }
  });

  it("a queue that cannot be read is said with exit code 111", async () => {
    using queue = realQueue();
    Deno.removeSync(queue.home.queue("info", "7"));
    const { code, stderr } = await runTask("queue", ["list", "--home", queue.home.dir]);
    assertEquals(code, 111);
    assertMatch(stderr, /^queue list: fatal: NotFound: /);
  });

  it("help shows examples", async () => {
    const { code, stdout } = await runTask("queue", ["--help"]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "\n  deno task queue check --home ");
  });
});
