/**
 * Which keys sign: those of the author's domain, or of the nearest domain above it that has some, so that the signature
 * is aligned with From (RFC 7489 §3.1.1); of each algorithm the newest whose day has come.
 * @module
 */
import type { DkimDomains, Selector } from "./dkim_file.ts";

/** RFC 8301 and RFC 8463: what is in use. */
export const algorithms = ["rsa-sha256", "ed25519-sha256"] as const;
export type Algorithm = (typeof algorithms)[number];

/** The UTC day of a moment, as control/dkim writes it. */
export function utcDay(nowSeconds: number): string {
  return new Date(nowSeconds * 1000).toISOString().slice(0, 10);
}

/** The domain of control/dkim that signs mail of `author` (A-labels, lower-cased); undefined: none. */
export function signingDomain(author: string, domains: DkimDomains): string | undefined {
  for (let name = author; name !== "";) {
    if (domains.has(name)) return name;
    const dot = name.indexOf(".");
    name = dot < 0 ? "" : name.slice(dot + 1);
  }
  return undefined;
}

/** Those that sign on `day`, RSA first; of two with the same day the later one in the line. */
export function currentSelectors(
  selectors: readonly Selector[],
  algorithmOf: (selector: Selector) => Algorithm | undefined,
  day: string,
): readonly Selector[] {
  return algorithms.flatMap((algorithm) => {
    let newest: Selector | undefined;
    for (const selector of selectors) {
      if (selector.from > day || algorithmOf(selector) !== algorithm) continue;
      if (newest === undefined || selector.from >= newest.from) newest = selector;
    }
    return newest === undefined ? [] : [newest];
  });
}
