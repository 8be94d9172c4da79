/**
 * The report of a day to one domain that asks for it in the DNS, as a mail.
 * @module
 */
import { gzipSync } from "node:zlib";
import { toOctets } from "../lib/octets.ts";
import type { Draft, DraftWorld } from "../lib/reports/day.ts";
import { startOfDay } from "../lib/reports/days.ts";
import { formatReportMail } from "../lib/reports/mail.ts";
import type { DayCounts } from "../lib/tlsrpt/counts.ts";
import { tlsMailStyle } from "../lib/tlsrpt/mail.ts";
import { parseTlsrptRecords } from "../lib/tlsrpt/record.ts";
import { reportOf } from "../lib/tlsrpt/report.ts";

/** Asks for the domain's record. Never rejects, where `lookUp` does not. */
export async function draftTlsReport(
  day: string,
  domain: string,
  counts: DayCounts,
  world: DraftWorld,
): Promise<Draft> {
  const { status, records } = await world.lookUp(`_smtp._tls.${domain}`);
  if (status === "temporary") return { kind: "later" };
  const targets = parseTlsrptRecords(records.map(({ value }) => value));
  if (targets === undefined || targets.addresses.length === 0) return { kind: "nobody" };
  return { kind: "mail", to: targets.addresses, content: contentOf(day, domain, counts, targets.addresses, world) };
}

function contentOf(
  day: string,
  domain: string,
  counts: DayCounts,
  to: readonly string[],
  world: DraftWorld,
): Uint8Array {
  const from = world.from();
  const submitter = from.slice(from.lastIndexOf("@") + 1);
  const startSeconds = startOfDay(day);
  // The same for a report that is sent twice: who gets it can tell.
  const reportId = { left: `${startSeconds}.${domain}`, right: submitter };
  const report = reportOf({
    organization: submitter,
    contact: from,
    reportId: `${reportId.left}@${reportId.right}`,
    domain,
    startSeconds,
    policies: counts.of(domain),
  });
  const mail = {
    from,
    to,
    domain,
    submitter,
    reportId,
    startSeconds,
    unixSeconds: world.nowSeconds(),
    token: world.token(),
    gzip: gzipSync(JSON.stringify(report)),
  };
  return toOctets(formatReportMail(mail, tlsMailStyle(mail)));
}
