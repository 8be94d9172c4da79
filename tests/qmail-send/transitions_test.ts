import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Cleaner } from "../../components/qmail-send/cleaner.ts";
import type { JournalLink } from "../../components/qmail-send/journal_link.ts";
import { newMessage } from "../../components/qmail-send/message.ts";
import type { Reports } from "../../components/qmail-send/reports.ts";
import type { Store } from "../../components/qmail-send/store.ts";
import { Transitions } from "../../components/qmail-send/transitions.ts";

describe("Transitions", () => {
  it("moves a few messages at a time, however many leave their first attempt at once, and all of them in the end", async () => {
    let running = 0;
    let most = 0;
    const store: Pick<Store, "writeSplit"> = {
      writeSplit: async () => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        return { local: [], remote: [] };
      },
    };
    const left: number[] = [];
    const transitions = new Transitions(
      store as Store,
      { clean: () => Promise.resolve(true) } as unknown as Cleaner,
      {} as JournalLink,
      {} as Reports,
      {
        bounce: () => Promise.resolve(true),
        asked: () => undefined,
        leftTodo: ({ id }) => left.push(id),
        ended: () => {},
        stopping: () => false,
        nowSeconds: () => 0,
        breathe: () => Promise.resolve(),
      },
    );
    const messages = Array.from(
      { length: 1000 },
      (_, id) => newMessage({ id, birthSeconds: 0, sender: "", place: undefined }, "todo"),
    );
    await Promise.all(messages.map((message) => transitions.moveToSplit(message)));
    assertEquals([most, left], [8, messages.map(({ id }) => id)]);
    assertEquals(messages.every(({ stage, moving }) => stage === "split" && moving === undefined), true);
  });
});
