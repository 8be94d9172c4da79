/**
 * Whether a certificate is one for a name (RFC 9525 §6).
 * @module
 */
import { formatIp } from "../../../config/ip/format_ip.ts";
import { parseIp } from "../../../config/ip/parse_ip.ts";
import { lowerCaseAscii } from "../address/parse_domain.ts";
import type { PeerCertificate } from "./client_peer_certificate.ts";

/**
 * Whether two names fit: equal, or one of them has `*` as its first label and the rest is equal. Of the rest two labels
 * are the least, so that no certificate is for all of a top-level domain.
 *
 * @example
 * ```ts
 * import { namesFit } from "./client_names.ts";
 * namesFit("*.example.org", "mx.example.org"); // true
 * namesFit("*.example.org", "a.mx.example.org"); // false
 * ```
 */
export function namesFit(presented: string, wanted: string): boolean {
  const [one, other] = [plain(presented), plain(wanted)];
  if (one === other) return one !== "";
  const [label, rest] = cut(one);
  const [otherLabel, otherRest] = cut(other);
  return rest === otherRest && rest.includes(".") && label !== "" && otherLabel !== "" &&
    (label === "*" || otherLabel === "*");
}

function plain(name: string): string {
  return lowerCaseAscii(name.endsWith(".") ? name.slice(0, -1) : name);
}

function cut(name: string): readonly [string, string] {
  const dot = name.indexOf(".");
  return dot < 0 ? [name, ""] : [name.slice(0, dot), name.slice(dot + 1)];
}

export interface NameOptions {
  /** Whether the subject's common name counts where there is no dNSName at all (RFC 7672 §3.2.3). */
  readonly commonName?: boolean;
}

/** Whether the certificate has one of `names`; addresses are names, too. */
export function hasName(
  { dnsNames, addresses, commonName }: PeerCertificate,
  names: readonly string[],
  options: NameOptions = {},
): boolean {
  const presented = options.commonName === true && dnsNames.length === 0 && commonName !== undefined
    ? [commonName]
    : dnsNames;
  return names.some((name) => {
    const ip = parseIp(name);
    return ip === undefined ? presented.some((one) => namesFit(one, name)) : addresses.includes(formatIp(ip));
  });
}
