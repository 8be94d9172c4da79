/**
 * What this host is, as its control files, keys and addresses have it.
 * @module
 */
import type { X509Certificate } from "node:crypto";
import ipaddr from "ipaddr.js";
import type { Home } from "../../config/home.ts";
import { nameserversOf, resolvConfPath } from "../../config/nameservers.ts";
import { readControls } from "../../config/read.ts";
import type { Endpoint } from "../../config/values.ts";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { signingDomain } from "../../components/lib/dkim/choose.ts";
import type { Selector } from "../../components/lib/dkim/dkim_file.ts";
import { keyRecord, parsePrivateKey } from "../../components/lib/dkim/keys.ts";
import { describeError } from "../../components/lib/log/log.ts";
import { err, ok, type Result } from "../../components/lib/result.ts";
import { isCertificate, parseCertificates } from "../../components/lib/tls/certificate.ts";
import { parsePem } from "../../components/lib/tls/pem.ts";
import type { TrustAd } from "../../components/resolver/name_servers.ts";

/** A key that signs, or will. */
export interface SiteKey {
  /** Whose signature it makes: the domain, or one above it. */
  readonly domain: string;
  readonly selector: Selector;
  /** What its record has to say; or why that is not known. */
  readonly record: Result<string, string>;
}

export interface Site {
  /** control/me. */
  readonly me: string;
  /** control/helohost. */
  readonly helo: string;
  /** Public addresses that mail leaves from, in ipaddr.js's spelling. */
  readonly addresses: readonly string[];
  /** Where those were found. */
  readonly addressesFrom: string;
  /** Whether the control files take mail for the domain in: for nobody (why), or undefined. */
  readonly notTaken: string | undefined;
  readonly keys: readonly SiteKey[];
  /** The server's certificate and its chain; undefined: no TLS. */
  readonly certificates: Result<readonly X509Certificate[] | undefined, string>;
  readonly nameservers: readonly Endpoint[];
  readonly trustAd: TrustAd;
  readonly stsPort: number;
  readonly privateAddresses: boolean;
}

const controlFiles = [
  ...["me", "helohost", "locals", "virtualdomains", "rcpthosts", "outgoingip", "domainips"] as const,
  ...["dkim", "nameservers", "trustad", "mtastsport", "mxprivate"] as const,
];

/** Whether an address is one that others can reach. */
function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "unicast";
}

/** Reads it all. `ips`: addresses that the operator names; else they are looked for. Errors: lines about control files. */
export function readSite(home: Home, domain: string, ips: readonly string[]): Result<Site, readonly string[]> {
  const read = readControls(home, controlFiles);
  if (!read.ok) return read;
  const controls = read.value;
  const leaves = controls.domainips.get(domain) ?? controls.domainips.get("");
  const configured = leaves?.addresses.length ? leaves.addresses : controls.outgoingip;
  const signer = signingDomain(domain, controls.dkim) ?? domain;
  const own = Deno.networkInterfaces().map(({ address }) => address).filter(isPublic);
  const [addresses, addressesFrom] = ips.length > 0
    ? [ips, "--ip"]
    : configured.length > 0
    ? [configured, "control/domainips and outgoingip"]
    : [own, "this machine's interfaces"];
  const isListed = controls.rcpthosts.some((one) => one === domain || (one.startsWith(".") && domain.endsWith(one)));
  const isHere = controls.locals.includes(domain) || controls.virtualdomains.has(domain) ||
    [...controls.virtualdomains.keys()].some((key) =>
      key.endsWith(`@${domain}`) || key === "" ||
      (key.startsWith(".") && domain.endsWith(key))
    );
  return ok({
    me: controls.me,
    helo: leaves?.helo ?? controls.helohost,
    addresses: [...new Set(addresses.map((address) => ipaddr.process(address).toString()))],
    addressesFrom,
    notTaken: !isListed
      ? "control/rcpthosts does not name it, so mail for it is refused"
      : !isHere
      ? "neither control/locals nor control/virtualdomains names it, so mail for it goes on to its MX"
      : undefined,
    keys: (controls.dkim.get(signer) ?? []).map((selector) => {
      return { domain: signer, selector, record: readKey(home, signer, selector) };
    }),
    certificates: readCertificates(home),
    nameservers: nameserversOf(controls, ifThere(() => Deno.readTextFileSync(resolvConfPath))),
    trustAd: controls.trustad,
    stsPort: controls.mtastsport,
    privateAddresses: controls.mxprivate,
  });
}

function readKey(home: Home, domain: string, { name }: Selector): Result<string, string> {
  try {
    const pem = ifThere(() => Deno.readTextFileSync(home.dkim(domain, `${name}.pem`)));
    if (pem === undefined) return err(`there is no key dkim/${domain}/${name}.pem`);
    const key = parsePrivateKey(pem);
    return key.ok ? ok(keyRecord(key.value)) : err(`dkim/${domain}/${name}.pem: ${key.error}`);
  } catch (error) {
    return err(`cannot read dkim/${domain}/${name}.pem: ${describeError(error)}`);
  }
}

function readCertificates(home: Home): Site["certificates"] {
  try {
    const text = ifThere(() => Deno.readTextFileSync(home.control("servercert.pem")));
    if (text === undefined) return ok(undefined);
    const blocks = parsePem(text);
    if (!blocks.ok) return err(`control/servercert.pem: ${blocks.error}`);
    const certificates = parseCertificates(blocks.value.filter(isCertificate).map(({ text }) => text));
    if (!certificates.ok) return err(`control/servercert.pem: ${certificates.error}`);
    return certificates.value.length === 0 ? err("control/servercert.pem holds no certificate") : certificates;
  } catch (error) {
    return err(`cannot read control/servercert.pem: ${describeError(error)}`);
  }
}
