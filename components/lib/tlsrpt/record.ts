/**
 * The TXT record at `_smtp._tls.DOMAIN` (RFC 8460 §3): whom a domain wants reports to be sent to.
 * @module
 */
import { isDomain } from "../../../config/values.ts";

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
  const addresses = [...new Set(uris.flatMap(addressOf))];
  return { addresses: addresses.slice(0, mostAddresses), others: uris.length - addresses.length };
}

/** Of a `mailto:` (RFC 6068), the header fields behind a "?" left out. */
function addressOf(uri: string): string[] {
  const [, encoded] = /^mailto:([^?]*)/i.exec(uri) ?? [];
  if (encoded === undefined) return [];
  const address = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  const at = address.lastIndexOf("@");
  const isPlain = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}$/.test(address.slice(0, Math.max(at, 0)));
  return isPlain && isDomain(address.slice(at + 1)) ? [address] : [];
}
