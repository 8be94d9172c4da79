/**
 * A supervisor that takes the place of another one, component by component, without a port being closed: what it says to the
 * other on that one's socket, and in what order it goes about it. Where a component does not become ready the other one
 * takes everything back.
 *
 * On the socket `supervisor`: `about` tells how the running one was started, and which of these protocols it speaks;
 * `upgrade` (of `deno task upgrade`, answered at the end with `defects`) has the successor started; the successor says
 * `take-over` first, `retire` with a `component`, and at the end `taken`, or `resume` with a `reason`.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { logEvent } from "../lib/log/log.ts";
import { CannotStart } from "../lib/process/component.ts";
import { Client } from "../lib/wire/client.ts";
import type { Unit } from "./unit.ts";

/** Of what two supervisors say to each other. Another number: the one that runs cannot hand over to this one. */
export const handOverProtocol = 1;

/** How long a component may take to become ready; one that ends before that has failed at once. */
const readyLimitMs = 30_000;
const lookMs = 15;

export class Predecessor {
  readonly #client: Client;

  constructor(home: Home) {
    this.#client = new Client(home.socket("supervisor"));
  }

  /** Throws where there is none, or where it has not asked for a successor. */
  async begin(): Promise<void> {
    const { head } = await this.#client.request({ op: "take-over", protocol: handOverProtocol });
    if (head["ready"] !== true) throw new CannotStart("the supervisor that runs asked for no successor");
  }

  /** Has it end its process of that name, if it has one. */
  async retire(component: string): Promise<void> {
    await this.#client.request({ op: "retire", component });
  }

  /** Everything is taken: it may go. */
  async taken(): Promise<void> {
    await this.#client.request({ op: "taken" });
    this.#client.close();
  }

  /** Has it start again what it has retired; settles when that is ready. */
  async resume(reason: string): Promise<void> {
    await this.#client.request({ op: "resume", reason });
    this.#client.close();
  }
}

/**
 * The order in which nothing is refused: first what the servers need, one after the other, while the servers wait for it;
 * then the servers; last the one that keeps the log, which hears of all that.
 */
export function takingOrder<U extends { readonly manifest: Unit["manifest"] }>(
  units: ReadonlyMap<string, U>,
  logKeeper: string,
): readonly (readonly [name: string, unit: U])[] {
  const rank = ({ manifest }: U) => manifest.name === logKeeper ? 2 : manifest.overlaps === true ? 1 : 0;
  return [...units].sort(([, a], [, b]) => rank(a) - rank(b) || b.manifest.stopOrder - a.manifest.stopOrder);
}

/** Settles when it is ready. Throws where it ends before, or takes too long. */
async function becomeReady(name: string, unit: Unit): Promise<void> {
  const endMs = Date.now() + readyLimitMs;
  unit.start();
  const { restarts } = unit;
  while (!unit.ready) {
    if (unit.restarts !== restarts || unit.isWaiting) throw new Error(`${name} ended before it was ready`);
    if (Date.now() > endMs) throw new Error(`${name} was not ready after ${readyLimitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

/** Takes everything over. Throws CannotStart where that failed; then the other one has it all again. */
export async function takeOver(units: ReadonlyMap<string, Unit>, predecessor: Predecessor, logKeeper: string) {
  const order = takingOrder(units, logKeeper);
  try {
    for (const [name, unit] of order) {
      const overlaps = unit.manifest.overlaps === true;
      if (!overlaps) await predecessor.retire(name);
      await becomeReady(name, unit);
      if (overlaps) await predecessor.retire(name);
      logEvent("taken-over", { component: name });
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    logEvent("not-taken-over", { reason });
    const stop = (which: boolean) =>
      Promise.all(
        order.filter(([, { manifest }]) => (manifest.overlaps === true) === which).map(([, unit]) => unit.stop()),
      );
    await stop(false);
    // The servers that are there serve until the others are back.
    await predecessor.resume(reason).catch(() => {});
    await stop(true);
    throw new CannotStart(reason);
  }
}
