import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { StartOrder } from "../../components/supervisor/start_order.ts";

const never = 2 ** 30;

/** Processes that note when they are started, and are ready when they are told so. */
function world(headStartMs = never, first: readonly string[] = ["smtpd", "queue"]) {
  const started: string[] = [];
  const all = new Set<() => void>();
  const unit = (name: string) => ({
    ready: false,
    start: () => {
      started.push(name);
      for (const tell of all) tell();
    },
  });
  const units = first.map(unit);
  const order = new StartOrder(units, [unit("send"), unit("admin")], headStartMs);
  const allStarted = new Promise<void>((resolve) => all.add(() => started.length === 4 && resolve()));
  return { order, units, started, allStarted };
}

describe("StartOrder", () => {
  it("starts the others when all that go first are ready, once", () => {
    const { order, units, started } = world();
    order.begin();
    order.check();
    assertEquals(started, ["smtpd", "queue"]);
    units[0]!.ready = true;
    order.check();
    assertEquals(started, ["smtpd", "queue"]);
    units[1]!.ready = true;
    order.check();
    order.check();
    order.startOthers();
    assertEquals(started, ["smtpd", "queue", "send", "admin"]);
  });

  it("starts them after a while where one is never ready", async () => {
    const { order, started, allStarted } = world(1);
    order.begin();
    await allStarted;
    assertEquals(started, ["smtpd", "queue", "send", "admin"]);
  });

  it("starts all at once where nobody goes first", () => {
    const { order, started } = world(never, []);
    order.begin();
    assertEquals(started, ["send", "admin"]);
  });

  it("starts nobody any more who was dropped", () => {
    const { order, units, started } = world();
    order.begin();
    order.drop();
    for (const unit of units) unit.ready = true;
    order.check();
    assertEquals(started, ["smtpd", "queue"]);
  });
});
