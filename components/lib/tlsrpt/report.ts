/**
 * The report of one day to one domain, as JSON (RFC 8460 §4.4).
 * @module
 */
import { secondsOfDay } from "../reports/days.ts";
import type { FailureDetail, PolicyCounts } from "./counts.ts";

export interface ReportSource {
  readonly organization: string;
  readonly contact: string;
  readonly reportId: string;
  readonly domain: string;
  /** When the day began. */
  readonly startSeconds: number;
  readonly policies: readonly PolicyCounts[];
}

/** An object to be written as JSON. */
export function reportOf({ organization, contact, reportId, domain, startSeconds, policies }: ReportSource): object {
  return {
    "organization-name": organization,
    "date-range": {
      "start-datetime": formatTime(startSeconds),
      "end-datetime": formatTime(startSeconds + secondsOfDay - 1),
    },
    "contact-info": contact,
    "report-id": reportId,
    "policies": policies.map((policy) => policyOf(policy, domain)),
  };
}

/** `2026-11-22T00:00:00Z` (RFC 3339). */
function formatTime(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString().replace(".000Z", "Z");
}

function policyOf({ type, strings, successes, failures }: PolicyCounts, domain: string): object {
  const mxHosts = type === "sts" ? strings.flatMap((line) => /^mx: (.*)$/.exec(line)?.[1] ?? []) : [];
  return {
    "policy": {
      "policy-type": type,
      ...(type === "no-policy-found" ? {} : { "policy-string": strings }),
      "policy-domain": domain,
      ...(mxHosts.length === 0 ? {} : { "mx-host": mxHosts }),
    },
    "summary": {
      "total-successful-session-count": successes,
      "total-failure-session-count": failures.reduce((sum, { count }) => sum + count, 0),
    },
    ...(failures.length === 0 ? {} : { "failure-details": failures.map(detailOf) }),
  };
}

function detailOf({ flaw, sendingIp, mxHost, ip, count }: FailureDetail): object {
  return {
    "result-type": flaw,
    ...(sendingIp === "" ? {} : { "sending-mta-ip": sendingIp }),
    ...(mxHost === "" ? {} : { "receiving-mx-hostname": mxHost }),
    ...(ip === "" ? {} : { "receiving-ip": ip }),
    "failed-session-count": count,
  };
}
