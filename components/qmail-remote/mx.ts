/**
 * From a domain to the hosts its mail is sent to, in order, and their addresses (RFC 5321 §5.1, RFC 7505): pure steps
 * between the questions to the resolver. An address that only means something on this machine, on this link or in a
 * private network is none, unless control/mxprivate is 1; nor is one of IPv6 that has another of IPv4 inside.
 * @module
 */
import { domainToASCII } from "node:url";
import { formatIp } from "../../config/ip/format_ip.ts";
import { canonicalIp, parseIp, parseIpv4 } from "../../config/ip/parse_ip.ts";
import { type IpRange, rangeOf } from "../../config/ip/ranges.ts";
import { isAddress, isDomain } from "../../config/values.ts";
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

/** What the resolver answered about an exchanger's addresses: about A, and AAAA where it was asked. */
export interface Found {
  readonly exchanger: Exchanger;
  readonly replies: readonly ResolveReply[];
}

/** A host that may be connected to. */
export interface NextHost {
  /** Its name, lower-cased; an address where it has none. */
  readonly name: string;
  readonly preference: number;
  /** At least one; IPv4 first. */
  readonly addresses: readonly string[];
  /** Whether every answer that led here had AD: the one about MX records, and those about addresses. */
  readonly authenticated: boolean;
  /** Whether the answer that named it had, whatever those about its addresses. */
  readonly nameAuthenticated: boolean;
  /** The name at the end of its aliases; only where it is one. */
  readonly canonical?: string;
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
 * What to ask the resolver about `domain`: the name, as A-labels; or nothing, where it is an address: of IPv4, in brackets
 * or not, or of IPv6 as RFC 5321 §4.1.3 writes it (without its tag, too).
 */
export function lookupOf(
  domain: string,
): Result<{ kind: "address"; address: string } | { kind: "name"; name: string }, DeliveryReport> {
  const inside = domain.startsWith("[") && domain.endsWith("]") ? domain.slice(1, -1) : domain;
  if (parseIpv4(inside) !== undefined) return ok({ kind: "address", address: inside });
  if (inside !== domain) {
    const tagless = inside.replace(/^ipv6:/i, "");
    return isAddress(tagless) ? ok({ kind: "address", address: canonical(tagless) }) : err(noAddress);
  }
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
 * The hosts to try, in order. Those from the preference on at which this machine itself is listed are left out, so that a
 * backup MX does not send to itself. `mx`: the answer that the exchangers came from.
 */
export function hostsOf(
  domain: string,
  found: readonly Found[],
  policy: AddressPolicy,
  mx: Pick<ResolveReply, "authenticated">,
): Result<readonly NextHost[], DeliveryReport> {
  const all = found.map(({ exchanger, replies }) => ({
    name: exchanger.host,
    preference: exchanger.preference,
    addresses: addressesIn(replies),
    authenticated: mx.authenticated && replies.every(({ authenticated }) => authenticated),
    nameAuthenticated: mx.authenticated,
    ...canonicalIn(replies),
  }));
  const mine = all.reduce(
    (least, { preference, addresses }) =>
      preference < least && addresses.some((address) => isMe(address, policy.own)) ? preference : least,
    Infinity,
  );
  const others = all.filter(({ preference, addresses }) => preference < mine && addresses.length > 0);
  const usable: NextHost[] = [];
  let room = mostAddresses;
  for (const host of others) {
    const addresses = host.addresses.filter((address) => isUsable(address, policy.privateAddresses)).slice(0, room);
    room -= addresses.length;
    if (addresses.length > 0) usable.push({ ...host, addresses });
  }
  if (usable.length > 0) return ok(usable);
  // Better exchangers may be there, only not found now.
  const isUnclear = ({ exchanger, replies }: Found) =>
    exchanger.preference < mine && replies.some(({ status }) => status === "temporary");
  if (found.some(isUnclear)) return err(dnsTrouble);
  if (others.length > 0) return err(onlyPrivate);
  if (all.some(({ addresses }) => addresses.length > 0)) return err(bestIsMe);
  const isNowhere = ({ replies }: Found) => replies.some(({ status }) => status === "nxdomain");
  return err(found.every(isNowhere) ? noSuchHost(domain) : noAddress);
}

/**
 * A route's relay as the host to try. Nothing is refused here: the operator named it.
 * Unlike qmail: a relay that does not exist is a deferral; a slip in smtproutes must not bounce mail.
 */
export function relayHostOf(
  relay: string,
  replies: readonly ResolveReply[],
): Result<readonly NextHost[], DeliveryReport> {
  const addresses = addressesIn(replies).slice(0, mostAddresses);
  const authenticated = replies.every((reply) => reply.authenticated);
  if (addresses.length > 0) {
    const named = { name: relay, nameAuthenticated: false, ...canonicalIn(replies) };
    return ok([{ ...named, preference: 0, addresses, authenticated }]);
  }
  if (replies.some(({ status }) => status === "temporary")) return err(dnsTrouble);
  return err(report("Z", `Sorry, I couldn't find any host named ${relay}. (#4.1.2)`));
}

/** What a preference says of protocols (MXPS: 12800 to 13055): whether the host takes QMTP on port 209. */
export function meansQmtp(preference: number): boolean {
  return preference >= 12_800 && preference <= 13_055 && (preference - 12_800) % 16 === 1;
}

function canonicalIn(replies: readonly ResolveReply[]): Pick<NextHost, "canonical"> {
  const canonical = replies.find((reply) => reply.canonical !== undefined)?.canonical;
  return canonical === undefined ? {} : { canonical };
}

/** Each once, in its canonical spelling. Not more than anybody needs: who has a thousand gets no thousand tries. */
function addressesIn(replies: readonly ResolveReply[]): string[] {
  const addresses = replies.flatMap(({ records }) => records.map(({ value }) => value)).filter(isAddress);
  return [...new Set(addresses.map(canonical))];
}

function canonical(address: string): string {
  const ip = parseIp(address);
  return ip === undefined ? address : formatIp(ip);
}

/** Whether a connection there would reach this machine: `0.0.0.0` and `::` do, and an IPv4 address inside IPv6 may. */
function isMe(address: string, own: ReadonlySet<string>): boolean {
  const reached = canonicalIp(address);
  return reached === "0.0.0.0" || reached === "::" || own.has(reached);
}

/** Used with control/mxprivate only. */
const privateRanges = new Set<IpRange>([
  ...["loopback", "private", "linkLocal", "uniqueLocal", "carrierGradeNat", "reserved"] as const,
]);

function isUsable(address: string, privateAddresses: boolean): boolean {
  const ip = parseIp(address);
  if (ip === undefined) return false;
  const range = rangeOf(ip);
  if (privateAddresses && privateRanges.has(range)) return true;
  // RFC 4291 §2.4: of IPv6 nothing else is given out. What is below has an old form of IPv4 address in it.
  return range === "unicast" && (ip.kind === "ipv4" || ip.octets[0]! >> 5 === 1);
}
