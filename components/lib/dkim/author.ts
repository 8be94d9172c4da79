/**
 * Whose mail it is: the domain of the author in From, as DMARC takes it (RFC 7489 §6.6.1).
 * @module
 */
import { domainToASCII } from "node:url";
import { rewriteAddressList } from "../address/address_list.ts";
import { decodeUtf8 } from "../address/parse_domain.ts";
import { type Token, tokenize } from "../address/token.ts";
import type { HeaderField } from "./canonical.ts";
import { isDnsName } from "./dkim_file.ts";

/** Authors in different domains are taken for a trick beyond so many. */
const mostAuthors = 100;

/**
 * The domain in From, as lower-cased A-labels. Undefined where it is not one: no From or several, authors in more than one
 * domain, none that is a domain. Whose key should sign such a message nobody could say.
 */
export function authorDomain(fields: readonly HeaderField[]): string | undefined {
  const from = fields.filter(({ name }) => name === "from");
  const tokens = from.length === 1 ? tokenize(from[0]!.text.slice(from[0]!.text.indexOf(":") + 1)) : undefined;
  if (tokens === undefined) return undefined;
  const domains = new Set<string | undefined>();
  let count = 0;
  const listed = rewriteAddressList(tokens, (address) => {
    count++;
    domains.add(domainOf(address));
    return address;
  });
  const [domain, ...others] = domains;
  return listed.ok && count <= mostAuthors && others.length === 0 ? domain : undefined;
}

/** Of one address; comments do not count. */
function domainOf(address: readonly Token[]): string | undefined {
  const tokens = address.filter(({ kind }) => kind !== "comment");
  const at = tokens.findLastIndex(({ kind }) => kind === "@");
  if (at < 1) return undefined;
  const parts = tokens.slice(at + 1).map((token) => token.kind === "atom" ? token.text : token.kind);
  // A literal is no domain, and what needs quotes is none either.
  if (!tokens.slice(at + 1).every(({ kind }) => kind === "atom" || kind === ".")) return undefined;
  const text = decodeUtf8(parts.join(""));
  const domain = text === undefined ? "" : domainToASCII(text).toLowerCase();
  return isDnsName(domain) ? domain : undefined;
}
