/**
 * `deno task queue` with its commands for messages, on a system with mail that waits, and on one that is stopped.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, afterEach, beforeAll, describe, it } from "@std/testing/bdd";
import { heldSeconds } from "../../components/lib/queue/held.ts";
import { parseTodo } from "../../components/lib/queue/envelope.ts";
import { parseKeptName, queueFile } from "../../components/lib/queue/layout.ts";
import { askSupervisor } from "../../scripts/ask.ts";
import { messageFiles, queueFiles } from "../support/queue_files.ts";
import { sendStatus, waitForDeferral } from "../support/retry.ts";
import { sendMail } from "../support/smtp_client.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask, type TaskResult } from "../support/task.ts";
import { waitFor } from "../support/wait.ts";

const text = "Subject: the subject \x1b[2J\n\nHello\n";

describe("the commands of deno task queue, with a running system", () => {
  let sink: SmtpSink;
  let system: System;
  let code: 250 | 451 | 550;
  const task = (...args: string[]) => runTask("queue", [...args, "--home", system.home.dir]);

  beforeAll(async () => {
    sink = await startSmtpSink("127.0.0.1", { codeFor: () => code });
    system = await startSystem({ controls: { smtproutes: `:127.0.0.1:${sink.port}\n` } });
  });
  afterAll(async () => {
    await system?.stop();
    await sink?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    await task("delete", "--all");
    await waitFor(() => messageFiles(system.home).length === 0, "an empty queue");
    (sink.taken as unknown[]).length = 0;
  });

  /** Sends one that is deferred by that host, and answers its number. */
  async function deferred(to = "bob@later.example", from = "demo@localhost"): Promise<number> {
    code = 451;
    const { waitingForRetry } = await sendStatus(system);
    const before = idsIn("info");
    await sendMail(system.ports["smtp"]!, { from, to: [to], content: text });
    await waitForDeferral(system, waitingForRetry + 1);
    return idsIn("info").find((id) => !before.includes(id))!;
  }

  function idsIn(dir: "info" | "todo"): number[] {
    return queueFiles(system.home, system.home.queue(dir)).map((path) => Number(path.split("/").at(-1)));
  }

  function bounces(): string[] {
    return queueFiles(system.home, system.home.mail("localhost", "demo"))
      .filter((path) => path.includes("/new/")).map((path) => Deno.readTextFileSync(path));
  }

  it("show tells all that is known, harmless for a terminal", async () => {
    const id = await deferred();
    const { code, stdout } = await task("show", String(id));
    assertEquals(code, 0);
    assertMatch(
      stdout,
      new RegExp(`^message ${id}\\n  from: <demo@localhost>\\n  born: .* ago\\n  size: [0-9]+ bytes\\n`),
    );
    assertStringIncludes(stdout, "  now: waits for its next attempt\n  remote: 1 left, 0 done; next attempt ");
    assertStringIncludes(stdout, "    left  bob@later.example\n");
    assertStringIncludes(stdout, "    Subject: the subject _[2J\n");
    assert(!stdout.includes("Hello"));
    const [shown] = JSON.parse((await task("show", String(id), "--json")).stdout);
    assertEquals([shown.message, shown.sender, shown.state, shown.journal], [id, "demo@localhost", "waiting", false]);
    const [{ address, done, attempts, lastError }] = shown.channels[0].recipients;
    assertEquals([address, done, attempts], ["bob@later.example", false, 1]);
    assertStringIncludes(lastError, "does not like recipient");
    assertEquals(await task("show", "1"), { code: 1, stdout: "message 1: no such message\n", stderr: "" });
  });

  it("show says which file of a message cannot be read, and qmail-send goes on", async () => {
    const id = await deferred();
    const bounce = queueFile(system.home, "bounce", id);
    Deno.mkdirSync(bounce);
    const { code, stdout } = await task("show", String(id));
    assertEquals(code, 1);
    assertMatch(stdout, new RegExp(`^message ${id}: .*[Ii]s a directory`));
    Deno.removeSync(bounce);
    assertEquals((await task("show", "--all")).code, 0);
  });

  it("hold lasts over a restart and retry, release delivers", async () => {
    const id = await deferred();
    assertEquals(await task("hold", String(id)), { code: 0, stdout: `${id}: held\n`, stderr: "" });
    assertEquals(Deno.statSync(queueFile(system.home, "remote", id)).mtime!.getTime(), heldSeconds * 1000);
    assertEquals(await task("retry", String(id)), {
      code: 1,
      stdout: `${id}: not done: is held; release it first\n`,
      stderr: "",
    });
    assertEquals(await system.end(), 0);
    await system.start();
    code = 250;
    await system.signal("qmail-send", "SIGALRM");
    await waitFor(async () => (await sendStatus(system)).waitingForRetry === 1, "the survey to find it");
    assertStringIncludes((await task("show", String(id))).stdout, "  now: held by the operator\n");
    assertEquals(sink.taken.length, 0);
    assertEquals((await task("release", "--all")).stdout, `${id}: released; due now\n`);
    await waitFor(() => sink.taken.length === 1, "the delivery");
    await waitFor(() => messageFiles(system.home).length === 0, "its end");
  });

  it("expire has a last attempt made, and the sender told, with the real time of arrival", async () => {
    const id = await deferred();
    const born = Deno.statSync(queueFile(system.home, "mess", id)).mtime!;
    assertEquals((await task("expire", String(id))).stdout, `${id}: its last attempt is due now\n`);
    const [bounce] = await waitFor(() => bounces().length === 1 && bounces(), "the bounce");
    assertMatch(bounce!, /I'm not going to try again/);
    const arrival = /^Arrival-Date: (.*)$/m.exec(bounce!)?.[1] ?? "";
    assertEquals(Date.parse(arrival), Math.floor(born.getTime() / 1000) * 1000);
  });

  it("delete leaves nothing and tells nobody", async () => {
    const before = bounces().length;
    const id = await deferred();
    assertEquals(await task("delete", String(id), "999999999"), {
      code: 1,
      stdout: `${id}: deleted\n999999999: not done: no such message\n`,
      stderr: "",
    });
    assertEquals([messageFiles(system.home), bounces().length], [[], before]);
    assertEquals((await task("check")).stdout, "");
  });

  it("retry takes all, those for a domain, and those from a sender", async () => {
    const a = await deferred("a@one.example", "demo@localhost");
    const b = await deferred("b@two.example", "postmaster@localhost");
    code = 250;
    assertEquals(
      JSON.parse((await task("retry", "--to", "two.example", "--from", "demo@localhost", "--json")).stdout),
      [],
    );
    assertEquals((await task("retry", "--to", "TWO.example")).stdout, `${b}: due now\n`);
    await waitFor(() => sink.taken.length === 1, "one delivery");
    assertEquals(JSON.parse((await task("retry", "--from", "demo@localhost", "--json")).stdout), [
      { message: a, done: true, detail: "due now" },
    ]);
    await waitFor(() => sink.taken.length === 2, "the other");
    await deferred("c@one.example");
    await deferred("d@one.example");
    code = 250;
    assertEquals((await task("retry", "--all")).stdout.split("\n").length, 3);
    await waitFor(() => sink.taken.length === 4, "both");
  });

  it("drain moves what is in the journal, new mail goes past it, until it is undone", async () => {
    const journalMessages = async () =>
      (await askSupervisor(system.home, { op: "status" }, "queue-status"))["journalMessages"];
    code = 250;
    const { code: exit, stdout } = await task("drain");
    assertEquals(exit, 0);
    assertMatch(stdout, /^the journal is empty: [0-9]+ messages have left it\. /);
    const json = JSON.parse((await task("drain", "--json")).stdout);
    assertEquals([json.journalMessages, json.draining], [0, true]);
    code = 451;
    const before = (await sendStatus(system)).waitingForRetry;
    await sendMail(system.ports["smtp"]!, { from: "demo@localhost", to: ["x@later.example"], content: text });
    await waitForDeferral(system, before + 1);
    assertEquals(await journalMessages(), 0);
    assertEquals((await task("drain", "--undo")).stdout, "new mail may go into the journal again\n");
  });

  it("pause has nothing sent to a destination, and resume goes on", async () => {
    assertMatch((await task("pause", "Later.Example")).stdout, /^later\.example: paused; /);
    assertMatch((await task("destinations")).stdout, /later\.example +domain .* paused by the operator/);
    const [again] = JSON.parse((await task("pause", "later.example", "--json")).stdout);
    assertEquals(again, { destination: "later.example", changed: false, paused: ["later.example"] });
    assertMatch((await task("resume", "later.example")).stdout, /^later\.example: resumed; /);
    assertEquals((await task("pause", "a@b")).code, 100);
  });

  it(
    "the folder around the socket lets admin in and nobody else, where root starts it",
    { ignore: Deno.uid() !== 0 },
    () => {
      const { mode, uid } = Deno.statSync(system.home.run("send-control"));
      assertEquals([mode! & 0o777, uid], [0o750, Deno.statSync(system.home.run("send-status")).uid]);
    },
  );

  it("a repair of a running queue is refused", async () => {
    const { code, stdout, stderr } = await task("check", "--repair");
    assertEquals([code, stdout], [111, ""]);
    assertStringIncludes(stderr, "only while nobody works in it: stop the dqmail in ");
  });
});

describe("deno task queue drain, with mail in the journal", () => {
  it("moves messages whose first attempt has not ended, and they are delivered from there", async () => {
    await using sink = await startSmtpSink();
    await using system = await startSystem({
      // Nothing is delivered to other hosts before the reload below.
      controls: { smtproutes: `:127.0.0.1:${sink.port}\n`, concurrencyremote: "0\n" },
    });
    const { home } = system;
    for (let n = 0; n < 50; n++) {
      await sendMail(system.ports["smtp"]!, { from: "demo@localhost", to: [`u${n}@r.example`], content: text });
    }
    assertEquals((await askSupervisor(home, { op: "status" }, "queue-status"))["journalMessages"], 50);
    const list = await runTask("queue", ["show", "--all", "--home", home.dir]);
    assertEquals(list.stdout.match(/in the journal; its first attempt runs/g)?.length, 50);
    const { code, stdout, stderr } = await runTask("queue", ["drain", "--home", home.dir]);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^the journal is empty: 50 messages have left it\. /);
    assertEquals((await runTask("queue", ["check", "--home", home.dir])).stdout, "");
    system.writeControl("concurrencyremote", "20\n");
    await system.reload();
    await waitFor(() => sink.taken.length === 50, "all deliveries");
    await waitFor(() => messageFiles(home).length === 0, "their end");
  });
});

describe("the commands of deno task queue, with a stopped system", () => {
  /** Messages that stand in the journal when everything is killed: nobody takes them. */
  async function killedWithJournal(prepare: (system: System) => void = () => {}): Promise<System> {
    const system = await startSystem({
      // Nothing answers there for as long as the test runs.
      controls: { smtproutes: "later.example:127.0.0.1:1\n", concurrencyremote: "0\n" },
    });
    for (const to of ["a@later.example", "b@later.example", "c@later.example"]) {
      await sendMail(system.ports["smtp"]!, { from: "demo@localhost", to: [to], content: text });
    }
    await system.killAll();
    prepare(system);
    return system;
  }

  const task = (system: System, ...args: string[]): Promise<TaskResult> =>
    runTask("queue", [...args, "--home", system.home.dir]);

  it("drain leaves qmail's layout and an empty journal, and the next start goes on", async () => {
    await using system = await killedWithJournal();
    const { home } = system;
    assertEquals(queueFiles(home, home.queue("todo")), []);
    assertEquals(await task(system, "drain"), {
      code: 0,
      stdout: "3 messages moved; queue/journal is empty\n",
      stderr: "",
    });
    const ids = queueFiles(home, home.queue("todo")).map((path) => Number(path.split("/").at(-1)));
    const owner = Deno.statSync(home.queue("todo"));
    const recipients = ids.map((id) => {
      const [mess, intd, todo] = (["mess", "intd", "todo"] as const).map((dir) =>
        Deno.statSync(queueFile(home, dir, id))
      );
      assertEquals([mess!.ino, intd!.ino, intd!.nlink, mess!.nlink], [id, todo!.ino, 2, 1]);
      for (const { uid, gid, mode } of [mess!, intd!]) {
        assertEquals([uid, gid, mode! & 0o777], [owner.uid, owner.gid, 0o644]);
      }
      const envelope = parseTodo(Deno.readFileSync(queueFile(home, "todo", id)));
      assert(envelope.ok);
      assertStringIncludes(Deno.readTextFileSync(queueFile(home, "mess", id)), "Hello\n");
      return envelope.value.recipients[0];
    });
    assertEquals(recipients.toSorted(), ["a@later.example", "b@later.example", "c@later.example"]);
    assertEquals(queueFiles(home, home.queue("journal")), []);
    assertEquals(await task(system, "check"), { code: 0, stdout: "", stderr: "" });
    await system.start();
    await system.waitForLog((line) => line.includes(`new msg ${ids[0]}`));
  });

  it("says with 111 that nobody answers", async () => {
    await using system = await killedWithJournal();
    const { code, stdout, stderr } = await task(system, "hold", "--all");
    assertEquals([code, stdout], [111, ""]);
    assertMatch(stderr, /qmail-send does not answer: .*nobody listens; is it running\? "deno task status /);
  });

  it("check --repair puts a damaged queue right, and a second check finds nothing", async () => {
    await using system = await killedWithJournal(({ home }) => {
      Deno.writeTextFileSync(home.queue("todo", "notes"), "mine");
      Deno.writeTextFileSync(home.queue("info", "3", "46"), "Famy@localhost\0");
      Deno.writeTextFileSync(home.queue("remote", "5", "28"), "Tx@y\0");
      Deno.removeSync(home.queue("local", "7"));
      Deno.writeTextFileSync(home.queue("journal", "77.done"), "");
      const name = [...Deno.readDirSync(home.queue("journal", "numbers"))].map(({ name }) => name)
        .find((name) => parseKeptName(name) !== undefined);
      Deno.linkSync(home.queue("journal", "numbers", name!), home.queue("pid", "1.1.1"));
    });
    const { home } = system;
    const found = await task(system, "check");
    assertEquals(found.code, 1);
    const kinds = [...found.stdout.matchAll(/: ([a-z-]+): /g)].map(([, kind]) => kind);
    assertEquals(kinds.toSorted(), [
      ...["foreign", "kept-number", "missing-folder", "no-segment", "no-text", "unborn", "wrong-folder"],
    ]);
    const repaired = await task(system, "check", "--repair");
    assertEquals([repaired.code, repaired.stderr], [0, ""]);
    assertStringIncludes(repaired.stdout, "made the folder local/7\n");
    assertMatch(repaired.stdout, /^moved todo\/notes to .*\/queue-aside\/[0-9]{8}T[0-9]{6}\/todo\/notes$/m);
    assertMatch(repaired.stdout, /^moved remote\/5\/28 to /m);
    assertEquals(await task(system, "check"), { code: 0, stdout: "", stderr: "" });
    const aside = queueFiles(home, `${home.dir}/queue-aside`).map((path) => path.split("/").slice(-1)[0]);
    assert(aside.includes("notes") && aside.includes("46") && aside.includes("28"));
    // What is in the journal is still there.
    assertStringIncludes((await task(system, "drain")).stdout, "3 messages moved");
  });
});
