/**
 * Who is started before whom. What mail comes in by goes first and alone: a dozen processes that load at a time hold each
 * other up, and clients are refused until the port is open.
 * @module
 */

/** What of a unit matters here. */
export interface Startable {
  readonly ready: boolean;
  start(): void;
}

/** So long the others wait at the most. */
const usualHeadStartMs = 500;

export class StartOrder {
  readonly #first: readonly Startable[];
  #others: readonly Startable[];
  readonly #headStartMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(first: readonly Startable[], others: readonly Startable[], headStartMs = usualHeadStartMs) {
    this.#first = first;
    this.#others = others;
    this.#headStartMs = headStartMs;
  }

  begin(): void {
    this.#timer = setTimeout(() => this.startOthers(), this.#headStartMs);
    for (const unit of this.#first) unit.start();
    this.check();
  }

  /** To be called when one has become ready. */
  check(): void {
    if (this.#first.every(({ ready }) => ready)) this.startOthers();
  }

  /** Nobody waits any more. */
  startOthers(): void {
    this.drop().forEach((unit) => unit.start());
  }

  /** Those that have not been started are not, by this; answers them. */
  drop(): readonly Startable[] {
    clearTimeout(this.#timer);
    const others = this.#others;
    this.#others = [];
    return others;
  }
}
