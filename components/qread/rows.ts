/**
 * A message as a row of a page.
 * @module
 */
import { heldSeconds } from "../lib/queue/held.ts";
import { type ListedRow, mostRowAddresses } from "../lib/wire/qread_protocol.ts";
import { nextSecondsOf, type Observed, stateOf } from "./observed.ts";

export function rowOf(observed: Observed, nowSeconds: number): ListedRow {
  const { id, sender, birthSeconds, sizeBytes, local, remote, recipients, fresh, journal, bouncing } = observed;
  const next = nextSecondsOf(observed);
  return {
    ...{ id, sender, birthSeconds, sizeBytes, local, remote },
    recipients: recipients.slice(0, mostRowAddresses),
    ...next === 0 || next >= heldSeconds ? {} : { nextSeconds: next },
    ...{ state: stateOf(fresh, next, nowSeconds), journal, bouncing },
  };
}
