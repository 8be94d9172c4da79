/**
 * What must be true of TLS before mail goes to a server: what control files wish for a destination, and what that, DANE
 * (RFC 7672), MTA-STS (RFC 8461) and the message itself (RFC 8689) come to for one exchanger.
 * @module
 */

/** Never; where offered, whoever answers; or no mail; with a certificate that fits, or no mail; with one that DANE vouches for. */
export const tlsLevels = ["none", "may", "encrypt", "verify", "dane"] as const;
export type TlsLevel = (typeof tlsLevels)[number];

/** The wish of control/tlsdestinations, or of a route. */
export interface TlsWish {
  readonly level: TlsLevel;
  /** TLS before the first word of SMTP (RFC 8314 §3.3), not by STARTTLS. */
  readonly implicit: boolean;
  /** For `verify`: names of which the certificate has to have one; none: the exchanger's. A first label `*` fits any one label. */
  readonly names: readonly string[];
  /** For `verify`: SHA-256 of certificates (64 hex digits, lower case), of which one has to be the server's; none: by authority. */
  readonly fingerprints: readonly string[];
  /**
   * For `verify`: SHA-256 (as above) of certificates of authorities, of which one has to stand above the server's, in the
   * chain it shows.
   */
  readonly anchors?: readonly string[];
  /** Authorities (PEM) that are believed instead of the built-in ones, wherever one is asked about; none given: those. */
  readonly authorities?: readonly string[];
  /** Nobody wished anything: DANE and MTA-STS decide. */
  readonly isDefault: boolean;
}

export const defaultTlsWish: TlsWish = { level: "may", implicit: false, names: [], fingerprints: [], isDefault: true };

/** One TLSA record (RFC 6698 §2.1). */
export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matching: number;
  /** Hex, lower case. */
  readonly data: string;
}

/** How a server's certificate is to be proved. */
export type Proof =
  /** By the authorities that are trusted here, and one of the names (RFC 9525). */
  | {
    readonly kind: "authority";
    readonly names: readonly string[];
    /** PEM; none given: the built-in ones. */
    readonly authorities?: readonly string[];
  }
  | { readonly kind: "fingerprint"; readonly fingerprints: readonly string[] }
  /** By one of the records (RFC 7672 §3); `names` for those of usage 2. */
  | { readonly kind: "dane"; readonly records: readonly TlsaRecord[]; readonly names: readonly string[] };

/** Who demanded it, for the log. */
export type PolicySource = "default" | "tlsdestinations" | "route" | "dane" | "sts" | "requiretls";

/** What holds for one exchanger. */
export interface TlsPolicy {
  /** `must`: no TLS, no mail. */
  readonly tls: "none" | "may" | "must";
  readonly implicit: boolean;
  /** Undefined: whoever answers. */
  readonly proof: Proof | undefined;
  /** False: a certificate that does not fit is only counted (a policy in its testing mode, RFC 8461 §5). */
  readonly enforced: boolean;
  readonly source: PolicySource;
  /** Whether the server has to offer REQUIRETLS within TLS (RFC 8689 §4.2.1). */
  readonly requireTls: boolean;
  /** The name to ask the server for (RFC 7672 §8.1), where it is not the exchanger's: the TLSA records' base domain. */
  readonly servername?: string;
  /** What is wrong before any handshake, and only counted: the server is none that a policy in its testing mode lists. */
  readonly flaw?: TlsFlaw;
}

/** What is known of a connection that TLS protects. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string;
  /** OpenSSL's name of the cipher suite. */
  readonly cipher: string;
  /** Whether the policy's proof was asked for and given. */
  readonly proved: boolean;
  /** Why not, where it was asked for and is not enforced. */
  readonly flaw?: TlsFlaw;
}

/** What failed, in the words of RFC 8460 §4.3. */
export const tlsFlaws = [
  "starttls-not-supported",
  "certificate-host-mismatch",
  "certificate-expired",
  "certificate-not-trusted",
  "validation-failure",
  "tlsa-invalid",
  "dnssec-invalid",
  "dane-required",
  "sts-policy-fetch-error",
  "sts-policy-invalid",
  "sts-webpki-invalid",
] as const;
export type TlsFlaw = (typeof tlsFlaws)[number];
