/**
 * Quiet moments: what the next crowd will need is made while nobody comes, and not while they do.
 * @module
 */

/** It is quiet when nobody came for so long. */
const quietMs = 100;

export interface QuietWork {
  /** How many have come so far. */
  comers(): number;
  /** Whether more is to be made; false too where it cannot be made now. */
  wants(): boolean;
  /** Makes it, as long as `goOn()`; does not throw. */
  make(goOn: () => boolean): Promise<void>;
}

export class Quiet {
  readonly #work: QuietWork;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #making = false;
  #closed = false;

  constructor(work: QuietWork) {
    this.#work = work;
  }

  /** To be called when more may be wanted. */
  look(): void {
    if (this.#closed || this.#making || this.#timer !== undefined || !this.#work.wants()) return;
    const comers = this.#work.comers();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (comers === this.#work.comers()) void this.#make(comers);
      else this.look();
    }, quietMs);
  }

  async #make(comers: number): Promise<void> {
    this.#making = true;
    await this.#work.make(() => !this.#closed && comers === this.#work.comers() && this.#work.wants());
    this.#making = false;
    this.look();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
