/**
 * Which relay a domain's mail goes to, as the reports on its deliveries told: what one relay takes may travel together.
 * Only a guess where routes have changed since, or the domain is new: qmail-rspawn, which knows, parts what has to be parted.
 * @module
 */
import { Sites } from "./sites.ts";

export class Relays {
  readonly #known = new Sites();
  /** Whom all mail went to so far; "": not all of it to one. */
  #common: string | undefined;

  /** A host and port; "": it goes by MX, or nobody knows. A domain that is new goes where all others went. */
  of(domain: string): string {
    return this.#known.get(domain) ?? this.#common ?? "";
  }

  /** Mail for `domain` went to this relay; "": by MX. */
  learn(domain: string, relay: string): void {
    if (this.#known.get(domain) !== relay) this.#known.set(domain, relay);
    this.#common = this.#common === undefined || this.#common === relay ? relay : "";
  }
}
