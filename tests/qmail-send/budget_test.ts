/**
 * What a message costs qmail-send, counted: operations on the disk by kind, frames to its neighbours, log lines and
 * timers. The journal and the layout are qmail-queue's own, on a disk in memory.
 */
import { describe, it } from "@std/testing/bdd";
import { assertBudget, type Budget, type Counts } from "../support/budget.ts";
import { byLetter } from "./journal_world.ts";
import { World } from "./world.ts";

/** As many as one segment of these tests has room for. */
const crowd = 10;
const thousand = 1000;

/** Of a message that stands in the layout from its acceptance to its end, for it has many recipients. */
const throughTheLayout = {
  "create info": 1,
  "write info": 1,
  "utime info": 1,
  "sync info": 1,
  "syncdir info": 1,
  "remove info": 1,
  "remove bounce": 1,
  "remove intd": 2,
  "remove todo": 1,
  "remove mess": 1,
  "stat todo": 2,
  "read todo": 1,
  "stat mess": 1,
  "hold mess": 1,
  "exists options": 3,
  "stat info": 1,
  "stat local": 2,
  "stat remote": 2,
  "stat bounce": 2,
  "stat delayed": 1,
  "frames to qmail-clean": 2,
} satisfies Budget;

/** To lower a figure, lower it here. What is read or looked for is counted as well, and so is what qmail-clean removes. */
const budgets = {
  "a message delivered locally at once": {
    "frames to qmail-lspawn": 1,
    "frames to qmail-queue": 1,
    "log lines": 7,
  },
  "10 messages delivered at once": {
    "frames to qmail-lspawn": 10,
    "frames to qmail-queue": 1,
    "log lines": 70,
  },
  "a message deferred": {
    "create local": 1,
    "write local": 1,
    "sync local": 1,
    "syncdir local": 1,
    "create info": 1,
    "write info": 1,
    "utime info": 1,
    "sync info": 1,
    "syncdir info": 1,
    "remove intd": 1,
    "remove todo": 1,
    "utime local": 1,
    "stat info": 1,
    "stat local": 2,
    "stat remote": 1,
    "stat bounce": 1,
    "stat delayed": 1,
    "frames to qmail-lspawn": 1,
    "frames to qmail-queue": 1,
    "frames to qmail-clean": 1,
    "timers": 1,
    "log lines": 7,
  },
  "its second attempt, which delivers it": {
    "open local": 1,
    "write local": 1,
    "remove local": 1,
    "remove bounce": 1,
    "remove info": 1,
    "remove intd": 1,
    "remove mess": 1,
    "stat local": 3,
    "read info": 1,
    "stat info": 1,
    "exists options": 3,
    "read local": 1,
    "stat remote": 1,
    "stat bounce": 1,
    "hold mess": 1,
    "frames to qmail-lspawn": 1,
    "frames to qmail-clean": 1,
    "log lines": 5,
  },
  "its second attempt, which bounces": {
    "append bounce": 1,
    "write bounce": 1,
    "sync bounce": 1,
    "syncdir bounce": 1,
    "open local": 1,
    "write local": 1,
    "remove local": 1,
    "remove bounce": 1,
    "remove info": 1,
    "remove intd": 1,
    "remove mess": 1,
    "stat local": 3,
    "read info": 2,
    "stat info": 2,
    "exists options": 4,
    "read local": 1,
    "stat remote": 1,
    "stat bounce": 2,
    "read bounce": 1,
    "stat mess": 1,
    "hold mess": 1,
    "frames to qmail-lspawn": 1,
    "frames to qmail-clean": 1,
    "bounces to qmail-queue": 1,
    "log lines": 5,
  },
  "a message that bounces": {
    "frames to qmail-lspawn": 1,
    "frames to qmail-queue": 1,
    "bounces to qmail-queue": 1,
    "log lines": 7,
  },
  "a message for 1,000 local recipients": {
    ...throughTheLayout,
    "create local": 1,
    // A letter for each that is done, in the file that stays open for them.
    "write local": 1 + thousand,
    "sync local": 1,
    "syncdir local": 1,
    "open local": 1,
    "remove local": 1,
    "frames to qmail-lspawn": thousand,
    "log lines": 3 + 4 * thousand,
  },
  "a message for 1,000 recipients of one remote domain": {
    ...throughTheLayout,
    "create remote": 1,
    // The letters of one delivery together.
    "write remote": 1 + thousand / 100,
    "sync remote": 1,
    "syncdir remote": 1,
    "open remote": 1,
    "remove remote": 1,
    // A hundred in one delivery.
    "frames to qmail-rspawn": thousand / 100,
    "log lines": 3 + 2 * thousand + 2 * thousand / 100,
  },
} satisfies Readonly<Record<string, Budget>>;

const look = {
  "frames to qmail-lspawn": "components/qmail-send/dispatcher.ts, run.ts",
  "frames to qmail-rspawn": "components/qmail-send/dispatcher.ts, destinations.ts: recipients of a domain go together",
  "frames to qmail-queue": "components/qmail-send/journal_link.ts: all that is done in one turn is said at once",
  "frames to qmail-clean": "components/qmail-send/cleaner.ts",
  "bounces to qmail-queue": "components/qmail-send/attempts.ts",
  "log lines": "components/qmail-send/log_lines.ts",
  "timers": "components/qmail-send/retry_timer.ts, dispatcher.ts",
};
const diskLook = "components/qmail-send/transitions.ts, settling.ts, store.ts";

/** {@link byLetter}, and what is deferred at first, and then fails. */
const answer = (address: string, attempt: number) =>
  address.startsWith("b") ? attempt > 1 ? "D" : "Z" : byLetter(address, attempt);

/** Operations by kind: what they do, and in which folder of the queue. */
function byKind(operations: readonly string[]): Counts {
  const counts: Record<string, number> = {};
  for (const operation of operations) {
    const [verb = "", path = ""] = operation.split(" ");
    const kind = `${verb} ${path.replace(/^.*\/queue\/([a-z]+).*$/, "$1")}`;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

describe("qmail-send's cost", () => {
  /** What `work` costs. */
  async function during(world: World, work: () => Promise<unknown>): Promise<Counts> {
    const { send, sent, clock, log } = world;
    const before = {
      operations: send.operations.length,
      looks: send.looks.length,
      sent: sent.now(),
      timers: send.timers,
      lines: log.lines().length,
    };
    await work();
    await clock.settle();
    const others = { "timers": send.timers - before.timers, "log lines": log.lines().length - before.lines };
    return {
      ...byKind(send.operations.slice(before.operations)),
      ...byKind(send.looks.slice(before.looks)),
      ...sent.since(before.sent),
      ...Object.fromEntries(Object.entries(others).filter(([, count]) => count > 0)),
    };
  }

  function check(costs: keyof typeof budgets, counts: Counts): void {
    const kinds = [...Object.keys(counts), ...Object.keys(budgets[costs])];
    assertBudget(costs, counts, budgets[costs], {
      ...Object.fromEntries(kinds.map((kind) => [kind, diskLook])),
      ...look,
    });
  }

  /** A world in use: what is made when it is first needed is there. */
  async function usedWorld(): Promise<World> {
    const world = new World({ segments: 4, answer, controls: { concurrencylocal: 10 } });
    await world.boot();
    await world.accept(["k@localhost"]);
    await world.clock.advance(60);
    return world;
  }

  it("of a message delivered locally at once fits its budget, each time", async () => {
    using world = await usedWorld();
    for (let round = 0; round < 3; round++) {
      check("a message delivered locally at once", await during(world, () => world.accept(["k@localhost"])));
    }
  });

  it("of 10 messages delivered at once fits its budget", async () => {
    using world = await usedWorld();
    const all = () => Promise.all(Array.from({ length: crowd }, (_, n) => world.accept([`k${n}@localhost`])));
    check("10 messages delivered at once", await during(world, all));
  });

  it("of a message deferred, and of its second attempt, fits its budget", async () => {
    using world = await usedWorld();
    check("a message deferred", await during(world, () => world.accept(["z@localhost"])));
    check("its second attempt, which delivers it", await during(world, () => world.clock.advance(101)));
    await world.accept(["bounces@localhost"]);
    check("its second attempt, which bounces", await during(world, () => world.clock.advance(101)));
  });

  it("of a message that bounces fits its budget", async () => {
    using world = await usedWorld();
    check("a message that bounces", await during(world, () => world.accept(["d@localhost"])));
  });

  it("of a message for 1,000 recipients fits its budget", async () => {
    using world = await usedWorld();
    const recipients = (domain: string) => Array.from({ length: thousand }, (_, n) => `k${n}@${domain}`);
    const send = (domain: string) => async () => {
      await world.accept(recipients(domain));
      await world.clock.advance(60);
    };
    check("a message for 1,000 local recipients", await during(world, send("localhost")));
    check("a message for 1,000 recipients of one remote domain", await during(world, send("r.example")));
  });
});
