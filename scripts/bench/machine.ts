/**
 * What was measured on: figures mean little without it.
 * @module
 */
import { round } from "./statistics.ts";

export interface Machine {
  readonly loadAverage: number;
  readonly cores: number;
  readonly memoryMib: number;
  readonly kernel: string;
  readonly deno: string;
}

/** For a page: when, and on what. */
export function describeDay({ date, machine }: { readonly date: string; readonly machine: Machine }): string {
  return `${date.slice(0, 16).replace("T", " ")} UTC; ${machine.cores} cores, ${machine.memoryMib} MiB, ` +
    `Linux ${machine.kernel}, Deno ${machine.deno}`;
}

/** This machine, as it is now. */
export function describeMachine(): Machine {
  return {
    loadAverage: round(Deno.loadavg()[0] ?? 0, 2),
    cores: navigator.hardwareConcurrency,
    memoryMib: Math.round(Deno.systemMemoryInfo().total / (1 << 20)),
    kernel: Deno.osRelease(),
    deno: Deno.version.deno,
  };
}
