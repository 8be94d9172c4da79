/**
 * Performs what chaos.ts decides on a running system, and counts.
 * @module
 */
import type { System } from "../support/system.ts";
import type { Blow } from "./chaos.ts";

export class Killer {
  readonly #system: System;
  /** By component. */
  readonly kills = new Map<string, number>();
  /** When a process was killed or told to end, one entry for each, since {@link forget}. */
  #disturbancesMs: number[] = [];

  constructor(system: System) {
    this.#system = system;
  }

  get total(): number {
    return this.kills.values().reduce((sum, count) => sum + count, 0);
  }

  get disturbancesMs(): readonly number[] {
    return this.#disturbancesMs;
  }

  forget(): void {
    this.#disturbancesMs = [];
  }

  /** All processes are about to be stopped in order, or were: what is under way may be done again. */
  disturbed(processes: number): void {
    for (let n = 0; n < processes; n++) this.#disturbancesMs.push(Date.now());
  }

  /** Settles when it is done, and the system runs (again). */
  async strike(blow: Blow): Promise<void> {
    const { components } = await this.#system.status();
    switch (blow.kind) {
      case "alarm":
        // One that is starting does not know the signal yet, and would end of it.
        send(components.find(({ name, state }) => name === "qmail-send" && state === "running")?.pid, "SIGALRM");
        return;
      case "components":
        for (const { name, pid } of components) {
          if (!blow.names.includes(name)) continue;
          this.disturbed(1);
          if (send(pid, "SIGKILL")) this.#count(name);
        }
        return;
      case "supervisor":
        this.disturbed(components.length);
        await this.#system.killSupervisor();
        this.#count("supervisor");
        break;
      case "everything":
        this.disturbed(components.length);
        await this.#system.killAll();
        for (const { name, pid } of components) if (pid !== undefined) this.#count(name);
        this.#count("supervisor");
        break;
    }
    await this.#system.start();
    this.disturbed(components.length);
  }

  #count(name: string): void {
    this.kills.set(name, (this.kills.get(name) ?? 0) + 1);
  }
}

/** Whether there was such a process. */
function send(pid: number | undefined, signal: Deno.Signal): boolean {
  if (pid === undefined) return false;
  try {
    Deno.kill(pid, signal);
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}
