/**
 * Starts and stops: side by side, one after the other, in the midst of mail, by every signal that ends one.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { freeLowPort } from "../support/free_low_port.ts";
import { startMailStream } from "../support/mail_stream.ts";
import { newMail, readMail, waitForMail } from "../support/maildir.ts";
import { isRunning, statusNumbers } from "../support/processes.ts";
import { isQueueEmpty, journalTexts, messageFiles } from "../support/queue_files.ts";
import { sendMail, SmtpClient } from "../support/smtp_client.ts";
import { startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask } from "../support/task.ts";
import { tempDir } from "../support/temp_dir.ts";
import { waitFor } from "../support/wait.ts";

const isRoot = Deno.uid() === 0;
/** What the issue of every stop is measured with. */
const stopLimitMs = 5000;

function mail(subject: string, to = "demo@localhost") {
  return { from: "amy@example.org", to: [to], content: `Subject: ${subject}\n\nx\n` };
}

async function pidsOf(system: System): Promise<number[]> {
  const { pid, components } = await system.status();
  return [system.pid, pid, ...components.flatMap((component) => component.pid ?? [])];
}

async function assertGone(pids: readonly number[]): Promise<void> {
  assert(pids.length >= 5, `${pids.length} processes`);
  await waitFor(() => !pids.some(isRunning), "all processes to end", stopLimitMs);
}

/** An offset at which the default's ports are free. */
function freeOffset(not: number[] = []): number {
  for (;;) {
    const offset = 10_000 + Math.floor(Math.random() * 40_000);
    try {
      for (const port of [2525, 2587, 2209, 2628, 2110, 8025]) {
        Deno.listen({ hostname: "127.0.0.1", port: port + offset }).close();
      }
      if (not.every((other) => Math.abs(other - offset) > 10)) return offset;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

describe("deno task start", () => {
  it("runs two homes side by side with --port-offset, each with its own mail", async () => {
    const first = freeOffset();
    const second = freeOffset([first]);
    // No listeners of our own: the defaults, moved.
    const controls = { listeners: undefined };
    await using one = await startSystem({ controls, portOffset: first });
    await using two = await startSystem({ controls, portOffset: second });
    for (const [system, offset] of [[one, first], [two, second]] as const) {
      const { smtp, submission, qmtp, qmqp, pop3, admin } = system.ports;
      assertEquals(
        [smtp, submission, qmtp, qmqp, pop3, admin],
        [2525, 2587, 2209, 2628, 2110, 8025].map((port) => port + offset),
      );
      assertStringIncludes(
        system.log.text(),
        `  SMTP       127.0.0.1:${2525 + offset}\n  submission 127.0.0.1:${2587 + offset}\n`,
      );
      await sendMail(2525 + offset, mail(`offset ${offset}`));
    }
    for (const [system, offset] of [[one, first], [two, second]] as const) {
      const [message, ...more] = await waitForMail(system.home);
      assertStringIncludes(message!, `Subject: offset ${offset}\n`);
      assertEquals(more, []);
    }
  });

  it("is refused for a home that is in use, with the supervisor's process id, and harms nothing", async () => {
    await using system = await startSystem();
    const before = await pidsOf(system);
    const { code, stderr } = await runTask("start", ["--home", system.home.dir]);
    assertEquals(code, 100);
    assertEquals(stderr, `${system.home.dir} is in use: its supervisor has process id ${before[1]}\n`);
    assertEquals(await pidsOf(system), before);
    await sendMail(system.ports["smtp"]!, mail("still there"));
    await waitForMail(system.home);
  });

  it("finds the mailboxes, the control files and the queue the last one left", async () => {
    await using system = await startSystem({ controls: { concurrencylocal: "0\n" } });
    const { code } = await runTask("user", ["add", "amy@more.example", "--home", system.home.dir]);
    assertEquals(code, 0);
    await waitFor(() => system.log.text().includes("reloaded"), "the reload");
    await waitFor(async () => {
      using client = await SmtpClient.connect(system.ports["smtp"]!);
      return (await client.send(mail("kept", "amy-list@more.example"))).end?.code === 250;
    }, "the new domain to be in force");
    assertEquals(journalTexts(system.home).length, 1);
    assertEquals(await system.end(), 0);
    assertEquals([journalTexts(system.home).length, newMail(system.home, "amy@more.example").length], [1, 0]);

    system.writeControl("concurrencylocal", "10\n");
    await system.start();
    const [message] = await waitForMail(system.home, "amy@more.example");
    assertStringIncludes(message!, "Subject: kept\n");
    await waitFor(() => isQueueEmpty(system.home), "an empty queue");
  });

  it("ends with 100 for a malformed control file, naming file, value and what was expected, and starts nothing", async () => {
    using dir = tempDir();
    Deno.chmodSync(dir.path, 0o755);
    const home = `${dir.path}/h`;
    Deno.mkdirSync(`${home}/control`, { recursive: true });
    const files = { me: "localhost\n", databytes: "10MB\n", smtproutes: "a.example\n" };
    for (const [file, text] of Object.entries(files)) Deno.writeTextFileSync(`${home}/control/${file}`, text);
    const { code, stdout, stderr } = await runTask("start", ["--home", home]);
    assertEquals([code, stdout], [100, ""]);
    assertEquals(
      stderr,
      'Cannot read control file "databytes": expected a whole number of bytes, got "10MB"\n' +
        'Cannot read control file "smtproutes": expected domain:relay or domain:relay:port, got "a.example"\n',
    );
  });

  it("makes no mailbox for a host's name that is none", async () => {
    using dir = tempDir();
    Deno.chmodSync(dir.path, 0o755);
    const home = `${dir.path}/h`;
    Deno.mkdirSync(`${home}/control`, { recursive: true });
    Deno.writeTextFileSync(`${home}/control/me`, "bad name/../x\n");
    const { code, stderr } = await runTask("start", ["--home", home]);
    assertEquals([code, stderr], [
      100,
      'Cannot read control file "me": expected a domain name, got "bad name/../x"\n',
    ]);
    assertEquals([Array.from(Deno.readDirSync(`${home}/users`)), Array.from(Deno.readDirSync(`${home}/mail`))], [
      [],
      [],
    ]);
  });

  const lowPort = "on a port below 1024 serves mail, and what listens there is not root any more, in no other group";
  it(isRoot ? lowPort : `${lowPort} (skipped: not root)`, { ignore: !isRoot }, async () => {
    const port = freeLowPort("127.0.0.1");
    await using system = await startSystem({ controls: { listeners: `smtp 127.0.0.1:${port}\nadmin 127.0.0.1:0\n` } });
    assertEquals(system.ports["smtp"], port);
    await sendMail(port, mail("low"));
    await waitForMail(system.home);
    const pid = (await system.component("qmail-smtpd")).pid!;
    const [uids, gids] = [statusNumbers(pid, "Uid"), statusNumbers(pid, "Gid")];
    assert(![...uids, ...gids].includes(0), `uids ${uids}, gids ${gids}`);
    assertEquals(statusNumbers(pid, "Groups").filter((group) => group !== gids[0]), []);
  });
});

describe("a stop", () => {
  it("by Ctrl-C (SIGINT to every process of the group) in the midst of mail takes less than five seconds and loses nothing", async () => {
    await using system = await startSystem();
    const stream = startMailStream({
      port: system.ports["smtp"]!,
      connections: 10,
      recipient: (number) => ["demo@localhost", "postmaster@localhost"][number % 2]!,
      size: 2048,
    });
    await waitFor(() => stream.accepted.size >= 200, "two hundred messages accepted", 20_000);
    const pids = await pidsOf(system);
    Deno.kill(-system.pid, "SIGINT");
    assertEquals(await system.ended(stopLimitMs), 0);
    await stream.stop();
    await assertGone(pids);

    const found = () => [...readMail(system.home), ...readMail(system.home, "postmaster@localhost")].map(numberOf);
    const before = new Set(found());
    await system.start();
    await waitFor(() => isQueueEmpty(system.home), "an empty queue", 20_000);
    const counts = new Map<number, number>();
    for (const number of found()) counts.set(number, (counts.get(number) ?? 0) + 1);
    assertEquals([...stream.accepted].filter((number) => !counts.has(number)), [], "lost");
    assertEquals([...before].filter((number) => counts.get(number) !== 1), [], "delivered before the stop, and again");
    assertEquals([...counts].filter(([, count]) => count > 1), [], "twice");
  });

  it("lets a message that is coming in be finished, and answers 421 to those that say nothing", async () => {
    await using system = await startSystem();
    using talking = await SmtpClient.connect(system.ports["smtp"]!);
    using silent = await SmtpClient.connect(system.ports["smtp"]!);
    for (const command of ["MAIL FROM:<amy@example.org>", "RCPT TO:<demo@localhost>", "DATA"]) {
      await talking.command(command);
    }
    talking.write("Subject: last\r\n\r\nfirst half, ");
    Deno.kill(-system.pid, "SIGINT");
    const { code, lines } = await silent.reply();
    assertEquals([code, lines], [421, ["4.3.2 going down"]]);
    talking.write("second half\r\n.\r\n");
    assertEquals((await talking.reply()).code, 250);
    assertEquals(await system.ended(stopLimitMs), 0);
    await system.start();
    assertStringIncludes((await waitForMail(system.home))[0]!, "first half, second half\n");
  });

  it("takes less than five seconds although a client is silent inside its message and another host never answers", async () => {
    using mute = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using system = await startSystem({
      controls: { smtproutes: `mute.example:127.0.0.1:${mute.addr.port}\n` },
    });
    await sendMail(system.ports["smtp"]!, mail("unheard", "r@mute.example"));
    using _host = await mute.accept();
    using client = await SmtpClient.connect(system.ports["smtp"]!);
    for (const command of ["MAIL FROM:<amy@example.org>", "RCPT TO:<demo@localhost>", "DATA"]) {
      await client.command(command);
    }
    client.write(`Subject: never\r\n\r\n${"x".repeat(70).concat("\r\n").repeat(4000)}`);
    await waitFor(() => messageFiles(system.home).length > 0, "a part of the message in the queue");
    Deno.kill(-system.pid, "SIGINT");
    assertEquals(await system.ended(stopLimitMs), 0);
    assertEquals([messageFiles(system.home), journalTexts(system.home).length], [[], 1]);

    await using sink = await startSmtpSink();
    system.writeControl("smtproutes", `mute.example:127.0.0.1:${sink.port}\n`);
    await system.start();
    await waitFor(() => sink.taken.length === 1, "the message at the other host");
    await waitFor(() => isQueueEmpty(system.home), "an empty queue");
    assertEquals(newMail(system.home), []);
  });

  it("does not wait for a component that could not start and has its next attempt before it", async () => {
    await using system = await startSystem();
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    system.writeControl("listeners", `smtp 127.0.0.1:${taken.addr.port}\nadmin 127.0.0.1:0\n`);
    assertEquals(await system.reload(), []);
    await system.waitForLog((line) => /^restart component=qmail-smtpd .* delayms=3200$/.test(line), 20_000);
    const pids = await pidsOf(system);
    Deno.kill(system.pid, "SIGINT");
    assertEquals(await system.ended(3000), 0);
    await waitFor(() => !pids.some(isRunning), "all processes to end", 1000);
  });

  it("by SIGTERM to the supervisor is as orderly, and ends deno task start with 0", async () => {
    await using system = await startSystem();
    const pids = await pidsOf(system);
    await system.signal("supervisor", "SIGTERM");
    assertEquals(await system.ended(stopLimitMs), 0);
    await assertGone(pids);
    const said = system.log.lines().filter((line) => line.endsWith("status: exiting") || line.startsWith("killed"));
    assertEquals(said, ["qmail-send: status: exiting", "qmail-queue: status: exiting"]);
  });

  for (const [who, exitCode] of [["deno task start", undefined], ["the supervisor", 111]] as const) {
    it(`by SIGKILL to ${who} leaves no process, and the next start goes on`, async () => {
      await using system = await startSystem();
      const pids = await pidsOf(system);
      Deno.kill(who === "the supervisor" ? pids[1]! : pids[0]!, "SIGKILL");
      await assertGone(pids);
      const code = await system.ended();
      if (exitCode !== undefined) assertEquals(code, exitCode);
      await system.start();
      await sendMail(system.ports["smtp"]!, mail("on"));
      await waitForMail(system.home);
    });
  }
});

function numberOf(message: string): number {
  return Number(/^X-Number: ([0-9]+)$/m.exec(message)?.[1] ?? NaN);
}
