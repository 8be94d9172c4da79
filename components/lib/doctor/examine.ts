/**
 * All that is examined about a domain, by a site and whoever can be asked.
 * @module
 */
import type { Ask } from "./ask.ts";
import { examineDkim } from "./dkim.ts";
import { examineDmarc } from "./dmarc.ts";
import type { Finding } from "./finding.ts";
import { examineMx } from "./mx.ts";
import { addressesOf, examinePtr } from "./ptr.ts";
import type { Site } from "./site.ts";
import { examineSpf } from "./spf.ts";
import { examineSts, type FetchPolicy } from "./sts.ts";
import { examineTls } from "./tls.ts";
import { examineTlsrpt } from "./tlsrpt.ts";

export interface DoctorWorld {
  readonly ask: Ask;
  readonly fetchPolicy: FetchPolicy;
  readonly nowMs: number;
}

/** In the order in which one would put things right. `domain`: lower case. */
export async function examine(domain: string, known: Site, world: DoctorWorld): Promise<readonly Finding[]> {
  const { ask, nowMs } = world;
  const site = await withAddresses(known, ask);
  const { found, exchangers } = await examineMx(domain, site, ask);
  const rest = await Promise.all([
    examinePtr(site, ask),
    examineSpf(domain, site, ask),
    examineDkim(domain, site, ask),
    examineDmarc(domain, ask),
    examineSts(domain, site, exchangers, world),
    examineTlsrpt(domain, ask).then((finding) => [finding]),
    examineTls(site, exchangers, ask, nowMs),
  ]);
  return [...found, ...rest.flat()];
}

/** Behind an address translation no interface has the public address; then this host's name may know it. */
async function withAddresses(site: Site, ask: Ask): Promise<Site> {
  if (site.addresses.length > 0) return site;
  return { ...site, addresses: await addressesOf(site.me, ask) ?? [], addressesFrom: "the DNS, for control/me" };
}
