import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { actions } from "../../components/lib/wire/control_protocol.ts";
import type { Verdict } from "../../components/lib/wire/delivery_protocol.ts";
import { CommandsWorld, id } from "./commands_world.ts";

describe("commands and deliveries at the same moment", () => {
  const verdict = fc.constantFrom<Verdict>("K", "Z", "D");
  const event = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("act" as const), action: fc.constantFrom(...actions) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("report" as const), verdict }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ max: 900, min: 0 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("vacate" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("turn" as const), microtasks: fc.integer({ max: 9, min: 1 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
  );
  const recipients = ["a@r.example", "b@s.example", "c@localhost"];

  it("neither lose nor repeat a recipient, send at most one bounce, and none after a delete", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("journal", "todo", "waiting"),
        fc.integer({ min: 1, max: 3 }),
        fc.array(event, { maxLength: 14 }),
        async (place, concurrency, events) => {
          using world = new CommandsWorld({ concurrency });
          world[place as "journal" | "todo" | "waiting"](id, recipients);
          world.answer = () => "hold";
          await world.boot();
          const pending: Promise<unknown>[] = [];
          let deleted = false;
          let restarted = false;
          const failed = new Set<string>();
          for (const event of events) {
            switch (event.kind) {
              case "act":
                // Not waited for: whatever comes next comes at the same moment.
                pending.push(
                  world.manager.commands.act(event.action, id).then(({ done, detail }) =>
                    // The bounce of a message at its end may be on its way: it says so.
                    deleted ||= done && event.action === "delete" && !detail.includes("bounce")
                  ),
                );
                break;
              case "report": {
                const delivery = world.running.shift();
                if (event.verdict === "D") delivery?.addresses.forEach((address) => failed.add(address));
                delivery?.report(event.verdict);
                break;
              }
              case "wait":
                await world.clock.advance(event.seconds);
                break;
              case "vacate":
                world.manager.vacateAll();
                break;
              case "turn":
                for (let n = 0; n < event.microtasks; n++) await Promise.resolve();
                break;
              case "restart":
                await world.clock.settle();
                await world.restart();
                restarted = true;
            }
          }
          await world.clock.settle();
          await Promise.all(pending);
          // From here on everybody is delivered to.
          world.answer = () => "K";
          for (let round = 0; round < 4; round++) {
            await world.report("K");
            await world.clock.advance(1);
            await world.act("release", id);
            await world.act("retry", id);
            await world.clock.advance(1);
          }
          assertEquals(world.disk.files(), {}, "nothing is left");
          assertEquals(world.inJournal, []);
          assertEquals(world.manager.status().messages, 0);
          const counts = new Map<string, number>();
          for (const address of world.delivered) counts.set(address, (counts.get(address) ?? 0) + 1);
          // A restart in a first attempt repeats what was delivered in it.
          if (!restarted) assert([...counts.values()].every((count) => count === 1), "nobody has it twice");
          assert(world.bounces.length <= (restarted ? 2 : 1), "one bounce at the most");
          if (deleted && !restarted) assertEquals(world.bounces, [], "no bounce after a delete");
          if (deleted) return;
          const bounced = world.bounces.map(({ paragraphs }) => paragraphs).join("");
          for (const address of recipients) {
            assert(counts.has(address) || bounced.includes(`<${address}>`), `${address} has it, or its sender knows`);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
