/**
 * Components that run on demand: started by who needs them, gone when nobody does, and never at the cost of a message.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { manifests } from "../../config/manifests.ts";
import { newMail, waitForMailWith } from "../support/maildir.ts";
import { sendMail, SmtpClient } from "../support/smtp_client.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const onDemand = manifests.filter((manifest) => manifest.onDemand === true).map(({ name }) => name);

async function statesOf(system: System): Promise<Map<string, string>> {
  const { components } = await system.status();
  return new Map(components.map(({ name, state }) => [name, state]));
}

async function asleep(system: System): Promise<string[]> {
  return [...await statesOf(system)].filter(([, state]) => state === "asleep").map(([name]) => name);
}

describe("a component on demand", () => {
  let system: System;
  let sink: SmtpSink;
  const send = (to: string, text: string) =>
    sendMail(system.ports["smtp"]!, { from: "amy@example.org", to: [to], content: `Subject: ${text}\n\nx\n` });

  beforeAll(async () => {
    sink = await startSmtpSink();
    system = await startSystem({
      controls: { idleseconds: "1\n", smtproutes: `:127.0.0.1:${sink.port}\n` },
    });
  });
  afterAll(async () => {
    await system?.stop();
    await sink?.[Symbol.asyncDispose]();
  });

  it("sleeps after a start, and the system is ready", async () => {
    const { ready } = await system.status();
    const states = await statesOf(system);
    const here = onDemand.filter((name) => states.has(name));
    assertEquals([ready, await asleep(system)], [true, here]);
    assert(here.includes("qmail-lspawn") && here.includes("qmail-remote"));
  });

  it("is started by the first who asks, and nobody's mail waits for more than that", async () => {
    await send("demo@localhost", "first");
    await waitForMailWith(system.home, "Subject: first");
    const states = await statesOf(system);
    for (const name of ["qmail-getpw", "qmail-lspawn"]) assertEquals(states.get(name), "running", name);
    assertEquals(states.get("qmail-remote"), "asleep");
    await send("bob@elsewhere.example", "out");
    await waitFor(() => sink.taken.length === 1, "the message at the sink");
  });

  it("ends when nobody has asked for the time that control/idleseconds says, one after the other", async () => {
    await waitFor(
      async () => (await asleep(system)).length === onDemandHere(await statesOf(system)),
      "all asleep again",
    );
    const { components } = await system.status();
    assertEquals(components.filter(({ restarts }) => restarts > 0), []);
  });

  it("comes again", async () => {
    await send("demo@localhost", "second");
    await waitForMailWith(system.home, "Subject: second");
  });

  it("that sleeps answers RCPT all the same, for who exists and who does not", async () => {
    await waitFor(async () => (await asleep(system)).includes("qmail-getpw"), "qmail-getpw asleep");
    using client = await SmtpClient.connect(system.ports["smtp"]!, { localAddress: "127.0.0.9" });
    await client.command("MAIL FROM:<amy@example.org>");
    assertEquals((await client.command("RCPT TO:<nobody-here@localhost>")).code, 550);
    assertEquals((await client.command("RCPT TO:<demo@localhost>")).code, 250);
  });

  it("under SIGKILL is started again like any other", async () => {
    await send("demo@localhost", "third");
    const pid = (await system.status()).components.find(({ name }) => name === "qmail-lspawn")?.pid;
    if (pid !== undefined) Deno.kill(pid, "SIGKILL");
    await send("demo@localhost", "fourth");
    await waitForMailWith(system.home, "Subject: fourth");
    await waitForMailWith(system.home, "Subject: third");
  });

  it("that is starting or ending loses no mail: one message after the other, at the pace at which it ends", async () => {
    const before = newMail(system.home).length;
    for (let n = 0; n < 5; n++) {
      const from = system.log.length;
      await send("demo@localhost", `pace ${n}`);
      await waitForMailWith(system.home, `Subject: pace ${n}`);
      await system.waitForLog((line) => line.includes("idle component=qmail-lspawn"), 20_000, from);
    }
    assertEquals(newMail(system.home).length, before + 5);
  });

  it("runs from the start to the end where control/idleseconds is 0", async () => {
    system.writeControl("idleseconds", "0\n");
    assertEquals(await system.reload(), []);
    await system.waitUntilReady();
    await waitFor(async () => (await asleep(system)).length === 0, "all of them");
  });
});

function onDemandHere(states: ReadonlyMap<string, string>): number {
  return onDemand.filter((name) => states.has(name)).length;
}
