/**
 * The report of a day to one policy domain that asks for it in the DNS, as a mail.
 * @module
 */
import { gzipSync } from "node:zlib";
import type { AggregateCounts, DomainCounts } from "../lib/dmarc/counts.ts";
import { findDestinations } from "../lib/dmarc/destinations.ts";
import { dmarcMailStyle } from "../lib/dmarc/mail.ts";
import { formatReport } from "../lib/dmarc/report.ts";
import { toOctets } from "../lib/octets.ts";
import type { Draft, DraftWorld } from "../lib/reports/day.ts";
import { startOfDay } from "../lib/reports/days.ts";
import { formatReportMail } from "../lib/reports/mail.ts";

/** Asks for the domain's record, and whether those agree whom it names. Never rejects, where `lookUp` does not. */
export async function draftDmarcReport(
  day: string,
  domain: string,
  counts: AggregateCounts,
  world: DraftWorld,
): Promise<Draft> {
  const counted = counts.of(domain);
  if (counted === undefined) return { kind: "nobody" };
  const destinations = await findDestinations(domain, world.lookUp);
  if (destinations === undefined) return { kind: "later" };
  if (destinations.length === 0) return { kind: "nobody" };
  const { reportId, startSeconds, gzip, from, submitter } = compressed(day, domain, counted, world);
  // As base64 in the mail, which is what counts (RFC 9990 §3.5).
  const bytes = Math.ceil(gzip.length / 57) * 77;
  const to = destinations.filter(({ mostBytes = Infinity }) => bytes <= mostBytes).map(({ address }) => address);
  if (to.length === 0) return { kind: "nobody" };
  const unixSeconds = world.nowSeconds();
  const mail = { from, to, domain, submitter, reportId, startSeconds, unixSeconds, token: world.token(), gzip };
  return { kind: "mail", to, content: toOctets(formatReportMail(mail, dmarcMailStyle(mail))) };
}

function compressed(day: string, domain: string, counts: DomainCounts, world: DraftWorld) {
  const from = world.from();
  const submitter = from.slice(from.lastIndexOf("@") + 1);
  const startSeconds = startOfDay(day);
  // The same for a report that is sent twice: who gets it can tell.
  const reportId = { left: `${startSeconds}.${domain}`, right: submitter };
  const id = `${reportId.left}@${reportId.right}`;
  const xml = formatReport({ organization: submitter, contact: from, reportId: id, startSeconds, counts });
  return { from, submitter, startSeconds, reportId, gzip: gzipSync(xml) };
}
