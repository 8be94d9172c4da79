import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { Deliverer } from "../../../components/lib/delivery/deliverer.ts";
import { parseDeliverFields } from "../../../components/lib/wire/delivery_protocol.ts";
import { type Frame, FrameReader } from "../../../components/lib/wire/frame.ts";
import { microtasks, waitFor } from "../../support/wait.ts";
import { Pipe } from "../../../components/lib/wire/pipe.ts";

/** A deliverer whose deliveries end when they are told to. */
class World {
  /** Ids of the reports of each write. */
  readonly writes: unknown[][] = [];
  readonly #reader = new FrameReader(1024 * 1024);
  readonly #deliveries: (() => void)[] = [];
  readonly deliverer: Deliverer<ReturnType<typeof parseDeliverFields>>;

  constructor(restMs: number) {
    const pipe = new Pipe({
      read: () => Promise.resolve(null),
      write: (octets) => {
        this.writes.push(this.#reader.push(octets.slice()).map(({ head }: Frame) => head["id"]));
        return Promise.resolve(octets.length);
      },
      close: () => {},
    });
    this.deliverer = new Deliverer(pipe, parseDeliverFields, async ({ id }) => {
      await new Promise<void>((resolve) => this.#deliveries.push(resolve));
      return [{ verdict: "K", text: `done ${id}\n` }];
    }, (error) => {
      throw error;
    }, { restMs });
  }

  begin(ids: readonly number[]): void {
    for (const id of ids) {
      const head = { op: "deliver", id, sizeBytes: 0, sender: "", recipients: ["amy@localhost"] };
      this.deliverer.take({ head, body: new Uint8Array(0) });
    }
  }

  async end(count: number): Promise<void> {
    for (const end of this.#deliveries.splice(0, count)) end();
    await microtasks();
  }
}

describe("Deliverer", () => {
  it("reports at once on a delivery that stands alone", async () => {
    const world = new World(1e6);
    world.begin([1]);
    await world.end(1);
    assertEquals(world.writes, [[1]]);
  });

  it("has what ends while it rests after a report wait for the next write, and loses none", async () => {
    const world = new World(1);
    world.begin([1, 2, 3, 4]);
    await world.end(4);
    await waitFor(() => world.writes.flat().length === 4, "all reports");
    assertEquals(world.writes.flat(), [1, 2, 3, 4]);
  });

  it("has said everything when finished() settles, and does not wait for the end of a rest", async () => {
    const world = new World(1e6);
    world.begin([1, 2, 3]);
    await world.end(1);
    await world.end(2);
    assertEquals(world.writes, [[1]]);
    await world.deliverer.finished();
    assertEquals(world.writes, [[1], [2, 3]]);
  });
});
