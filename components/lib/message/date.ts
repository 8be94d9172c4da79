/**
 * Dates in header fields qmail's way (RFC 5322 §3.3): always UTC, no day name, day not padded.
 * @module
 */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/**
 * Writes a date such as `22 Nov 2026 07:48:04 -0000`. qmail's "-0000" says that the local zone is not told; "+0000" says
 * that it is UTC. A fraction of a second is dropped. Throws a RangeError for what is no date of the years 1970 to 9999.
 *
 * @example
 * ```ts
 * import { formatQmailDate } from "./date.ts";
 * formatQmailDate(1795333684); // "22 Nov 2026 07:48:04 -0000"
 * ```
 */
export function formatQmailDate(unixSeconds: number, zone: "-0000" | "+0000" = "-0000"): string {
  const date = new Date(Math.floor(unixSeconds) * 1000);
  const year = date.getUTCFullYear();
  const month = MONTHS[date.getUTCMonth()];
  if (month === undefined || year < 1970 || year > 9999) {
    throw new RangeError(`Cannot format a date: expected seconds since 1970, got ${unixSeconds}`);
  }
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(twoDigits).join(":");
  return `${date.getUTCDate()} ${month} ${year} ${time} ${zone}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/**
 * The same date and form in a zone `offsetMinutes` east of UTC, such as `22 Nov 2026 09:48:04 +0200`.
 *
 * @example
 * ```ts
 * import { formatZonedDate } from "./date.ts";
 * formatZonedDate(1795333684, -210); // "22 Nov 2026 04:18:04 -0330"
 * ```
 */
export function formatZonedDate(unixSeconds: number, offsetMinutes: number): string {
  const local = formatQmailDate(unixSeconds + offsetMinutes * 60, "+0000").slice(0, -"+0000".length);
  const minutes = Math.abs(offsetMinutes);
  return `${local}${offsetMinutes < 0 ? "-" : "+"}${twoDigits(Math.floor(minutes / 60))}${twoDigits(minutes % 60)}`;
}
