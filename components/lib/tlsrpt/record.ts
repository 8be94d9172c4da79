/**
 * The TXT record at `_smtp._tls.DOMAIN` (RFC 8460 §3): whom a domain wants reports to be sent to.
 * @module
 */
import { addressOfMailto } from "../reports/mailto.ts";

/** Of one domain: who names more than that wants something else than reports. */
const mostAddresses = 5;

export interface ReportTargets {
  /** Addresses of the `mailto:` among them. */
  readonly addresses: readonly string[];
  /** How many are there that no mail goes to. */
  readonly others: number;
}

/**
 * What a domain's TXT records say; undefined where it wants no report: of the records that are TLSRPT's there has to be
 * one, with an `rua`. Addresses that would need quotes are passed over.
 *
 * @example
 * ```ts
 * import { parseTlsrptRecords } from "./record.ts";
 * parseTlsrptRecords(["v=TLSRPTv1; rua=mailto:tls@example.org,https://example.org/"]);
 * // { addresses: ["tls@example.org"], others: 1 }
 * ```
 */
export function parseTlsrptRecords(texts: readonly string[]): ReportTargets | undefined {
  const [text, ...more] = texts.filter((text) => /^v=TLSRPTv1[ \t]*;/.test(text));
  if (text === undefined || more.length > 0) return undefined;
  const fields = text.split(";").slice(1).map((field) => field.replace(/^[ \t]+|[ \t]+$/g, ""));
  const rua = fields.find((field) => field.startsWith("rua="));
  if (rua === undefined) return undefined;
  const uris = rua.slice("rua=".length).split(",").map((uri) => uri.replace(/^[ \t]+|[ \t]+$/g, ""));
  const addresses = [...new Set(uris.flatMap((uri) => addressOfMailto(uri) ?? []))];
  return { addresses: addresses.slice(0, mostAddresses), others: uris.length - addresses.length };
}
