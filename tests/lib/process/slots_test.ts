import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertRejects } from "@std/assert";
import { Slots } from "../../../components/lib/process/slots.ts";

describe("Slots", () => {
  it("runs only so many at once and the others in turn", async () => {
    const slots = new Slots(2, 10);
    const gates = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const begun: number[] = [];
    const all = gates.map((gate, at) => slots.runUnlessFull(() => (begun.push(at), gate.promise)));
    assertEquals(begun, [0, 1]);
    gates[1]!.resolve();
    await all[1];
    await Promise.resolve();
    assertEquals(begun, [0, 1, 2]);
    gates.forEach((gate) => gate.resolve());
    await Promise.all(all);
  });

  it("refuses when too many wait", async () => {
    const slots = new Slots(1, 1);
    const gate = Promise.withResolvers<string>();
    const first = slots.runUnlessFull(() => gate.promise);
    const second = slots.runUnlessFull(() => Promise.resolve("second"));
    assertEquals(await slots.runUnlessFull(() => Promise.resolve("third")), undefined);
    gate.resolve("first");
    assertEquals(await Promise.all([first, second]), ["first", "second"]);
  });

  it("frees the slot of work that failed", async () => {
    const slots = new Slots(1, 1);
    await assertRejects(() => slots.runUnlessFull(() => Promise.reject(new Error("no"))));
    assertEquals(await slots.runUnlessFull(() => Promise.resolve("next")), "next");
  });
});
