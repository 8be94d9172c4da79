/**
 * Sends the reports of a day that is over: to each domain that asks for them in the DNS, one mail.
 * @module
 */
import { gzipSync } from "node:zlib";
import { describeError, logEvent } from "../lib/log/log.ts";
import { toOctets } from "../lib/octets.ts";
import { formatReportMail } from "../lib/tlsrpt/mail.ts";
import { parseTlsrptRecords } from "../lib/tlsrpt/record.ts";
import { reportOf } from "../lib/tlsrpt/report.ts";
import type { ResolveReply } from "../lib/wire/resolver_protocol.ts";
import { type Ledger, startOfDay } from "./ledger.ts";

export interface ReporterSurroundings {
  readonly ledger: Ledger;
  /** TXT records. Never rejects. */
  readonly lookUp: (name: string) => Promise<ResolveReply>;
  /** Queues a mail from the null sender; whether it is on stable storage. */
  readonly queue: (content: Uint8Array, recipients: readonly string[]) => Promise<boolean>;
  /** Control/tlsrptfrom. */
  readonly from: () => string;
  readonly nowSeconds: () => number;
  readonly token: () => string;
  /** Settles after a moment: thousands of reports at once would stand in the way of mail. */
  readonly pause: () => Promise<void>;
  /** Whether it is to end. */
  readonly isOver: () => boolean;
}

/** One round for a day; whether nothing of it is left. What could not be done now is left for the next round. */
export async function reportDay(day: string, around: ReporterSurroundings): Promise<boolean> {
  const { ledger } = around;
  const lost = ledger.lost(day);
  if (lost > 0) logEvent("tlsrpt_lost", { day, notes: lost });
  let left = 0;
  for (const domain of ledger.counts(day)?.domains ?? []) {
    if (around.isOver()) return false;
    if (await reportDomain(day, domain, around)) {
      ledger.done(day, domain);
      // At once, so that a crash repeats one report and not all.
      await ledger.flush();
    } else {
      left++;
    }
  }
  return left === 0;
}

/** Whether it is done: the report is queued, or nobody wants it. */
async function reportDomain(day: string, domain: string, around: ReporterSurroundings): Promise<boolean> {
  const { status, records } = await around.lookUp(`_smtp._tls.${domain}`);
  if (status === "temporary") return false;
  const targets = parseTlsrptRecords(records.map(({ value }) => value));
  if (targets === undefined || targets.addresses.length === 0) return true;
  await around.pause();
  const isQueued = await around.queue(contentOf(day, domain, targets.addresses, around), targets.addresses)
    .catch((error) => {
      logEvent("surprise", { reason: describeError(error) });
      return false;
    });
  if (isQueued) logEvent("tlsrpt_sent", { domain, day, to: targets.addresses.join(",") });
  return isQueued;
}

function contentOf(day: string, domain: string, to: readonly string[], around: ReporterSurroundings): Uint8Array {
  const from = around.from();
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
    policies: around.ledger.counts(day)?.of(domain) ?? [],
  });
  const mail = formatReportMail({
    from,
    to,
    domain,
    submitter,
    reportId,
    startSeconds,
    unixSeconds: around.nowSeconds(),
    token: around.token(),
    gzip: gzipSync(JSON.stringify(report)),
  });
  return toOctets(mail);
}
