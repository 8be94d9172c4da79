/**
 * Mail on its whole way: in by SMTP, out by POP3, in a system started as an operator starts it.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { newMail, waitForMail } from "../support/maildir.ts";
import { statusNumbers } from "../support/processes.ts";
import { sendMail } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask } from "../support/task.ts";
import { waitFor } from "../support/wait.ts";
import { Pop3Client } from "../qmail-popup/pop3_client.ts";

const listeners = "smtp 127.0.0.1:0\npop3 127.0.0.1:0\npop3s 127.0.0.1:0\nadmin 127.0.0.1:0\n";

async function setPassword(system: System): Promise<void> {
  const args = ["passwd", "demo@localhost", "--password-stdin", "--home", system.home.dir];
  assertEquals((await runTask("user", args, { input: "secret\n" })).code, 0);
}

async function logIn(system: System): Promise<Pop3Client> {
  const client = await Pop3Client.connect(system.ports["pop3"]!);
  const reply = await client.logIn("demo@localhost", "secret");
  if (reply !== "+OK ") throw new Error(`${reply}; the log was:\n${system.log.text()}`);
  return client;
}

describe("a system with POP3", () => {
  it("delivers a message by SMTP and hands it out by POP3, once", async () => {
    await using system = await startSystem({ tls: true, controls: { listeners } });
    await setPassword(system);
    for (const [service, word] of [["pop3", "POP3"], ["pop3s", "POP3S"]] as const) {
      assertStringIncludes(system.log.text(), `\n  ${word.padEnd(10)} 127.0.0.1:${system.ports[service]}\n`);
    }
    const content = "Subject: hello\n\n.dot\n";
    await sendMail(system.ports["smtp"]!, { from: "amy@example.org", to: ["demo@localhost"], content });
    await waitForMail(system.home);
    // Messages of the current second are not shown yet.
    const count = await waitFor(async () => {
      using client = await logIn(system);
      const stat = await client.ask("STAT");
      await client.ask("QUIT");
      return stat?.startsWith("+OK 1 ") && stat;
    }, "the message to be shown");
    assert(count.startsWith("+OK 1 "));
    using client = await logIn(system);
    assertEquals(await client.ask("STLS"), "-ERR unimplemented");
    await client.ask("RETR 1");
    const lines = await client.lines();
    assert(lines.includes("Subject: hello") && lines.includes("..dot"), lines.join("\n"));
    await client.ask("DELE 1");
    assertEquals(await client.ask("QUIT"), "+OK ");
    assertEquals(newMail(system.home), []);
    using empty = await logIn(system);
    assertEquals(await empty.ask("STAT"), "+OK 0 0");
  });

  it("goes on after either half was killed", async () => {
    await using system = await startSystem({
      controls: { listeners: listeners.replace(/pop3s.*\n/, ""), idleseconds: "0\n" },
    });
    await setPassword(system);
    for (const name of ["qmail-pop3d", "qmail-popup"]) {
      const { pid } = await system.component(name);
      await system.signal(name, "SIGKILL");
      await waitFor(async () => {
        const now = await system.component(name);
        return now.pid !== undefined && now.pid !== pid;
      }, `another ${name}`);
      await system.waitUntilReady();
      using client = await logIn(system);
      assertEquals(await client.ask("STAT"), "+OK 0 0");
    }
    if (Deno.uid() !== 0) return;
    const uids = await Promise.all(
      ["qmail-popup", "qmail-pop3d", "auth"].map(async (name) =>
        statusNumbers((await system.component(name)).pid!, "Uid")[0]
      ),
    );
    assertEquals(new Set([0, ...uids]).size, 4);
  });

  it("starts neither half without a listener", async () => {
    await using system = await startSystem();
    const names = (await system.status()).components.map(({ name }) => name);
    assert(!names.includes("qmail-popup") && !names.includes("qmail-pop3d"), names.join(" "));
  });
});
