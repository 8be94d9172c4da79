/**
 * What the log keeps of mail through a whole dqmail, and what a trace tells of it.
 * @module
 */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseRates, parseTail } from "../../components/lib/wire/trace_protocol.ts";
import type { AddressTrace, MessageTrace } from "../../components/lib/wire/trace_protocol.ts";
import { ask } from "../../components/lib/wire/ask.ts";
import { OpenLog } from "../../components/multilog/log_files.ts";
import { freePort } from "../support/free_port.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask } from "../support/task.ts";
import { waitFor } from "../support/wait.ts";

const content = new TextEncoder().encode("Subject: x\r\n\r\nx\r\n");

async function trace<T>(system: System, ...words: readonly string[]): Promise<T> {
  const { stdout } = await runTask("trace", [...words, "--json", "--home", system.home.dir]);
  return JSON.parse(stdout) as T;
}

function numberIn(line: string): number {
  return Number(/msg ([0-9]+)/.exec(line)![1]);
}

async function send(system: System, recipients: readonly string[]): Promise<number> {
  const from = system.log.length;
  using client = await SmtpClient.connect(system.ports["smtp"]!);
  await client.send({ from: "amy@example.org", to: recipients, content });
  return numberIn(await system.waitForLog((line) => line.includes("qmail-send: info msg"), 10_000, from));
}

describe("deno task trace", () => {
  it("tells a message's life while dqmail runs, with its retry, and from the files when nothing runs", async () => {
    // Nobody listens there.
    const smtproutes = `elsewhere.example:127.0.0.1:${freePort()}\n`;
    await using system = await startSystem({ controls: { smtproutes, logfiles: undefined } });
    const delivered = await send(system, ["demo@localhost", "nobody@elsewhere.example"]);
    await system.waitForLog((line) => line.includes(": deferral: "));
    const life = await waitFor(async () => {
      const told = await trace<MessageTrace>(system, String(delivered));
      return told.events.some(({ nextMs }) => nextMs !== undefined) && told;
    }, "the next attempt");
    const kinds = life.events.map(({ kind }) => kind);
    for (const kind of ["new", "info", "accepted", "starting", "delivered", "deferral"] as const) {
      assert(kinds.includes(kind), `${kind} in ${kinds}`);
    }
    assertEquals(life.events.find(({ kind }) => kind === "accepted")!.rule, "relay");
    const deferral = life.events.find(({ kind }) => kind === "deferral")!;
    assertEquals(deferral.recipient, "nobody@elsewhere.example");
    assert(deferral.nextMs! > deferral.atMs);

    const { lives } = await trace<AddressTrace>(system, "DEMO@localhost");
    assertEquals(lives.map(({ message, ended }) => [message, ended]), [[delivered, false]]);
    const rates = parseRates(await ask(system.home.socket("multilog"), { op: "rates" }));
    assertEquals(rates.minutes.reduce((count, { accepted, delivered }) => count + accepted + delivered, 0), 2);

    assertEquals(await system.end(), 0);
    // Nothing that was said before the keeper's own end is missing, and its file is whole.
    using log = new OpenLog(system.home.log());
    const kept = log.read(0, log.size);
    assertMatch(kept, /qmail-send: status: exiting\n/);
    assertMatch(kept, /qmail-queue: status: exiting\n/);
    const later = await trace<MessageTrace>(system, String(delivered));
    assertEquals(
      later.events.slice(0, life.events.length).map(({ text }) => text),
      life.events.map(({ text }) => text),
    );
    const none = await runTask("trace", ["999999999", "--home", system.home.dir]);
    assertEquals([none.code, none.stderr.trim()], [1, "the log has nothing about 999999999"]);
  });

  it("loses no line when the keeper is killed, and mail does not wait for it while it hangs", async () => {
    await using system = await startSystem({ controls: { logfiles: undefined } });
    await system.signal("multilog", "SIGSTOP");
    const first = await send(system, ["demo@localhost"]);
    await system.waitForLog((line) => line.includes(`end msg ${first}`));
    await system.signal("multilog", "SIGKILL");
    await system.waitForLog((line) => line.startsWith("restart component=multilog"));
    await system.waitUntilReady();
    const second = await send(system, ["demo@localhost"]);
    await system.waitForLog((line) => line.includes(`end msg ${second}`));
    const lines = await waitFor(async () => {
      const told = parseTail(await ask(system.home.socket("multilog"), { op: "tail", count: 1000 }));
      return told.lines.some(({ text }) => text === `end msg ${second}`) && told.lines;
    }, "the second message");
    assert(
      lines.some(({ component, text }) => component === "supervisor" && text.startsWith("restart component=multilog")),
    );
  });

  it("has nothing to read where control/logfiles is 0", async () => {
    await using system = await startSystem({ controls: { logfiles: "0\n" } });
    assertEquals((await system.status()).components.some(({ name }) => name === "multilog"), false);
    await send(system, ["demo@localhost"]);
    const { code, stderr } = await runTask("trace", ["demo@localhost", "--home", system.home.dir]);
    assertEquals([code, stderr.trim()], [1, "the log has nothing about demo@localhost"]);
  });
});
