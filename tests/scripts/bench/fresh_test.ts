import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { sendFresh } from "../../../scripts/bench/fresh.ts";
import { startSink } from "../../../scripts/bench/sink.ts";

const recipients = ["a@x.example", "b@y.example"];

describe("sendFresh()", () => {
  it("sends numbered messages to its recipients in turn, and tells when each was accepted", async () => {
    await using sink = await startSink({ port: 0, delayMs: 0 });
    sink.reset(50);
    const job = { host: "127.0.0.1", port: sink.port, recipients, messages: 3, everyMs: 1, firstNumber: 50 };
    const sent = await sendFresh(job);
    assertEquals(sent.map(({ running, recipient }) => [running, recipient]), [
      [50, "a@x.example"],
      [51, "b@y.example"],
      [52, "a@x.example"],
    ]);
    assertEquals([...sink.arrivals().keys()], [50, 51, 52]);
    for (const { running, acceptMs, acceptedAtMs } of sent) {
      assert(acceptMs > 0 && acceptedAtMs >= (sink.arrivals().get(running) ?? Infinity));
    }
  });

  it("stops when it is over, but not before each recipient has had one", async () => {
    await using sink = await startSink({ port: 0, delayMs: 0 });
    const job = { host: "127.0.0.1", port: sink.port, recipients, messages: 9, everyMs: 1, firstNumber: 0 };
    const sent = await sendFresh({ ...job, over: () => true });
    assertEquals(sent.map(({ recipient }) => recipient), recipients);
  });

  it("rejects where nobody listens", async () => {
    const { port } = await startSink({ port: 0, delayMs: 0 }).then(async (sink) => {
      await sink[Symbol.asyncDispose]();
      return sink;
    });
    const job = { host: "127.0.0.1", port, recipients, messages: 3, everyMs: 1, firstNumber: 0 };
    assertStringIncludes(String(await assertRejects(() => sendFresh(job))), "Cannot send to a@x.example");
  });
});
