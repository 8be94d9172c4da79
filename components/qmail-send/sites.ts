/**
 * Which site a domain's mail goes to, as the reports on its deliveries told: domains of one provider are paced together.
 * @module
 */

/** Domains that are remembered. */
export const mostDomains = 20_000;

/**
 * By domain, bounded: those that were neither heard of nor asked for lately go first. Two generations: what is used moves
 * into the young one; when that holds half of all it becomes the old one, and what is left in the one before is forgotten.
 */
export class Sites {
  #young = new Map<string, string>();
  #old = new Map<string, string>();
  readonly #half: number;

  constructor(most = mostDomains) {
    this.#half = Math.max(1, Math.floor(most / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Undefined: nothing is known of it. */
  get(domain: string): string | undefined {
    const young = this.#young.get(domain);
    if (young !== undefined) return young;
    const old = this.#old.get(domain);
    if (old !== undefined) this.set(domain, old);
    return old;
  }

  set(domain: string, site: string): void {
    this.#old.delete(domain);
    this.#young.set(domain, site);
    if (this.#young.size < this.#half) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
