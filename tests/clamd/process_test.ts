import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { clamdJudge } from "../../components/clamd/judge.ts";
import { manifest } from "../../components/clamd/permissions.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { qp } from "../qmail-smtpd/fake_queue.ts";
import { note, world } from "../lib/filters/world.ts";
import { captureLog } from "../support/captured_log.ts";
import { startScanner } from "../support/scanner_process.ts";
import { scriptedServer, untilGone } from "../support/scripted_server.ts";

const clean = "Subject: hi\n\nhello\n";
const infected = "Subject: hi\n\nEICAR\n";

/** Finds one virus, and says nothing to one word. */
async function serve(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  while (!text.endsWith("\0\0\0\0")) {
    const length = await conn.read(buffer);
    if (length === null) return;
    text += fromOctets(buffer.subarray(0, length));
  }
  if (text.includes("hang")) return await untilGone(conn);
  await conn.write(toOctets(text.includes("EICAR") ? "stream: Eicar FOUND\0" : "stream: OK\0"));
}

describe("clamd as a process", () => {
  it("has mail scanned with its grant alone, and uses all of it", async () => {
    await using around = world();
    await using server = scriptedServer(serve);
    await using clamd = await startScanner(around, manifest, { clamd: `127.0.0.1:${server.port}\n` });
    const send = (text: string, chain = ["clamd"]) => around.send([text], { chain, client: note });
    assertEquals(await send(clean), { code: 0, qp });
    assertEquals(await send(infected), { code: 31, qp: 0, text: "Dmessage contains Eicar (#5.7.1)" });
    assertEquals(await send(infected, ["clamd=pass"]), { code: 31, qp: 0, text: "Dmessage contains Eicar (#5.7.1)" });
    assertEquals(around.queue.messages.map(({ content }) => content), [clean]);
    await clamd.stopAndCheckGrant();
    assertEquals(clamd.log.lines().map((line) => line.split(" ip=")[0]), [
      "refused filter=clamd",
      "refused filter=clamd",
    ]);
  });

  it("leaves mail with its sender, or lets it go on, while clamd is away or its own process is killed", async () => {
    await using around = world();
    const port = await (async () => {
      await using server = scriptedServer(serve);
      return server.port;
    })();
    await using clamd = await startScanner(around, manifest, { clamd: `127.0.0.1:${port}\n` });
    const send = (chain: string) => around.send([clean], { chain: [chain], client: note });
    assertEquals((await send("clamd")).code, 71);
    assertEquals((await send("clamd=pass")).code, 0);
    clamd.child.kill("SIGKILL");
    await clamd.child.status;
    assertEquals((await send("clamd")).code, 74);
    assertEquals((await send("clamd=pass")).code, 0);
    assertEquals(around.passedOver.length, 1);
    assertEquals(around.queue.messages.map(({ content }) => content.endsWith(clean)), [true, true]);
  });

  it("leaves mail with its sender, or lets it go on, when clamd hangs", async () => {
    using _log = captureLog();
    await using around = world();
    await using server = scriptedServer(serve);
    const address = { kind: "tcp", host: "127.0.0.1", port: server.port } as const;
    around.filter("clamd", clamdJudge(() => ({ address, whenTooLarge: "pass" })), { budgetMs: 100 });
    const hanging = "Subject: hang\n\nhello\n";
    const send = (chain: string) => around.send([hanging], { chain: [chain], client: note });
    assertEquals((await send("clamd")).code, 71);
    assertEquals((await send("clamd=pass")).code, 0);
    assertEquals(around.queue.messages.map(({ content }) => content.endsWith(hanging)), [true]);
  });
});
