/**
 * From the control files to a chain: what a server, or whoever else brings mail, asks for each message.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import type { Controls } from "../../../config/schema.ts";
import { describeError, log, logEvent } from "../log/log.ts";
import { chainFor, type Way } from "./chain.ts";
import type { ClientNote } from "./filter.ts";
import { Hops, type Patience } from "./hand_on.ts";
import type { Route } from "./route.ts";

/** Control files that say who looks at a message. */
export type FilterControls = Pick<Controls, "filters" | "filterbytes" | "filterlarge">;

/** Whom messages of a way go through; undefined: nobody. */
export function routeOf(
  { filters, filterbytes, filterlarge }: FilterControls,
  way: Way,
  client: ClientNote | undefined,
): Route | undefined {
  const chain = chainFor(filters, way);
  return chain.length === 0 ? undefined : { client, chain, largestBytes: filterbytes, large: filterlarge };
}

/** The connections to filters of one process, which says in the log whom messages went on without. */
export function loggingHops(home: Home, patience?: Patience): Hops {
  return new Hops(home, {
    ...(patience === undefined ? {} : { patience }),
    onPassedOver: (filter, reason) => logEvent("passed-over", { filter, reason }),
    onSurprise: (error) => log(`alert: cannot hand a message on: ${describeError(error)}`),
  });
}
