/**
 * From a domain to the addresses its mail is sent to, in order (RFC 5321 §5.1, RFC 7505): pure steps between the
 * questions to the resolver. Only IPv4: deno's grants know no networks of IPv6, so IPv6 is reached only through a route
 * that names the address.
 * @module
 */
import { domainToASCII } from "node:url";
import ipaddr from "ipaddr.js";
import { isDomain } from "../../config/values.ts";
import { decodeUtf8 } from "../lib/address/parse_domain.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import type { ResolveReply } from "../lib/wire/resolver_protocol.ts";
import { report } from "./reports.ts";

/** More hosts than this are the mark of a mistake or an attack: no domain can make us ask on and on. */
const mostExchangers = 10;
const mostAddresses = 30;

export interface Exchanger {
  readonly host: string;
  readonly preference: number;
}

/** What the resolver answered about an exchanger's addresses. */
export interface Found {
  readonly exchanger: Exchanger;
  readonly reply: ResolveReply;
}

/** What decides which addresses are used. */
export interface AddressPolicy {
  /** Addresses of this machine's interfaces. */
  readonly own: ReadonlySet<string>;
  /** Whether loopback, private and link-local addresses are used. */
  readonly privateAddresses: boolean;
}

const dnsTrouble = report("Z", "Sorry, I couldn't find any host by that name. (#4.1.2)");
const noAddress = report("D", "Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)");
const onlyPrivate = report("D", "Sorry, that host's mail exchangers have no public IP address. (#5.4.4)");
const bestIsMe = report(
  "D",
  "Sorry. Although I'm listed as a best-preference MX or A for that host,\n" +
    "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)",
);

function noSuchHost(domain: string): DeliveryReport {
  // deno-lint-ignore no-control-regex -- an address of the queue may hold any octet; a log line may not
  const shown = domain.replace(/[\x00-\x1f\x7f]/g, "?");
  return report("D", `Sorry, I couldn't find any host named ${shown}. (#5.1.2)`);
}

/**
 * What to ask the resolver about `domain`: the name, as A-labels; or nothing, where it is an IPv4 address, in brackets
 * or not.
 */
export function lookupOf(
  domain: string,
): Result<{ kind: "address"; address: string } | { kind: "name"; name: string }, DeliveryReport> {
  const inside = domain.startsWith("[") && domain.endsWith("]") ? domain.slice(1, -1) : domain;
  if (ipaddr.IPv4.isValidFourPartDecimal(inside)) return ok({ kind: "address", address: inside });
  if (inside !== domain) return err(noAddress);
  const text = decodeUtf8(domain);
  const name = text === undefined ? "" : text === domain ? domain : domainToASCII(text);
  return isDomain(name) ? ok({ kind: "name", name }) : err(noSuchHost(domain));
}

/**
 * The mail exchangers of `domain` out of the answer about its MX records, best first. `randoms` (one a record) decide
 * among equals. A name without MX records is its own exchanger; names that are no host names are left out.
 */
export function exchangersOf(
  domain: string,
  reply: ResolveReply,
  randoms: readonly number[],
): Result<readonly Exchanger[], DeliveryReport> {
  if (reply.status === "temporary") return err(dnsTrouble);
  if (reply.status === "nxdomain") return err(noSuchHost(domain));
  if (reply.status === "nodata" || reply.records.length === 0) return ok([{ host: domain, preference: 0 }]);
  if (reply.records.every(({ value }) => value === "" || value === ".")) {
    return err(report("D", `Sorry, ${domain} accepts no mail. (#5.1.10)`));
  }
  const exchangers = reply.records
    .map(({ value, preference }, place) => ({ host: value, preference: preference ?? 0, random: randoms[place] ?? 0 }))
    .filter(({ host }) => isDomain(host))
    .sort((a, b) => a.preference - b.preference || a.random - b.random)
    .slice(0, mostExchangers)
    .map(({ host, preference }) => ({ host, preference }));
  return exchangers.length > 0 ? ok(exchangers) : err(noAddress);
}

/**
 * The addresses to try, in order. Those from the preference on at which this machine itself is listed are left out, so
 * that a backup MX does not send to itself.
 */
export function addressesOf(
  domain: string,
  found: readonly Found[],
  policy: AddressPolicy,
): Result<readonly string[], DeliveryReport> {
  const all = found.flatMap(({ exchanger: { preference }, reply }) =>
    reply.records
      .filter(({ value }) => ipaddr.IPv4.isValidFourPartDecimal(value))
      .map(({ value }) => ({ address: value, preference }))
  );
  const isMe = (address: string) => address === "0.0.0.0" || policy.own.has(address);
  const mine = Math.min(...all.filter(({ address }) => isMe(address)).map(({ preference }) => preference));
  const others = all.filter(({ preference }) => preference < mine);
  const usable = others.filter(({ address }) => isUsable(address, policy.privateAddresses));
  if (usable.length > 0) return ok([...new Set(usable.map(({ address }) => address))].slice(0, mostAddresses));
  // Better exchangers may be there, only not found now.
  if (found.some(({ exchanger, reply }) => reply.status === "temporary" && exchanger.preference < mine)) {
    return err(dnsTrouble);
  }
  if (others.length > 0) return err(onlyPrivate);
  if (all.length > 0) return err(bestIsMe);
  return err(found.every(({ reply }) => reply.status === "nxdomain") ? noSuchHost(domain) : noAddress);
}

/**
 * The addresses of a route's relay. Nothing is refused here: the operator named it.
 * Unlike qmail: a relay that does not exist is a deferral; a slip in smtproutes must not bounce mail.
 */
export function relayAddressesOf(relay: string, reply: ResolveReply): Result<readonly string[], DeliveryReport> {
  const addresses = reply.records.map(({ value }) => value).filter((value) =>
    ipaddr.IPv4.isValidFourPartDecimal(value)
  );
  if (addresses.length > 0) return ok(addresses.slice(0, mostAddresses));
  if (reply.status === "temporary") return err(dnsTrouble);
  return err(report("Z", `Sorry, I couldn't find any host named ${relay}. (#4.1.2)`));
}

const never = new Set(["unspecified", "broadcast", "multicast"]);

function isUsable(address: string, privateAddresses: boolean): boolean {
  const range = ipaddr.IPv4.parse(address).range();
  return range === "unicast" || (privateAddresses && !never.has(range));
}
