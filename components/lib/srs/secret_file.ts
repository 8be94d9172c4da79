/**
 * control/srssecret: one secret a line. The first makes return paths, all of them are good to check one: for a new one,
 * put it above the old one, which goes when no bounce can be under way any more. A file without a secret: SRS is off.
 * @module
 */
import type { Parse } from "../../../config/values.ts";
import { utf8Octets } from "../octets.ts";
import { err, ok } from "../result.ts";
import type { SrsRules } from "./srs.ts";

/** Characters of a secret at the least: whoever can guess it makes this server carry mail to anybody. */
const leastLength = 8;

/** Octet strings. The error does not repeat what is wrong, as others may see it. */
export const parseSrsSecret: Parse<readonly string[]> = (text) => {
  const secrets = text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  const isShort = secrets.some((secret) => secret.length < leastLength);
  return isShort
    ? err(`expected one secret of at least ${leastLength} characters a line`)
    : ok(secrets.map(utf8Octets));
};

/** What `show` prints in the place of the secrets. */
export function maskSrsSecret(text: string): string {
  return text.split("\n").map((line) => line.trim() === "" || line.startsWith("#") ? line : "(a secret)").join("\n");
}

/** Control files that SRS goes by. */
export interface SrsControls {
  readonly srsdomain: string;
  readonly srssecret: readonly string[];
  readonly srshashlength: number;
  readonly srsage: number;
}

/** The rules they make; undefined: SRS is off, or the files are not this process's to read. */
export function srsRulesOf(controls: Partial<SrsControls>): SrsRules | undefined {
  const { srsdomain: domain, srssecret: secrets, srshashlength: hashLength, srsage: ageDays } = controls;
  if (!domain || secrets === undefined || secrets.length === 0) return undefined;
  return hashLength === undefined || ageDays === undefined ? undefined : { domain, secrets, hashLength, ageDays };
}
