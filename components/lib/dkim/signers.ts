/**
 * All keys of control/dkim, ready to sign, and which of them sign a message.
 * @module
 */
import { currentSelectors, signingDomain, utcDay } from "./choose.ts";
import type { DkimDomains } from "./dkim_file.ts";
import type { SigningKey } from "./sign.ts";

export class Signers {
  readonly #domains: DkimDomains;
  readonly #keys: ReadonlyMap<string, SigningKey>;

  /** `keys`: one for each selector of `domains`. */
  constructor(domains: DkimDomains, keys: readonly SigningKey[]) {
    this.#domains = domains;
    this.#keys = new Map(keys.map((key) => [`${key.selector}@${key.domain}`, key]));
  }

  /** Those that sign mail of an author in `domain` (lower-cased A-labels) now; none: it is not signed. */
  forAuthor(domain: string, nowSeconds: number): readonly SigningKey[] {
    const signing = signingDomain(domain, this.#domains);
    if (signing === undefined) return [];
    const keyOf = (name: string) => this.#keys.get(`${name}@${signing}`);
    const algorithmOf = ({ name }: { readonly name: string }) => keyOf(name)?.algorithm;
    const current = currentSelectors(this.#domains.get(signing) ?? [], algorithmOf, utcDay(nowSeconds));
    return current.flatMap(({ name }) => keyOf(name) ?? []);
  }
}
