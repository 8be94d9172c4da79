/**
 * The small tasks as an operator calls them: status, grants, reload, send, and what each says when it cannot.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { flagsOf, rightsOf } from "../../components/lib/permissions/grant.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import { readControls } from "../../config/read.ts";
import { type ControlFile, schema } from "../../config/schema.ts";
import { instancesOf } from "../../components/lib/permissions/grant.ts";
import { manifests } from "../../config/manifests.ts";
import { newMail, waitForMailWith } from "../support/maildir.ts";
import { isRunning } from "../support/processes.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask, type TaskResult } from "../support/task.ts";
import { tempDir } from "../support/temp_dir.ts";
import { waitFor } from "../support/wait.ts";

describe("with a running system", () => {
  let system: System;
  /** Those that this home needs. */
  let supervised: readonly string[];
  const task = (name: string, args: readonly string[] = [], input = ""): Promise<TaskResult> =>
    runTask(name, [...args, "--home", system.home.dir], { input });

  beforeAll(async () => {
    system = await startSystem({ controls: { idleseconds: "0\n" } });
    const controls = readControls(system.home, Object.keys(schema) as ControlFile[]);
    assert(controls.ok);
    const config = { home: system.home, portOffset: 0, controls: controls.value, nameservers: [] };
    supervised = manifests
      .filter((manifest) => manifest.startedBy === "supervisor" && instancesOf(manifest, config) > 0)
      .map(({ name }) => name);
  });
  afterAll(() => system?.stop());

  it("status shows every component with pid, state, restarts, uptime, memory, user, ports and grant", async () => {
    const { code, stdout, stderr } = await task("status");
    assertEquals([code, stderr], [0, ""]);
    const [title, ...rows] = stdout.split("\n\n")[0]!.split("\n").map((line) => line.trim().split(/\s{2,}/));
    assertEquals(title, ["component", "pid", "state", "restarts", "uptime", "memory", "uid", "ports"]);
    assertEquals(rows.map(([name]) => name).toSorted(), [...supervised].toSorted());
    for (const [name, pid, state, restarts, uptime, memory] of rows) {
      assert(isRunning(Number(pid)), `${name}: ${pid}`);
      assertEquals([state, restarts], ["running", "0"], name);
      assertMatch(`${uptime} ${memory}`, /^[0-9]+ s [0-9]+\.[0-9] MiB$/);
    }
    const { pid } = await system.status();
    assertStringIncludes(stdout, `\nsupervisor ${pid}, `);
    for (const { name, grant } of (await system.status()).components) {
      const flags = grant.map((flag) => flag.replaceAll(system.home.dir, "~")).join("\n    ");
      assertStringIncludes(stdout, `  ${name}\n    ${flags}\n`);
    }
  });

  it("status --json shows the same for programs, and which component was restarted", async () => {
    const { pid } = await system.component("qmail-getpw");
    Deno.kill(pid!, "SIGKILL");
    await waitFor(async () => (await system.component("qmail-getpw")).restarts === 1, "the restart");
    await system.waitUntilReady();
    const { code, stdout } = await task("status", ["--json"]);
    const status = JSON.parse(stdout) as {
      pid: number;
      ready: boolean;
      components: (Record<string, unknown> & { name: string })[];
    };
    assertEquals([code, status.ready], [0, true]);
    assert(isRunning(status.pid));
    assertEquals(status.components.map(({ name }) => name).toSorted(), [...supervised].toSorted());
    for (const { name, pid, state, restarts, uptimeSeconds, memoryBytes, grant } of status.components) {
      assert(isRunning(Number(pid)), name);
      assertEquals([state, restarts], ["running", name === "qmail-getpw" ? 1 : 0], name);
      assert(Number.isInteger(uptimeSeconds) && Number(memoryBytes) > 1_000_000, name);
      const manifest = manifests.find((manifest) => manifest.name === name)!;
      const config = readConfig(system.home, 0);
      assert("controls" in config);
      assertEquals(grant, flagsOf(manifest.permissions(config), system.home), name);
    }
  });

  it("grants --json prints every grant of the manifests for that home", async () => {
    const { code, stdout, stderr } = await task("grants", ["--json", "--port-offset", "7"]);
    assertEquals([code, stderr], [0, ""]);
    const config = readConfig(system.home, 7);
    assert("controls" in config);
    const expected = manifests.map(({ name, job, account, startedBy, permissions }) => {
      const grant = permissions(config);
      return {
        name,
        job,
        account,
        startedBy,
        rights: rightsOf(grant, system.home),
        flags: flagsOf(grant, system.home),
      };
    });
    assertEquals(JSON.parse(stdout), JSON.parse(JSON.stringify(expected)));
  });

  it("grants prints them for people, all of a kind on a line", async () => {
    const { code, stdout } = await task("grants");
    assertEquals(code, 0);
    for (const { name, job, account, neededWords } of manifests) {
      const isHere = neededWords === undefined || supervised.includes(name);
      const needed = isHere ? "" : `; not needed here, only when ${neededWords}`;
      // dial6's grant is no flags, but what the supervisor answers.
      const first = name === "dial6" ? "no flags; the supervisor decides" : "--allow-";
      assertStringIncludes(stdout, `${name}: ${job}; as ${account} when root starts it${needed}\n    ${first}`);
    }
    assert(!stdout.includes("--allow-all") && !/--allow-(?:net|run|write|read|env|ffi)(?:$|\s)/m.test(stdout), stdout);
  });

  it("send shows the dialogue and the message arrives", async () => {
    const { code, stdout, stderr } = await task("send", ["demo@localhost", "--text", "Hällo\n.dot", "--subject", "Hi"]);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^S: 220 localhost ESMTP\nC: EHLO localhost\nS: 250-/);
    assertMatch(stdout, /\nC: \(the message\)\nS: 250 2\.0\.0 ok [0-9]+ qp [0-9]+\nC: QUIT\nS: 221 .*\n$/);
    const message = await waitForMailWith(system.home, "Subject: Hi\n");
    assert(message.endsWith("\n\nH\xc3\xa4llo\n.dot\n"), message);
  });

  it("send takes the text from its input, and several recipients", async () => {
    const args = ["demo-in@localhost", "postmaster@localhost", "--from", "amy@example.org"];
    assertEquals((await task("send", args, "from the input\n")).code, 0);
    const message = await waitForMailWith(system.home, "from the input\n", "postmaster@localhost");
    assertStringIncludes(message, "\nFrom: <amy@example.org>\nTo: <demo-in@localhost>, <postmaster@localhost>\n");
    await waitForMailWith(system.home, "from the input\n");
  });

  it("send ends with 1 where a recipient is refused, and shows the reply; the others get the message", async () => {
    const { code, stdout } = await task("send", ["nobody@localhost", "demo@localhost", "--text", "to one"]);
    assertEquals(code, 1);
    assertStringIncludes(stdout, "C: RCPT TO:<nobody@localhost>\nS: 550 5.1.1 sorry, no mailbox here by that name\n");
    await waitForMailWith(system.home, "to one");
    const before = newMail(system.home).length;
    const none = await task("send", ["nobody@localhost", "--text", "to none"]);
    assertEquals([none.code, none.stdout.includes("DATA"), newMail(system.home).length], [1, false, before]);
  });

  it("user add says so when a malformed control file keeps the new domain from coming into force", async () => {
    system.writeControl("databytes", "10MB\n");
    const { code, stdout, stderr } = await task("user", ["add", "amy@new.example"]);
    assertEquals(code, 100);
    assertStringIncludes(
      stdout,
      "new.example is a local domain now (control/locals, control/rcpthosts): in force from ",
    );
    assertStringIncludes(stderr, 'Cannot read control file "databytes": expected a whole number of bytes, got "10MB"');
  });
});

describe("without a running system", () => {
  it("status, reload and send say so, naming the home: var of this folder by default", async () => {
    using dir = tempDir();
    const real = Deno.realPathSync(dir.path);
    const rows: readonly (readonly [string, readonly string[], number, string])[] = [
      ["status", [], 1, `no dqmail runs in ${real}/var; "deno task start --home ${real}/var" starts one\n`],
      ["status", ["--json"], 1, `no dqmail runs in ${real}/var; "deno task start --home ${real}/var" starts one\n`],
      ["reload", [], 1, `no dqmail of yours runs in ${real}/var\n`],
      ["reload", ["--home", "other"], 1, `no dqmail of yours runs in ${real}/other\n`],
      [
        "send",
        ["demo@localhost", "--text", "x"],
        100,
        `no dqmail runs in ${real}/var; name one with --home, or another server with --server\n`,
      ],
      [
        "user",
        ["list"],
        100,
        `there is no dqmail home in ${real}/var; "deno task start --home ${real}/var" makes one\n`,
      ],
      ["send", ["a<b@localhost", "--text", "x"], 100, "an address may hold no line end, < or >\n"],
      ["send", ["a@localhost", "--text", "x", "--server", "::x"], 100, "--server needs HOST:PORT\n"],
      ["start", ["--port-offset", "x"], 100, "--port-offset: expected a whole number up to 60000, got x\n"],
      ["start", ["--home", "x".repeat(90)], 100, ""],
    ];
    for (const [name, args, code, stderr] of rows) {
      const result = await runTask(name, args, { cwd: dir.path });
      assertEquals([result.code, result.stdout], [code, ""], `${name} ${args.join(" ")}: ${result.stderr}`);
      if (stderr !== "") assertEquals(result.stderr, stderr);
      else assertStringIncludes(result.stderr, "choose a shorter --home");
    }
  });

  it("send names the server it cannot reach", async () => {
    const { code, stderr } = await runTask("send", ["a@b.example", "--text", "x", "--server", "127.0.0.1:1"]);
    assertEquals(code, 100);
    assertMatch(stderr, /^cannot talk to 127\.0\.0\.1 port 1: .*refused/i);
  });

  it("grants prints the embedded default's, and refuses a malformed control file", async () => {
    using dir = tempDir();
    const fine = await runTask("grants", ["--home", `${dir.path}/none`]);
    assertEquals([fine.code, fine.stderr], [0, ""]);
    assertStringIncludes(fine.stdout, "--allow-net=127.0.0.1:2525,[::1]:2525,");
    Deno.mkdirSync(`${dir.path}/control`);
    Deno.writeTextFileSync(`${dir.path}/control/me`, "localhost\n");
    Deno.writeTextFileSync(`${dir.path}/control/remoteport`, "smtp\n");
    const { code, stderr } = await runTask("grants", ["--home", dir.path]);
    assertEquals([code, stderr], [
      100,
      'Cannot read control file "remoteport": expected a TCP port from 1 to 65535, got "smtp"\n',
    ]);
  });

  it("every task explains itself with --help", async () => {
    for (const name of ["start", "status", "reload", "send", "grants", "user"]) {
      const { code, stdout } = await runTask(name, ["--help"]);
      assertEquals(code, 0, name);
      assertStringIncludes(stdout, `Usage: deno task ${name}`);
    }
  });
});
