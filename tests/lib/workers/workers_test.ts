import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import type { Controlling } from "../../../components/lib/wire/getpw_protocol.ts";
import { mostWorkers } from "../../../components/lib/workers/pool.ts";
import { type UserProcess, Workers } from "../../../components/lib/workers/workers.ts";

class FakeProcess implements UserProcess {
  underWay = 0;
  closed = false;
  readonly #gone = Promise.withResolvers<void>();
  readonly ended = this.#gone.promise;
  readonly #onClose: () => void;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#onClose();
    this.#gone.resolve();
  }
}

function user(uid: number, isVirtual = false): Controlling {
  return {
    kind: "account",
    isVirtual,
    domain: "",
    user: `u${uid}`,
    uid,
    gid: uid,
    home: `/home/u${uid}`,
    dash: "",
    extension: "",
  };
}

/** Workers, with how many processes there are and have been. */
function world() {
  const count = { alive: 0, most: 0, started: 0 };
  const workers = new Workers(() => {
    count.started++;
    count.most = Math.max(count.most, ++count.alive);
    return new FakeProcess(() => count.alive--);
  });
  const order: number[] = [];
  /** One delivery, under way until `done`. */
  const deliver = (uid: number, done: Promise<void> = Promise.resolve(), kind: "account" | "virtual" = "account") =>
    workers.with(kind, user(uid), async (process) => {
      process.underWay++;
      await done;
      process.underWay--;
      order.push(uid);
      return uid;
    });
  return { workers, count, order, deliver };
}

describe("Workers", () => {
  it("serve a thousand users at once with no more processes than their cap, each in his turn", async () => {
    const { workers, count, order, deliver } = world();
    const uids = Array.from({ length: 1000 }, (_, at) => at + 1);
    assertEquals(await Promise.all(uids.map((uid) => deliver(uid))), uids);
    assertEquals([order, count.most], [uids, mostWorkers]);
    workers.stop();
    assertEquals(count.alive, 0);
  });

  it("let virtual mailboxes pass when every process is busy with an account that hangs", async () => {
    const { workers, count, deliver } = world();
    const hang = Promise.withResolvers<void>();
    const hanging = Array.from({ length: mostWorkers }, (_, at) => deliver(at + 1, hang.promise));
    const waiting = deliver(1000);
    assertEquals(await deliver(7, Promise.resolve(), "virtual"), 7);
    assertEquals(count.started, mostWorkers + 1);
    hang.resolve();
    assertEquals(await waiting, 1000);
    await Promise.all(hanging);
    workers.stop();
  });

  it("let who has a process use it, though others wait for one", async () => {
    const { workers, deliver } = world();
    const hang = Promise.withResolvers<void>();
    const hanging = Array.from({ length: mostWorkers }, (_, at) => deliver(at + 1, hang.promise));
    const waiting = deliver(1000);
    assertEquals(await deliver(1), 1);
    hang.resolve();
    await Promise.all([...hanging, waiting]);
    workers.stop();
  });

  it("begin new processes once what they may touch has changed, and let the old ones finish", async () => {
    const { workers, count, deliver } = world();
    const underWay = Promise.withResolvers<void>();
    const before = deliver(1, underWay.promise, "virtual");
    workers.renew();
    assertEquals([await deliver(1, Promise.resolve(), "virtual"), count.started, count.alive], [1, 2, 2]);
    underWay.resolve();
    assertEquals(await before, 1);
    workers.stop();
    assertEquals(count.alive, 0);
  });

  it("give a dead process's place to the next", async () => {
    const { workers, deliver } = world();
    const processes: FakeProcess[] = [];
    const hang = Promise.withResolvers<void>();
    const die = Array.from(
      { length: mostWorkers },
      (_, at) =>
        workers.with("account", user(at + 1), async (process) => {
          processes.push(process);
          process.underWay++;
          await hang.promise;
        }),
    );
    const waiting = deliver(1000);
    await Promise.resolve();
    processes[0]!.close();
    assertEquals(await waiting, 1000);
    assert(processes.length === mostWorkers);
    hang.resolve();
    await Promise.all(die);
    workers.stop();
  });
});
