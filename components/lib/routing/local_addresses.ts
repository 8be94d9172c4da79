/**
 * From which of this machine's addresses, and as whom, mail leaves: control/outgoingip (the patches' word) and
 * control/domainips (s/qmail's `domain:ip%if|helo`); and which addresses lead to it: control/moreipme and notipme.
 * @module
 */
import { canonicalIp } from "../../../config/ip/parse_ip.ts";
import { isAddress, isDomain, type Parse } from "../../../config/values.ts";
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { listLines } from "../policy/list_lines.ts";
import { err, ok } from "../result.ts";

/** How mail of one sender's domain leaves. */
export interface LeavesBy {
  /** One of IPv4 and one of IPv6 at the most. */
  readonly addresses: readonly string[];
  /** Undefined: control/helohost. */
  readonly helo: string | undefined;
}

/** By the sender's domain; `""` for all others, mail from `<>` included. */
export type DomainIps = ReadonlyMap<string, LeavesBy>;

const unspecified = new Set(["0.0.0.0", "::"]);

/** outgoingip: one address a line, one of IPv4 and one of IPv6 at the most; `0.0.0.0` and `::` mean that the system chooses. */
export const parseOutgoingip: Parse<readonly string[]> = (text) => {
  const lines = listLines(text);
  const wrong = lines.find((line) => !isAddress(line));
  if (wrong !== undefined) return err(`expected one address a line, got ${JSON.stringify(wrong)}`);
  const addresses = lines.filter((line) => !unspecified.has(line));
  return hasOneOfEach(addresses) ? ok(addresses) : err("expected one IPv4 and one IPv6 address at the most");
};

/** moreipme and notipme: one address a line, in its canonical spelling. */
export const parseOwnAddresses: Parse<readonly string[]> = (text) => {
  const lines = listLines(text);
  const wrong = lines.find((line) => !isAddress(line));
  if (wrong !== undefined) return err(`expected one address a line, got ${JSON.stringify(wrong)}`);
  return ok(lines.map(canonicalIp));
};

/** Which addresses are this host's, where the operator says so. */
export interface OwnAddresses {
  /** Beside those of the interfaces. */
  readonly more: readonly string[];
  /** Not even where an interface has them. */
  readonly fewer: readonly string[];
}

/** Those of the interfaces, as the operator knows better. */
export function adjustOwn(own: ReadonlySet<string>, { more, fewer }: OwnAddresses): ReadonlySet<string> {
  return new Set([...own, ...more].filter((address) => !fewer.includes(address)));
}

/**
 * domainips: `domain:ip`, `domain:ip|helo`, `domain:|helo`; `*` or nothing as the domain for all others. A second line of
 * a domain adds the address of the other family. Unlike s/qmail: `%if` behind the address is taken, and has no effect.
 */
export const parseDomainips: Parse<DomainIps> = (text) => {
  const table = new Map<string, LeavesBy>();
  for (const line of listLines(text)) {
    const [, key = "", ip = "", helo] = /^([^:]*):([^|%]*)(?:%[^|]*)?(?:\|(.*))?$/.exec(line) ?? [];
    const domain = key === "*" ? "" : lowerCaseAscii(key);
    const fits = line.includes(":") && (domain === "" || isDomain(domain)) && (ip === "" || isAddress(ip)) &&
      (ip !== "" || helo !== undefined) && (helo === undefined || isDomain(helo));
    if (!fits) return err(`expected domain:ip or domain:ip|helo, got ${JSON.stringify(line)}`);
    const before = table.get(domain);
    const addresses = [...before?.addresses ?? [], ...(ip === "" || unspecified.has(ip) ? [] : [ip])];
    if (!hasOneOfEach(addresses)) {
      return err(`expected one IPv4 and one IPv6 address of a domain at the most, got ${JSON.stringify(line)}`);
    }
    table.set(domain, { addresses, helo: helo?.toLowerCase() ?? before?.helo });
  }
  return ok(table);
};

function hasOneOfEach(addresses: readonly string[]): boolean {
  const ofSix = addresses.filter((address) => address.includes(":")).length;
  return ofSix <= 1 && addresses.length - ofSix <= 1;
}
