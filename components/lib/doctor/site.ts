/**
 * What this host is, as its control files have it, and what of it whoever examines could see.
 * @module
 */
import type { X509Certificate } from "node:crypto";
import { canonicalIp, parseClientIp } from "../../../config/ip/parse_ip.ts";
import { rangeOf } from "../../../config/ip/ranges.ts";
import type { Controls } from "../../../config/schema.ts";
import { signingDomain } from "../dkim/choose.ts";
import type { Selector } from "../dkim/dkim_file.ts";
import type { Result } from "../result.ts";

/** A key that signs, or will. */
export interface SiteKey {
  /** Whose signature it makes: the domain, or one above it. */
  readonly domain: string;
  readonly selector: Selector;
  /** What its record has to say; or why that is not known; or that whoever examines may not read keys. */
  readonly record: Result<string, string> | "unseen";
}

export interface Site {
  /** control/me. */
  readonly me: string;
  /** control/helohost. */
  readonly helo: string;
  /** Public addresses that mail leaves from, as `canonicalIp` spells them. */
  readonly addresses: readonly string[];
  /** Where those were found. */
  readonly addressesFrom: string;
  /** Whether the control files take mail for the domain in: for nobody (why), or undefined. */
  readonly notTaken: string | undefined;
  readonly keys: readonly SiteKey[];
  /** The server's certificate and its chain; undefined: no TLS; or that whoever examines may not read it. */
  readonly certificates: Result<readonly X509Certificate[] | undefined, string> | "unseen";
  /** control/mxprivate. */
  readonly privateAddresses: boolean;
}

/** The control files that say what a site is. */
export const siteControls = [
  ...[
    "me",
    "helohost",
    "locals",
    "virtualdomains",
    "rcpthosts",
    "outgoingip",
    "domainips",
    "dkim",
    "mxprivate",
  ] as const,
];
export type SiteControls = Pick<Controls, (typeof siteControls)[number]>;

/** Where addresses may come from: named by the operator, or those of this machine. */
export interface KnownAddresses {
  readonly named: readonly string[];
  /** How they were named, such as `--ip`. */
  readonly namedBy: string;
  readonly own: readonly string[];
}

/** Whether an address is one that others can reach. */
function isPublic(address: string): boolean {
  const ip = parseClientIp(address);
  return ip !== undefined && rangeOf(ip) === "unicast";
}

/** The site of a domain (lower case), its keys and certificate unseen. */
export function siteOf(controls: SiteControls, domain: string, { named, namedBy, own }: KnownAddresses): Site {
  const leaves = controls.domainips.get(domain) ?? controls.domainips.get("");
  const configured = leaves?.addresses.length ? leaves.addresses : controls.outgoingip;
  const signer = signingDomain(domain, controls.dkim) ?? domain;
  const [addresses, addressesFrom] = named.length > 0
    ? [named, namedBy]
    : configured.length > 0
    ? [configured, "control/domainips and outgoingip"]
    : [own.filter(isPublic), "this machine's interfaces"];
  const isListed = controls.rcpthosts.some((one) => one === domain || (one.startsWith(".") && domain.endsWith(one)));
  const isHere = controls.locals.includes(domain) || controls.virtualdomains.has(domain) ||
    [...controls.virtualdomains.keys()].some((key) =>
      key.endsWith(`@${domain}`) || key === "" ||
      (key.startsWith(".") && domain.endsWith(key))
    );
  return {
    me: controls.me,
    helo: leaves?.helo ?? controls.helohost,
    addresses: [...new Set(addresses.map(canonicalIp))],
    addressesFrom,
    notTaken: !isListed
      ? "control/rcpthosts does not name it, so mail for it is refused"
      : !isHere
      ? "neither control/locals nor control/virtualdomains names it, so mail for it goes on to its MX"
      : undefined,
    keys: (controls.dkim.get(signer) ?? []).map((selector) => ({ domain: signer, selector, record: "unseen" })),
    certificates: "unseen",
    privateAddresses: controls.mxprivate,
  };
}
