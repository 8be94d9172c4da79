import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { SmtpClient } from "../support/smtp_client.ts";
import { startSystem } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const controls = { greylist: "1\n", relayclients: undefined };

describe("tally in a whole system", () => {
  it("has strangers wait, and knows who has waited after its own death", async () => {
    await using system = await startSystem({ controls });
    const send = async (from: string) => {
      using client = await SmtpClient.connect(system.ports["smtp"]!);
      const { recipients, end } = await client.send({ from, to: ["demo@localhost"], content: "hello\n" });
      return end?.code ?? recipients[0]?.code;
    };
    assertEquals(await send("amy@a.example"), 451);
    await waitFor(async () => await send("amy@a.example") === 250, "the wait to be over");
    system.writeControl("greylist", "3600\n");
    assertEquals(await system.reload(), []);
    await system.waitUntilReady();
    const before = system.log.length;
    await system.signal("tally", "SIGKILL");
    await system.waitForLog((line) => line.startsWith("tally: greylist waiting=0 known=1"), 10_000, before);
    await system.waitUntilReady();
    assertEquals(await send("amy@a.example"), 250);
    assertEquals(await send("bob@b.example"), 451);
  });

  it("is started by a reload that gives it something to do, and stopped by one that takes it away", async () => {
    await using system = await startSystem({ controls: { greylist: undefined } });
    const runs = async () => (await system.status()).components.some(({ name }) => name === "tally");
    assertEquals(await runs(), false);
    system.writeControl("greylist", "3600\n");
    assertEquals(await system.reload(), []);
    await system.waitUntilReady();
    assertEquals(await runs(), true);
    Deno.removeSync(system.home.control("greylist"));
    assertEquals(await system.reload(), []);
    await waitFor(async () => !await runs(), "tally's end");
    assertEquals(await system.end(), 0);
  });
});
