import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Entry, LinkedList } from "../../components/qmail-send/linked_list.ts";

describe("LinkedList", () => {
  it("does what an array does, also when entries move from list to list", () => {
    const anyStep = fc.record({
      kind: fc.constantFrom("addFirst", "addLast", "leave"),
      entry: fc.nat(5),
      list: fc.nat(1),
    });
    fc.assert(fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
      const entries = Array.from({ length: 6 }, (_, value) => new Entry(value));
      const lists = [new LinkedList<number>(), new LinkedList<number>()];
      const models: number[][] = [[], []];
      for (const { kind, entry, list } of steps) {
        for (const [at, model] of models.entries()) models[at] = model.filter((value) => value !== entry);
        if (kind === "leave") entries[entry]!.leave();
        else if (kind === "addFirst") {
          lists[list]!.addFirst(entries[entry]!);
          models[list]!.unshift(entry);
        } else {
          lists[list]!.addLast(entries[entry]!);
          models[list]!.push(entry);
        }
        for (const [at, model] of models.entries()) {
          assertEquals([lists[at]!.first, lists[at]!.last, lists[at]!.size], [model[0], model.at(-1), model.length]);
        }
      }
      for (const [at, model] of models.entries()) {
        const taken: number[] = [];
        for (let first = lists[at]!.first; first !== undefined; first = lists[at]!.first) {
          taken.push(first);
          entries[first]!.leave();
        }
        assertEquals(taken, model);
      }
    }));
  });
});
