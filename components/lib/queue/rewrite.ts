/**
 * Which channel a recipient takes and under which address (qmail's rules, done once a recipient): envnoathost,
 * percenthack, locals, virtualdomains, else remote. Lookups ignore ASCII case; the address keeps its own.
 *
 * Before all that, an address that SRS made becomes the one it stands for; one that only looks like it is nobody's here,
 * and goes nowhere else.
 * @module
 */
import { domainOf, lowerCaseAscii } from "../address/parse_domain.ts";
import type { Controls } from "../../../config/schema.ts";
import { type SrsControls, srsRulesOf } from "../srs/secret_file.ts";
import { anyAge, originalOf } from "../srs/srs.ts";
import type { Channel } from "./layout.ts";

/** Who has no part in SRS does not read its files. */
export type RewriteRules =
  & Pick<Controls, "envnoathost" | "percenthack" | "locals" | "virtualdomains">
  & Partial<SrsControls>;

export interface Routed {
  readonly channel: Channel;
  readonly address: string;
}

/** Routes one envelope recipient (an octet string). */
export function rewriteRecipient(recipient: string, rules: RewriteRules): Routed {
  const srs = srsRulesOf(rules);
  if (srs === undefined) return rewriteOrdinary(recipient, rules);
  const original = originalOf(recipient, srs, anyAge);
  if (original.ok) return rewriteOrdinary(original.value, rules);
  return original.error === "not-srs" ? rewriteOrdinary(recipient, rules) : { channel: "local", address: recipient };
}

function rewriteOrdinary(recipient: string, rules: RewriteRules): Routed {
  let address = recipient.includes("@") ? recipient : `${recipient}@${rules.envnoathost}`;
  let domain = domainOf(address);
  while (rules.percenthack.includes(domain)) {
    const at = address.lastIndexOf("@");
    const percent = address.lastIndexOf("%", at - 1);
    if (percent < 0) break;
    address = `${address.slice(0, percent)}@${address.slice(percent + 1, at)}`;
    domain = domainOf(address);
  }
  if (rules.locals.includes(domain)) return { channel: "local", address };
  const prefix = virtualPrefix(address, domain, rules.virtualdomains);
  return prefix ? { channel: "local", address: `${prefix}-${address}` } : { channel: "remote", address };
}

/** The prefix of the first matching entry; "" and `undefined` both mean remote (an exception, or no entry). */
function virtualPrefix(address: string, domain: string, entries: ReadonlyMap<string, string>): string | undefined {
  if (entries.size === 0) return undefined;
  return entries.get(lowerCaseAscii(address)) ?? entries.get(domain) ?? suffixMatch(domain, entries);
}

/** The value under the longest suffix of `domain` that begins with a dot, else under "". */
export function suffixMatch<T>(domain: string, entries: ReadonlyMap<string, T>): T | undefined {
  for (let dot = domain.indexOf("."); dot >= 0; dot = domain.indexOf(".", dot + 1)) {
    const key = domain.slice(dot);
    if (entries.has(key)) return entries.get(key);
  }
  return entries.get("");
}

/**
 * A rewritten address as its sender knows it: without the prefix that virtualdomains put in front. As in qmail, only
 * entries for a domain are undone, not one for `user@domain`.
 */
export function withoutPrefix(address: string, virtualdomains: ReadonlyMap<string, string>): string {
  const domain = domainOf(address);
  const prefix = virtualdomains.get(domain) ?? suffixMatch(domain, virtualdomains);
  return prefix && address.startsWith(`${prefix}-`) ? address.slice(prefix.length + 1) : address;
}
