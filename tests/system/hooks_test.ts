/** Programs of the operator in a whole system: asked by the server, run by hooks, in qmail-queue's place. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Home } from "../../config/home.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";
import { ignore, note } from "../hooks/world.ts";

const content = "Subject: a\n\nhello\n";

/** Writes programs of /bin/sh below the home. */
function place(home: Home, programs: Readonly<Record<string, string>>): void {
  Deno.mkdirSync(join(home.dir, "hooks"), { recursive: true });
  for (const [name, text] of Object.entries(programs)) {
    Deno.writeTextFileSync(join(home.dir, "hooks", name), `#!/bin/sh\n${text}\n`);
    Deno.chmodSync(join(home.dir, "hooks", name), 0o755);
  }
}

function newMail(system: System): string[] {
  const dir = system.home.mail("localhost", "demo", "Maildir", "new");
  return Array.from(Deno.readDirSync(dir), ({ name }) => Deno.readTextFileSync(join(dir, name)));
}

async function send(system: System, to: string): Promise<readonly [recipient: number, message: number | undefined]> {
  const client = await SmtpClient.connect(system.ports["smtp"]!);
  const replies = await client.send({ from: "amy@a.example", to: [to], content });
  await client.quit();
  return [replies.recipients[0]!.code, replies.end?.code];
}

describe(`hooks in a system${note}`, { ignore }, () => {
  it("does not run where nothing is configured", async () => {
    await using system = await startSystem({});
    const { components } = await system.status();
    assertEquals(components.some(({ name }) => name === "hooks"), false);
  });

  it("asks about recipients, runs plug-ins, queues by a program, and follows a reload", async () => {
    await using system = await startSystem({
      controls: {
        rcptcheck: "hooks/check\n",
        smtpplugins: "[rcpt]\nhooks/plugin\n",
        "tcp.smtp": ':allow,QMAILQUEUE="hooks/queue"\n',
      },
      prepare: (home) =>
        place(home, {
          check: '[ "$RECIPIENT" != demo-refused@localhost ] || exit 100',
          plugin: '[ "$SMTPRCPTTO" != demo-plugged@localhost ] || echo "E550 not by this plug-in"',
          queue: '{ echo "X-Filter: $TCPREMOTEIP"; cat; } | qmail-queue',
          other: "exit 31",
        }),
    });
    assertEquals(await send(system, "demo-refused@localhost"), [553, undefined]);
    assertEquals(await send(system, "demo-plugged@localhost"), [550, undefined]);
    assertEquals(await send(system, "demo@localhost"), [250, 250]);
    await waitFor(() => newMail(system).length === 1, "the message");
    assert(newMail(system)[0]!.includes("\nX-Filter: 127.0.0.1\n"), newMail(system)[0]!);
    system.writeControl("tcp.smtp", ':allow,QMAILQUEUE="hooks/other"\n');
    assertEquals(await system.reload(), []);
    await system.waitForLog((line) => line === "regranted component=hooks");
    await system.waitUntilReady();
    assertEquals(await send(system, "demo@localhost"), [250, 554]);
  });
});
