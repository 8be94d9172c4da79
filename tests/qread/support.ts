/**
 * Messages for the index, made up.
 * @module
 */
import fc from "fast-check";
import type { Observed } from "../../components/qread/observed.ts";

/** A message that waits, with one remote recipient. */
export function observed(changes: Partial<Observed> & { readonly id: number }): Observed {
  return {
    ...{ sender: "amy@a.example", birthSeconds: 1000, sizeBytes: 100, fresh: false, journal: false, bouncing: false },
    ...{ localSeconds: 0, remoteSeconds: 5000, local: { left: 0, done: 0 }, remote: { left: 1, done: 0 } },
    recipients: ["bob@b.example"],
    ...changes,
  };
}

const address = fc.constantFrom(
  "",
  "amy@a.example",
  "Amy@A.example",
  "amyy@a.example",
  "z\xff@a.example",
  "bob@b.example",
);

/** Messages of which many are alike in what they are sorted by. */
export const anyObserved: fc.Arbitrary<Observed> = fc.record({
  id: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(2 ** 32 + 1, 2 ** 33 + 1)),
  sender: address,
  birthSeconds: fc.nat(3),
  sizeBytes: fc.nat(3),
  fresh: fc.boolean(),
  journal: fc.boolean(),
  bouncing: fc.boolean(),
  localSeconds: fc.constantFrom(0, 10, 4_102_444_800),
  remoteSeconds: fc.constantFrom(0, 5, 20),
  recipients: fc.array(address.filter((one) => one !== ""), { maxLength: 3 }),
}).map((fields) => ({
  ...fields,
  local: { left: 0, done: 0 },
  remote: { left: fields.recipients.length, done: 0 },
}));
