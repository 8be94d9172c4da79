import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Lanes, stalledMs } from "../../components/qmail-lspawn/lanes.ts";

const never = () => {
  throw new Error("nobody's turn");
};

describe("Lanes", () => {
  it("lets so many of an account's deliveries go, and the next when one has ended, in order", () => {
    const lanes = new Lanes();
    const turns: string[] = [];
    assertEquals([lanes.enter("dora", 2, 0, never), lanes.enter("dora", 2, 1, never)], ["go", "go"]);
    assertEquals(lanes.enter("dora", 2, 2, () => turns.push("third")), "wait");
    assertEquals(lanes.enter("dora", 2, 3, () => turns.push("fourth")), "wait");
    assertEquals(lanes.enter("finn", 2, 3, never), "go");
    lanes.leave("dora", 0, 4);
    assertEquals(turns, ["third"]);
    lanes.leave("dora", 4, 5);
    assertEquals(turns, ["third", "fourth"]);
  });

  it("says no at once where nothing has moved for a while, and yes again when something has", () => {
    const lanes = new Lanes();
    assertEquals(lanes.enter("dora", 1, 0, never), "go");
    assertEquals(lanes.enter("dora", 1, stalledMs, never), "busy");
    assertEquals(lanes.enter("finn", 1, stalledMs, never), "go");
    lanes.leave("dora", 0, stalledMs);
    assertEquals(lanes.enter("dora", 1, stalledMs, never), "go");
  });

  it("has those give up who wait for what does not move, and nobody else", () => {
    const lanes = new Lanes();
    lanes.enter("dora", 1, 0, never);
    assertEquals(lanes.enter("dora", 1, 1, never), "wait");
    assertEquals(lanes.giveUp("dora", stalledMs - 1, never), false);
    assertEquals(lanes.giveUp("dora", stalledMs, never), true);
    assertEquals(lanes.giveUp("dora", stalledMs, never), false);
    lanes.leave("dora", 0, stalledMs);
  });

  it("never has more of one account under way than its share, and forgets nobody", () => {
    const step = fc.record({ account: fc.constantFrom("a", "b"), leaves: fc.boolean(), afterMs: fc.nat(1000) });
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, most) => {
      const lanes = new Lanes();
      const running: { account: string; begunMs: number }[] = [];
      let [waiting, nowMs] = [0, 0];
      const leave = (at: number) => {
        const [{ account, begunMs }] = running.splice(at, 1) as [typeof running[0]];
        lanes.leave(account, begunMs, nowMs);
      };
      for (const { account, leaves, afterMs } of steps) {
        nowMs += afterMs;
        const at = running.findIndex((one) => one.account === account);
        if (leaves && at >= 0) leave(at);
        else {
          const entry = lanes.enter(account, most, nowMs, (begunMs) => {
            waiting--;
            running.push({ account, begunMs });
          });
          if (entry === "go") running.push({ account, begunMs: nowMs });
          if (entry === "wait") waiting++;
        }
        for (const name of ["a", "b"]) assert(running.filter(({ account }) => account === name).length <= most);
      }
      while (running.length > 0) leave(0);
      assertEquals(waiting, 0);
    }));
  });
});
