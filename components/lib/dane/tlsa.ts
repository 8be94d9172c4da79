/**
 * TLSA records (RFC 6698 §2.1), and which of them count for SMTP (RFC 7672 §3.1, RFC 7671 §9).
 * @module
 */
import type { TlsaRecord } from "../tls/client_policy.ts";

const text = /^([0-9]{1,3}) ([0-9]{1,3}) ([0-9]{1,3}) ((?:[0-9a-f]{2})+)$/i;
/** Characters of hex: a whole certificate may stand there. */
const longestData = 2 * 65_535;

/** One record as the resolver writes it, `usage selector matching hex`. */
export function parseTlsa(value: string): TlsaRecord | undefined {
  const [, usage, selector, matching, data] = value.length > longestData ? [] : text.exec(value) ?? [];
  if (data === undefined) return undefined;
  return { usage: Number(usage), selector: Number(selector), matching: Number(matching), data: data.toLowerCase() };
}

export const daneTa = 2;
export const daneEe = 3;
/** Hex digits of a digest, by matching type; 0 is no digest but the thing itself. */
const digestLengths: readonly (number | undefined)[] = [undefined, 64, 128];

/** Usages 0 and 1 mean nothing in SMTP (RFC 7672 §3.1.3). */
function isUsable({ usage, selector, matching, data }: TlsaRecord): boolean {
  if ((usage !== daneTa && usage !== daneEe) || selector > 1 || matching > 2) return false;
  return data.length === (digestLengths[matching] ?? data.length);
}

/**
 * The usable ones among a name's records, each once and in one order, however the answer has them. Of digests of one kind only the strongest algorithm counts (RFC 7671 §9),
 * so that nobody who breaks the weaker one gains by it.
 */
export function tlsaOf(records: readonly { readonly value: string }[]): readonly TlsaRecord[] {
  const usable = new Map<string, TlsaRecord>();
  for (const { value } of records) {
    const record = parseTlsa(value);
    if (record !== undefined && isUsable(record)) usable.set(formatTlsa(record), record);
  }
  const all = [...usable].sort(([one], [other]) => one < other ? -1 : 1).map(([, record]) => record);
  return all.filter(({ usage, selector, matching }) =>
    matching === 0 ||
    !all.some((other) => other.usage === usage && other.selector === selector && other.matching > matching)
  );
}

/** The inverse of {@link parseTlsa}. */
export function formatTlsa({ usage, selector, matching, data }: TlsaRecord): string {
  return `${usage} ${selector} ${matching} ${data}`;
}
