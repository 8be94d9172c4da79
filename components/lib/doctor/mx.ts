/**
 * The domain's exchangers: whether they are there, and whether this host is one of them.
 * @module
 */
import { canonicalIp, parseIp } from "../../../config/ip/parse_ip.ts";
import { type IpRange, rangeOf } from "../../../config/ip/ranges.ts";
import type { DnsRecord } from "../wire/resolver_protocol.ts";
import { type Ask, valuesOf } from "./ask.ts";
import { type Finding, findings } from "./finding.ts";
import type { Site } from "./site.ts";

/** One exchanger, by the answers there are. */
export interface Exchanger {
  readonly host: string;
  readonly addresses: readonly string[];
  readonly isOurs: boolean;
  /** Whether all that led to it had AD. */
  readonly authenticated: boolean;
}

export interface MxExamination {
  readonly found: readonly Finding[];
  /** Those that have addresses. */
  readonly exchangers: readonly Exchanger[];
}

const mx = findings("MX");
const about = findings("address");

/** Networks that nobody else reaches; those for documentation are none of a mistake's. */
const unreachable = new Set<IpRange>([
  ...["private", "loopback", "linkLocal", "uniqueLocal", "unspecified", "broadcast", "multicast"] as const,
]);

function isUnreachable(address: string): boolean {
  const ip = parseIp(address);
  return ip !== undefined && unreachable.has(rangeOf(ip));
}

export async function examineMx(domain: string, site: Site, ask: Ask): Promise<MxExamination> {
  const wanted = `${domain}. IN MX 10 ${site.me}.`;
  const reply = await ask(domain, "MX");
  switch (reply.status) {
    case "temporary":
      return { found: [mx.unsure(domain, "no name server gave an answer")], exchangers: [] };
    case "nxdomain":
      return { found: [mx.missing(domain, "the domain does not exist in the DNS", [wanted])], exchangers: [] };
    case "nodata":
    case "ok":
      break;
  }
  if (reply.records.length === 0) {
    const [a, aaaa] = await Promise.all([ask(domain, "A"), ask(domain, "AAAA")]);
    const why = a.records.length + aaaa.records.length > 0
      ? "without one, mail goes to the domain's own address"
      : "there is none, nor an address: no mail arrives";
    return { found: [mx.missing(domain, why, [wanted])], exchangers: [] };
  }
  if (reply.records.some(({ value }) => value === "")) {
    const why = reply.records.length === 1
      ? "it is the null MX: the domain takes no mail (RFC 7505)"
      : "a null MX stands beside others (RFC 7505 §3)";
    return { found: [mx.wrong(domain, why, [wanted])], exchangers: [] };
  }
  const examined = await Promise.all(
    reply.records.map((record) => examineExchanger(record, reply.authenticated, site, ask)),
  );
  const exchangers = examined.flatMap(({ exchanger }) => exchanger === undefined ? [] : [exchanger]);
  const ours = reply.records.filter((_, at) => examined[at]!.isOurs);
  const names = reply.records.map(({ value, preference = 0 }) => `${preference} ${value}`).join(", ");
  const found: Finding[] = [
    ours.length > 0
      ? mx.good(domain, `${ours.map(({ value }) => value).join(", ")} is this host, of: ${names}`)
      : mx.wrong(domain, `none is this host (${site.me}): ${names}`, [wanted]),
    ...examined.flatMap(({ found }) => found),
  ];
  if (ours.length > 0 && site.notTaken !== undefined) found.push(findings("host").wrong(domain, site.notTaken));
  return { found, exchangers };
}

async function examineExchanger(
  { value: host }: DnsRecord,
  authenticated: boolean,
  site: Site,
  ask: Ask,
): Promise<{ readonly found: readonly Finding[]; readonly isOurs: boolean; readonly exchanger?: Exchanger }> {
  if (parseIp(host) !== undefined) {
    return { found: [mx.wrong(host, "an address is no name of a host (RFC 5321 §5.1)")], isOurs: false };
  }
  const [a, aaaa] = await Promise.all([ask(host, "A"), ask(host, "AAAA")]);
  const addresses = [...valuesOf(a), ...valuesOf(aaaa)].map(canonicalIp);
  const isOurs = host === site.me || addresses.some((address) => site.addresses.includes(address));
  if (addresses.length === 0) {
    if (a.status === "temporary" || aaaa.status === "temporary") {
      return { found: [about.unsure(host, "no name server gave an answer")], isOurs };
    }
    const paste = isOurs ? addressLines(host, site) : undefined;
    return { found: [about.missing(host, "an MX leads to it, and it has no address", paste)], isOurs };
  }
  const found: Finding[] = [];
  if ((a.canonical ?? aaaa.canonical) !== undefined) {
    found.push(mx.wrong(host, "it is an alias; an MX has to name a host itself (RFC 2181 §10.3)"));
  }
  const hidden = addresses.filter(isUnreachable);
  found.push(
    hidden.length > 0 && !site.privateAddresses
      ? about.wrong(host, `nobody else can reach ${hidden.join(", ")}`)
      : about.good(host, addresses.join(", ")),
  );
  const isAuthenticated = authenticated && [a, aaaa].every((reply) => reply.authenticated);
  return { found, isOurs, exchanger: { host, addresses, isOurs, authenticated: isAuthenticated } };
}

/** What would give the host its addresses; undefined where those are not known. */
export function addressLines(host: string, { addresses }: Site): readonly string[] | undefined {
  if (addresses.length === 0) return undefined;
  return addresses.map((address) => `${host}. IN ${address.includes(":") ? "AAAA" : "A"} ${address}`);
}
