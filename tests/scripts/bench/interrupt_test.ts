import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { untilAborted } from "../../../scripts/bench/interrupt.ts";

describe("untilAborted()", () => {
  it("settles as the work does", async () => {
    const { signal } = new AbortController();
    assertEquals(await untilAborted(signal, Promise.resolve(7)), 7);
    assertStringIncludes(
      String(await assertRejects(() => untilAborted(signal, Promise.reject(new Error("broken"))))),
      "broken",
    );
  });

  it("rejects at once when it is told to stop, before the work or during it", async () => {
    const stop = new AbortController();
    const during = untilAborted(stop.signal, new Promise(() => {}));
    stop.abort();
    assert((await assertRejects(() => during)) instanceof DOMException);
    assert((await assertRejects(() => untilAborted(stop.signal, new Promise(() => {})))) instanceof DOMException);
  });
});
