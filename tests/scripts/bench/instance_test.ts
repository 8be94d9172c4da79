import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { greets } from "../../../scripts/bench/instance.ts";
import { startSink } from "../../../scripts/bench/sink.ts";

describe("greets()", () => {
  it("tells a server that answers by 220 from a port where nobody listens", async () => {
    const sink = await startSink({ port: 0, delayMs: 0 });
    assertEquals(await greets(sink.port), true);
    await sink[Symbol.asyncDispose]();
    assertEquals(await greets(sink.port), false);
  });
});
