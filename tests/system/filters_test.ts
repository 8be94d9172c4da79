/** Chains of filters in a whole system: every way in, an operator's program among them, a reload, and one that is killed. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { join } from "@std/path";
import type { Home } from "../../config/home.ts";
import { ignore, note } from "../hooks/world.ts";
import { newMail, waitForMail, waitForMailWith } from "../support/maildir.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";

const content = "Subject: a\n\nhello\n";

function placeScanner(home: Home): void {
  const path = join(home.dir, "scanner");
  const script = '{ echo "X-Scanner: $TCPREMOTEIP $SMTPHELOHOST"; cat; } | qmail-queue';
  Deno.writeTextFileSync(path, `#!/bin/sh\n${script}\n`);
  Deno.chmodSync(path, 0o755);
}

async function send(system: System, to: string, text = content): Promise<number | undefined> {
  using client = await SmtpClient.connect(system.ports["smtp"]!);
  return (await client.send({ from: "amy@a.example", to: [to], content: text })).end?.code;
}

async function inject({ home }: System, text: string): Promise<number> {
  const child = new Deno.Command(home.bin("qmail-inject"), {
    args: ["demo@localhost"],
    stdin: "piped",
    env: { QMAILUSER: "amy" },
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return (await child.status).code;
}

describe(`filters in a system${note}`, { ignore }, () => {
  it("do not run where control/filters is not there", async () => {
    await using system = await startSystem({});
    assertEquals((await system.status()).components.some(({ name }) => name === "custom" || name === "verify"), false);
  });

  it("see the mail of every way that names them, behind an operator's program too, and follow a reload", async () => {
    await using system = await startSystem({
      controls: { filters: "local: custom\nforward: custom\n" },
      prepare: (home) => {
        placeScanner(home);
        Deno.mkdirSync(home.mail("localhost", "postmaster"), { recursive: true });
        Deno.writeTextFileSync(home.mail("localhost", "postmaster", ".qmail"), "&demo@localhost\n");
      },
    });
    assertEquals(await inject(system, "Subject: written here\n\nx\n"), 0);
    const local = await waitForMailWith(system.home, "Subject: written here");
    assertMatch(local, /\nX-Custom-Filter: [0-9]+ octets by way of local\n/);
    assertEquals(await inject(system, "Subject: refuse me\n\nx\n"), 100);

    assertEquals(await send(system, "postmaster@localhost", "Subject: forwarded\n\nx\n"), 250);
    const forwarded = await waitForMailWith(system.home, "Subject: forwarded");
    assertEquals(forwarded.match(/X-Custom-Filter: .*/g)?.map((field) => field.replace(/[0-9]+/, "N")), [
      "X-Custom-Filter: N octets by way of forward",
    ]);

    system.writeControl("filters", `smtp: ${system.home.dir}/scanner custom\n`);
    assertEquals(await system.reload(), []);
    await system.waitUntilReady();
    assertEquals(await send(system, "demo@localhost", "Subject: scanned\n\nx\n"), 250);
    const scanned = await waitForMailWith(system.home, "Subject: scanned");
    assertMatch(scanned, /\nX-Custom-Filter: [0-9]+ octets by way of smtp\nX-Scanner: 127\.0\.0\.1 \S+\nReceived: /);
    // The program gives qmail-queue's code, not its words.
    assertEquals(await send(system, "demo@localhost", "Subject: refuse me\n\nx\n"), 554);
  });

  it("lose nothing when one is killed again and again: what was answered 250 arrives, once or more", async () => {
    await using system = await startSystem({ controls: { filters: "smtp: custom\n" } });
    const accepted: string[] = [];
    for (let round = 0; round < 5; round++) {
      const sent = Array.from({ length: 8 }, async (_, count) => {
        const subject = `Subject: ${round}-${count} end`;
        // Every second one is too large for one frame.
        const body = count % 2 === 0 ? "x\n" : `${"x".repeat(900)}\n`.repeat(400);
        if (await send(system, "demo@localhost", `${subject}\n\n${body}`) === 250) accepted.push(subject);
      });
      await system.signal("custom", "SIGKILL");
      await Promise.all(sent);
      await system.waitUntilReady();
    }
    assertEquals(await send(system, "demo@localhost", "Subject: last end\n\nx\n"), 250);
    accepted.push("Subject: last end");
    const mail = await waitForMail(system.home, "demo@localhost", accepted.length);
    for (const subject of accepted) assert(mail.some((text) => text.includes(`\n${subject}\n`)), subject);
    assert(newMail(system.home).length >= accepted.length);
  });
});
