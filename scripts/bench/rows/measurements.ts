/**
 * What is measured for the table of goals: each measurement is one scenario with its settings, and gives one figure or more.
 * @module
 */

/** How a measurement is made. */
export type Measurement =
  /** A scenario of `deno task bench`, by its command line. */
  | { readonly kind: "load"; readonly argv: readonly string[] }
  /** Memory, at rest and with connections that say nothing. */
  | { readonly kind: "idle" }
  /** From the start's command to the first 220. */
  | { readonly kind: "start" };

/** Together they must not fill the disk: what is accepted is held, by each server. */
const large = (size: number, messages: number) => ["--size", String(size), "--messages", String(messages)];

/** By the name that `--rows` takes. */
export const measurements = {
  "accept-1k": load("accept", "--size", "1024"),
  "accept": load("accept"),
  "accept-kept": load("accept", "--reuse"),
  "accept-100k": load("accept", ...large(102_400, 500), "--warmup", "100"),
  "accept-1m": load("accept", ...large(1_048_576, 100), "--warmup", "20"),
  "accept-one": load("accept", "--sessions", "1", "--messages", "500"),
  "local": load("local", "--users", "1", "--messages", "1000"),
  "local-100": load("local", "--messages", "1000"),
  "relay": load("relay", "--messages", "1000"),
  "relay-kept": load("relay", "--reuse", "--messages", "1000"),
  "bulk": load("bulk"),
  "bulk-domains": load("bulk", "--domains", "1000"),
  "bulk-slow": load("bulk", "--recipients", "1000", "--delay-ms", "500"),
  "bulk-local": load("bulk", "--mailboxes"),
  "bulk-local-100": load("bulk", "--mailboxes", "--users", "100", "--recipient", "u%u-%n@localhost"),
  "idle": { kind: "idle" },
  "start": { kind: "start" },
} as const satisfies Readonly<Record<string, Measurement>>;

function load(...argv: string[]): Measurement {
  return { kind: "load", argv };
}

export type MeasurementName = keyof typeof measurements;

/** In the table's order. */
export const measurementNames = Object.keys(measurements) as readonly MeasurementName[];
