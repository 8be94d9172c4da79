/**
 * What this host is, as its control files, keys and addresses have it.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { nameserversOf, resolvConfPath } from "../../config/nameservers.ts";
import { readControls } from "../../config/read.ts";
import type { Endpoint } from "../../config/values.ts";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import type { Selector } from "../../components/lib/dkim/dkim_file.ts";
import { keyRecord, parsePrivateKey } from "../../components/lib/dkim/keys.ts";
import { type Site, siteControls, siteOf } from "../../components/lib/doctor/site.ts";
import { describeError } from "../../components/lib/log/log.ts";
import { err, ok, type Result } from "../../components/lib/result.ts";
import { isCertificate, parseCertificates } from "../../components/lib/tls/certificate.ts";
import { parsePem } from "../../components/lib/tls/pem.ts";
import type { TrustAd } from "../../components/resolver/name_servers.ts";

/** A site, and how to ask about it. */
export interface KnownSite extends Site {
  readonly nameservers: readonly Endpoint[];
  readonly trustAd: TrustAd;
  readonly stsPort: number;
}

const controlFiles = [...siteControls, ...["nameservers", "trustad", "mtastsport"] as const];

/** Reads it all. `ips`: addresses that the operator names; else they are looked for. Errors: lines about control files. */
export function readSite(home: Home, domain: string, ips: readonly string[]): Result<KnownSite, readonly string[]> {
  const read = readControls(home, controlFiles);
  if (!read.ok) return read;
  const controls = read.value;
  const own = Deno.networkInterfaces().map(({ address }) => address);
  const site = siteOf(controls, domain, { named: ips, namedBy: "--ip", own });
  return ok({
    ...site,
    keys: site.keys.map((key) => ({ ...key, record: readKey(home, key.domain, key.selector) })),
    certificates: readCertificates(home),
    nameservers: nameserversOf(controls, ifThere(() => Deno.readTextFileSync(resolvConfPath))),
    trustAd: controls.trustad,
    stsPort: controls.mtastsport,
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
