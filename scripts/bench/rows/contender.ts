/**
 * Whoever is measured for the table: dqmail, a server of another make that we start, or one that runs already.
 * @module
 */
import { type Starter, startServer } from "../server.ts";
import type { MeasurementName } from "./measurements.ts";
import type { PeerName } from "./table_rows.ts";

export interface Contender {
  readonly key: "own" | PeerName;
  /** With its version, where that is known. */
  readonly name: string;
  /** When a message is on the disk, and what else a reader has to know. */
  readonly notes: readonly string[];
  /** What is measured of it; all, unless given. */
  readonly only?: readonly MeasurementName[];
  /** What is not measured of it, and why. */
  readonly without?: Readonly<Partial<Record<MeasurementName, string>>>;
  /** Undefined: it runs already. */
  readonly start: Starter | undefined;
}

/** A private dqmail. */
export const dqmail: Contender = {
  key: "own",
  name: "dqmail",
  notes: ["dqmail: content and envelope are on the disk before the 250."],
  start: startServer,
};
