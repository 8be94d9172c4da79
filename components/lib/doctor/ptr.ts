/**
 * The names of the addresses that mail leaves from: each has to have one that leads back to it, and the name in EHLO has to
 * be this host's (RFC 5321 §4.1.4; many servers refuse what is otherwise).
 * @module
 */
import { canonicalIp } from "../../../config/ip/parse_ip.ts";
import { reverseName } from "../../../config/ip/reverse_name.ts";
import { type Ask, valuesOf } from "./ask.ts";
import { type Finding, findings } from "./finding.ts";
import { addressLines } from "./mx.ts";
import type { Site } from "./site.ts";

const ptr = findings("PTR");
const about = findings("address");

/** The addresses of a name; undefined: no name server gave an answer. */
export async function addressesOf(name: string, ask: Ask): Promise<readonly string[] | undefined> {
  const [a, aaaa] = await Promise.all([ask(name, "A"), ask(name, "AAAA")]);
  const addresses = [...valuesOf(a), ...valuesOf(aaaa)].map(canonicalIp);
  const isSilent = a.status === "temporary" || aaaa.status === "temporary";
  return addresses.length === 0 && isSilent ? undefined : addresses;
}

export async function examinePtr(site: Site, ask: Ask): Promise<readonly Finding[]> {
  if (site.addresses.length === 0) {
    return [ptr.unsure(site.me, "the address that mail leaves from is not known; name it")];
  }
  const found = await Promise.all(site.addresses.map((address) => examineAddress(address, site, ask)));
  return [...found, await examineHelo(site, ask)];
}

async function examineAddress(address: string, site: Site, ask: Ask): Promise<Finding> {
  const reverse = reverseName(address);
  if (reverse === undefined) return ptr.wrong(address, "it is no address");
  const reply = await ask(reverse, "PTR");
  if (reply.status === "temporary") return ptr.unsure(address, "no name server gave an answer");
  const wanted = [`${reverse}. IN PTR ${site.helo}.`];
  const names = valuesOf(reply);
  if (names.length === 0) {
    return ptr.missing(address, "it has no name; whoever gave you the address has to publish one", wanted);
  }
  const leads = await Promise.all(names.map((name) => addressesOf(name, ask)));
  const at = leads.findIndex((addresses) => addresses?.includes(address));
  if (at >= 0) return ptr.good(address, `${names[at]}, which leads back`);
  if (leads.includes(undefined)) return ptr.unsure(address, `no name server knew the addresses of ${names.join(", ")}`);
  return ptr.wrong(address, `${names.join(", ")} does not lead back to it`, wanted);
}

async function examineHelo(site: Site, ask: Ask): Promise<Finding> {
  const addresses = await addressesOf(site.helo, ask);
  if (addresses === undefined) return about.unsure(site.helo, "no name server gave an answer");
  const lines = addressLines(site.helo, site);
  if (addresses.length === 0) {
    return about.missing(site.helo, "the name that this host gives with EHLO has no address", lines);
  }
  const astray = site.addresses.filter((address) => !addresses.includes(address));
  if (astray.length === 0) return about.good(site.helo, `given with EHLO, and leads to ${site.addresses.join(", ")}`);
  const why = `given with EHLO, but does not lead to ${astray.join(", ")} (found by ${site.addressesFrom})`;
  return about.wrong(site.helo, why, lines);
}
