/**
 * A process to be kept up, or to be started when it is needed, with those before it that are still on their way out: a server's successor is ready before the
 * old one is told to go, so that the port is never closed.
 * @module
 */
import type { Manifest } from "../lib/permissions/grant.ts";
import type { ComponentStatus } from "../lib/wire/status_protocol.ts";
import { Child, type ChildOptions } from "./child.ts";

/** Milliseconds a component may take to end, by its place in the order; all together stay below five seconds. */
const stopLimitMs: Readonly<Record<number, number>> = { 1: 1800, 2: 1500, 3: 600, 4: 400, 5: 300, 6: 390 };
/** And beside its successor: a little more than a server gives its clients then. */
const handOverLimitMs = 65_000;

export function stopLimitOf(manifest: Manifest): number {
  return stopLimitMs[manifest.stopOrder] ?? 500;
}

export class Unit {
  readonly manifest: Manifest;
  /** False while it is being stopped for good, since a reload has no use for it. */
  wanted = true;
  #child: Child;
  /** It is not to run before it is needed. */
  #asleep: boolean;
  #onDemand: boolean;
  /** It was asleep, and is not ready yet. */
  #waking = false;
  /** They have a successor, or will have one when it is ready. */
  readonly #leaving = new Set<Child>();
  /** A process that is not ours holds the ports until we are ready. */
  #besideAnother: boolean;

  /** `onDemand`: it sleeps until {@link wake}, and again when it has ended for want of work. */
  constructor(manifest: Manifest, options: ChildOptions, { besideAnother = false, onDemand = false } = {}) {
    this.manifest = manifest;
    this.#onDemand = onDemand;
    this.#asleep = onDemand;
    this.#besideAnother = besideAnother && manifest.overlaps === true;
    this.#child = new Child(this.#ofOurs(options));
  }

  #ofOurs(options: ChildOptions): ChildOptions {
    return {
      ...options,
      isSuccessor: () => this.#besideAnother || this.#leaving.size > 0,
      onReady: () => {
        this.#besideAnother = false;
        this.#waking = false;
        for (const child of this.#leaving) this.#dismiss(child);
        options.onReady();
      },
      onIdle: () => {
        this.#asleep = true;
        options.onIdle();
      },
    };
  }

  get ready(): boolean {
    return this.#child.ready;
  }

  get onDemand(): boolean {
    return this.#onDemand;
  }

  /** What is not on demand any more is woken. */
  set onDemand(onDemand: boolean) {
    this.#onDemand = onDemand;
    if (!onDemand) this.wake();
  }

  /** Nothing is missing though it does not run. */
  get spared(): boolean {
    return this.#asleep || this.#waking;
  }

  get asleep(): boolean {
    return this.#asleep;
  }

  /** Somebody needs it. Whether it slept. */
  wake(): boolean {
    if (!this.#asleep) return false;
    this.#asleep = false;
    this.#waking = true;
    // The last one may still be ending.
    void this.#child.ended.then(() => this.#child.start());
    return true;
  }

  get restarts(): number {
    return this.#child.restarts;
  }

  /** Whether it has ended, and is to be started again. */
  get isWaiting(): boolean {
    return this.#child.waits;
  }

  get ports(): Readonly<Record<string, number>> {
    return this.#child.ports;
  }

  set options(options: ChildOptions) {
    this.#child.options = this.#ofOurs(options);
  }

  /** Starts it, on demand or not. */
  start(): void {
    this.#asleep = this.#waking = false;
    this.#child.start();
  }

  signal(signal: Deno.Signal): void {
    this.#child.signal(signal);
  }

  /** Has a process with the options of now take the place of the one that runs. */
  restart(options: ChildOptions): void {
    if (this.#asleep) {
      this.options = options;
      return;
    }
    this.#waking = false;
    if (this.manifest.overlaps !== true || !this.#child.runs) {
      this.options = options;
      return this.#child.restart(stopLimitOf(this.manifest));
    }
    this.#leaving.add(this.#child);
    this.#child = new Child(this.#ofOurs(options), this.#child);
    this.#child.start();
  }

  #dismiss(child: Child): void {
    void child.handOver(handOverLimitMs).then(() => this.#leaving.delete(child));
  }

  /**
   * Makes room for a process of another supervisor; {@link comeBack} undoes it. Settles when the ended one can no longer be
   * in the way: a server that ends beside its successor is not.
   */
  async retire(): Promise<void> {
    const child = this.#child;
    if (this.manifest.overlaps !== true) return await child.stop(stopLimitOf(this.manifest));
    this.#leaving.add(child);
    this.#child = new Child(child.options, child);
    this.#dismiss(child);
  }

  comeBack(): void {
    this.#besideAnother = this.manifest.overlaps === true;
    this.start();
  }

  async stop(): Promise<void> {
    // Whoever is still at work gets no help any more that does not run yet.
    this.#asleep = false;
    const limitMs = stopLimitOf(this.manifest);
    await Promise.all([this.#child, ...this.#leaving].map((child) => child.stop(limitMs)));
  }

  /** Settles when everybody who has a successor is gone. */
  async left(): Promise<void> {
    await Promise.all(Array.from(this.#leaving, (child) => child.ended));
  }

  status(nowMs: number): ComponentStatus[] {
    const [own, ...helpers] = this.#child.status(nowMs);
    return [{ ...own!, state: this.#asleep && own!.pid === undefined ? "asleep" : own!.state }, ...helpers];
  }
}
