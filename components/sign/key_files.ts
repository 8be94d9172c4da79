/**
 * Reads the keys that control/dkim names.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { DkimDomains } from "../lib/dkim/dkim_file.ts";
import { parsePrivateKey, type PrivateKey, signingKey } from "../lib/dkim/keys.ts";
import { Signers } from "../lib/dkim/signers.ts";
import { describeError } from "../lib/log/log.ts";
import { err, ok, type Result } from "../lib/result.ts";

/** A key and where it belongs. */
interface NamedKey {
  readonly domain: string;
  readonly selector: string;
  readonly key: PrivateKey;
}

export interface KeyRing {
  readonly domains: DkimDomains;
  readonly keys: readonly NamedKey[];
}

/** All of them, or a line for each that cannot be read: one missing key would be mail that goes unsigned for weeks. */
export function readKeys(home: Home, domains: DkimDomains): Result<KeyRing, readonly string[]> {
  const defects: string[] = [];
  const keys: NamedKey[] = [];
  for (const [domain, selectors] of domains) {
    for (const { name: selector } of selectors) {
      const path = home.dkim(domain, `${selector}.pem`);
      try {
        const parsed = parsePrivateKey(Deno.readTextFileSync(path));
        if (parsed.ok) keys.push({ domain, selector, key: parsed.value });
        else defects.push(`Cannot read key ${path}: ${parsed.error}`);
      } catch (error) {
        defects.push(`Cannot read key ${path}: ${describeError(error)}`);
      }
    }
  }
  return defects.length === 0 ? ok({ domains, keys }) : err(defects);
}

/** The keys, ready to sign. */
export async function signersOf({ domains, keys }: KeyRing): Promise<Signers> {
  const ready = await Promise.all(keys.map(({ domain, selector, key }) => signingKey(domain, selector, key)));
  return new Signers(domains, ready);
}
