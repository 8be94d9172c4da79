/**
 * Control files while the system runs: what a reload brings into force, whom it restarts, and what it refuses.
 * @module
 */
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { freeLowPort } from "../support/free_low_port.ts";
import { newMail, waitForMailWith } from "../support/maildir.ts";
import { isRunning, statusNumbers } from "../support/processes.ts";
import { sendStatus } from "../support/retry.ts";
import { sendMail, SmtpClient } from "../support/smtp_client.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask } from "../support/task.ts";
import { waitFor } from "../support/wait.ts";

const sender = "demo@localhost";
const isRoot = Deno.uid() === 0;

/** Process ids by component, without those that run on demand. */
async function pids(system: System): Promise<Map<string, number>> {
  const { components } = await system.waitUntilReady();
  return new Map(components.filter(({ state }) => state === "running").map(({ name, pid }) => [name, pid!]));
}

/** Components that have another process id than `before`; settles when their old processes, which hold the port, are gone. */
async function restarted(system: System, before: ReadonlyMap<string, number>): Promise<string[]> {
  const now = await pids(system);
  const replaced = [...before].filter(([name, pid]) => now.get(name) !== pid);
  await waitFor(() => !replaced.some(([, pid]) => isRunning(pid)), "the end of the old processes");
  return replaced.map(([name]) => name);
}

describe("a control file", () => {
  let system: System;
  let sink: SmtpSink;

  /** The reply to RCPT of a client that may not relay. */
  const rcpt = async (recipient: string): Promise<number> => {
    using client = await SmtpClient.connect(system.ports["smtp"]!, { localAddress: "127.0.0.9" });
    await client.command("MAIL FROM:<amy@example.org>");
    return (await client.command(`RCPT TO:<${recipient}>`)).code;
  };
  const greeting = async (): Promise<string> => {
    using client = await SmtpClient.connect(system.ports["smtp"]!, { helo: undefined });
    return (await client.command("EHLO x")).lines[0]!;
  };
  const change = async (files: Readonly<Record<string, string>>): Promise<void> => {
    for (const [file, text] of Object.entries(files)) system.writeControl(file, text);
    assertEquals(await system.reload(), []);
    await system.waitUntilReady();
  };
  const sendOut = (to: string) =>
    sendMail(system.ports["smtp"]!, { from: sender, to: [to], content: `Subject: ${to}\n\nx\n` });

  beforeAll(async () => {
    sink = await startSmtpSink();
    system = await startSystem({
      controls: {
        smtpgreeting: "localhost before the start\n",
        databytes: "5000\n",
        relayclients: "127.0.0.1\n",
        smtproutes: `r.example:127.0.0.1:${sink.port}\n`,
      },
    });
  });
  afterAll(async () => {
    await system?.stop();
    await sink?.[Symbol.asyncDispose]();
  });

  it("that is there before the start is in force from the start", async () => {
    assertEquals(await greeting(), "localhost before the start");
    using client = await SmtpClient.connect(system.ports["smtp"]!);
    assertEquals((await client.command(`MAIL FROM:<${sender}> SIZE=5001`)).code, 552);
    assertEquals((await client.command(`MAIL FROM:<${sender}> SIZE=5000`)).code, 250);
  });

  it("changed later waits for the reload, which is by SIGHUP to deno task start too", async () => {
    system.writeControl("smtpgreeting", "localhost after SIGHUP\n");
    assertEquals(await greeting(), "localhost before the start");
    Deno.kill(system.pid, "SIGHUP");
    await waitFor(async () => await greeting() === "localhost after SIGHUP", "the new greeting");
  });

  it("of qmail-smtpd alone restarts nothing: smtpgreeting, databytes by deno task reload", async () => {
    const before = await pids(system);
    system.writeControl("smtpgreeting", "localhost after the task\n");
    system.writeControl("databytes", "100\n");
    const { code, stdout } = await runTask("reload", ["--home", system.home.dir]);
    assertEquals([code, stdout], [0, "reloaded\n"]);
    await waitFor(async () => await greeting() === "localhost after the task", "the new greeting");
    using client = await SmtpClient.connect(system.ports["smtp"]!);
    const { end } = await client.send({ from: sender, to: [sender], content: `Subject: big\n\n${"x".repeat(200)}\n` });
    assertEquals([end!.code, end!.lines], [552, ["5.3.4 sorry, that message size exceeds my databytes limit"]]);
    await change({ databytes: "0\n" });
    assertEquals(await restarted(system, before), []);
  });

  it("locals, rcpthosts and virtualdomains make a domain ours, at RCPT and for the delivery, and end that", async () => {
    const before = await pids(system);
    assertEquals([await rcpt("demo@l.example"), await rcpt("info@v.example")], [553, 553]);
    await change({
      locals: "localhost\nl.example\n",
      rcpthosts: "localhost\nl.example\nv.example\n",
      virtualdomains: "v.example:demo\n",
    });
    await waitFor(async () => await rcpt("info@v.example") === 250, "the virtual domain");
    // Ours, but users/passwd names nobody in it.
    await waitFor(async () => await rcpt("demo@l.example") === 550, "the local domain");
    await sendOut("info@v.example");
    await waitForMailWith(system.home, "\nDelivered-To: demo-info@v.example\n");

    await change({ locals: "localhost\n", rcpthosts: "localhost\n", virtualdomains: "" });
    await waitFor(async () => await rcpt("info@v.example") === 553, "the end of the virtual domain");
    assertEquals(await restarted(system, before), []);
  });

  it("concurrencylocal 0 holds local mail, a number lets it go", async () => {
    const hold = async (limit: number) => {
      await change({ concurrencylocal: `${limit}\n` });
      await waitFor(async () => (await sendStatus(system)).limits.local === limit, `a limit of ${limit}`);
    };
    await hold(0);
    const before = newMail(system.home).length;
    await sendOut("demo@localhost");
    await waitFor(async () => (await sendStatus(system)).messages === 1, "the message to be known");
    assertEquals(newMail(system.home).length, before);
    await hold(3);
    await waitFor(() => newMail(system.home).length === before + 1, "the delivery");
  });

  it("smtproutes with a new port restarts qmail-remote with a new grant, nobody else, and mail goes there", async () => {
    await sendOut("old@r.example");
    await waitFor(() => sink.taken.length === 1, "the mail at the old port");
    const before = await pids(system);
    await using other = await startSmtpSink();
    await change({ smtproutes: `r.example:127.0.0.1:${other.port}\n` });
    assertEquals(await restarted(system, before), ["qmail-remote"]);
    const { grant } = await system.component("qmail-remote");
    const net = grant.find((flag) => flag.startsWith("--allow-net="))!;
    assertStringIncludes(net, `127.0.0.1:${other.port}`);
    assert(!net.includes(`127.0.0.1:${sink.port}`), net);
    await waitFor(async () => {
      await sendOut("new@r.example");
      return await waitFor(() => other.taken.length > 0, "the mail at the new port", 1000).catch(() => false);
    }, "mail by the new route");
    assertEquals(sink.taken.length, 1);
  });

  it("changed twice in a row leaves one process a component, with the last grant", async () => {
    for (const port of [2001, 2002, 2003]) {
      system.writeControl("smtproutes", `r.example:127.0.0.1:${port}\n`);
      assertEquals(await system.reload(), []);
    }
    const { components } = await system.waitUntilReady();
    const remote = components.find(({ name }) => name === "qmail-remote")!;
    assertStringIncludes(remote.grant.join(" "), "127.0.0.1:2003");
    assertEquals(processesOf(system, "qmail-remote"), [remote.pid]);
  });

  it("listeners with a new port has qmail-smtpd listen there and no longer at the old one", async () => {
    const before = await pids(system);
    const old = system.ports["smtp"]!;
    using free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = free.addr;
    free.close();
    await change({ listeners: `smtp 127.0.0.1:${port}\n` });
    assertEquals(await restarted(system, before), ["qmail-smtpd"]);
    assertEquals((await system.component("qmail-smtpd")).ports, { smtp: port });
    await sendOut("demo-port@localhost");
    await waitForMailWith(system.home, "\nDelivered-To: demo-port@localhost\n");
    if (old !== port) await assertRefused(old);
  });

  const low = "listeners with a port below 1024 is served too, not as root";
  it(isRoot ? low : `${low} (skipped: not root)`, { ignore: !isRoot }, async () => {
    const port = freeLowPort("127.0.0.78");
    await change({ listeners: `smtp 127.0.0.1:0\nsmtp 127.0.0.78:${port}\n` });
    const { ports, pid } = await system.component("qmail-smtpd");
    assertEquals(ports["smtp2"], port);
    assert(!statusNumbers(pid!, "Uid").includes(0), `uids ${statusNumbers(pid!, "Uid")}`);
    using client = await SmtpClient.connect(port, { host: "127.0.0.78" });
    assertEquals((await client.command("NOOP")).code, 250);
  });

  it("that is malformed changes nothing, and the reload says what is wrong with it", async () => {
    const before = await pids(system);
    const defect = 'Cannot read control file "databytes": expected a whole number of bytes, got "lots"';
    system.writeControl("databytes", "lots\n");
    system.writeControl("smtpgreeting", "localhost never\n");
    const { code, stdout, stderr } = await runTask("reload", ["--home", system.home.dir]);
    assertEquals([code, stdout, stderr], [100, "", `not reloaded, everything goes on as before:\n${defect}\n`]);
    Deno.kill(system.pid, "SIGHUP");
    await system.waitForLog((line) => line.includes(`${defect}; keeping the old values`));
    assertNotEquals(await greeting(), "localhost never");
    assertEquals(await restarted(system, before), []);
    await change({ databytes: "0\n", smtpgreeting: "localhost again\n" });
    await waitFor(async () => await greeting() === "localhost again", "the corrected files");
  });
});

/** Ids of the deno processes that run a component of this home. */
function processesOf({ home }: System, name: string): number[] {
  return Array.from(Deno.readDirSync("/proc"), (entry) => Number(entry.name)).filter((pid) => {
    try {
      const words = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
      return words.includes(home.dir) &&
        words.some((word) => /\/main\.[jt]s$/.test(word) && word.includes(`/components/${name}/`));
    } catch {
      return false;
    }
  });
}

async function assertRefused(port: number): Promise<void> {
  await waitFor(
    () => Deno.connect({ port }).then((connection) => (connection.close(), false), () => true),
    `nobody at port ${port}`,
  );
}
