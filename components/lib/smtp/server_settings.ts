/**
 * What a server's dialogue is told of its surroundings: limits, and which extensions are on offer. Values, made once for a
 * kind of client (a listener, an overload), never changed within a session.
 * @module
 */
import type { Mechanism } from "../sasl/authenticator.ts";

/** LMTP (RFC 2033) has LHLO, and a reply for each recipient behind the content. Submission is SMTP in RFC 6409's sense. */
export type Dialect = "smtp" | "submission" | "lmtp";

/**
 * Extensions that need somebody else's help (a queue that carries what was asked for, say): CHUNKING and BINARYMIME (RFC
 * 3030), SMTPUTF8 (RFC 6531), DSN (RFC 3461), REQUIRETLS (RFC 8689; offered under TLS only).
 */
export type Extension = "CHUNKING" | "BINARYMIME" | "SMTPUTF8" | "DSN" | "REQUIRETLS";

export const allExtensions: ReadonlySet<Extension> = new Set<Extension>([
  "CHUNKING",
  "BINARYMIME",
  "SMTPUTF8",
  "DSN",
  "REQUIRETLS",
]);

export interface Settings {
  /** An octet string; begins with the host's name. */
  readonly greeting: string;
  /** Of a message; 0 means no limit. */
  readonly databytes: number;
  /** `smtp` unless given. */
  readonly dialect?: Dialect;
  /** {@link allExtensions} unless given. */
  readonly extensions?: ReadonlySet<Extension>;
  /** The error that ends a session; {@link usualErrors} unless given. */
  readonly mostErrors?: number;
  /** The same for who has logged in; `mostErrors` unless given. */
  readonly mostErrorsAfterLogin?: number;
  /** Of one transaction; 0 or absent: as many as fit into an envelope. */
  readonly mostRecipients?: number;
  /** Transactions of one session; 0 or absent: no limit. */
  readonly mostMails?: number;
  /** There is a certificate: STARTTLS is offered while the channel is in the clear. */
  readonly startTls?: boolean;
  /** What AUTH offers; none or absent: no AUTH. -PLUS is left out where the channel has no binding. */
  readonly mechanisms?: readonly Mechanism[];
  /** AUTH is refused in the clear (538). True unless given. */
  readonly authNeedsTls?: boolean;
  /** No mail before AUTH (530). */
  readonly mailNeedsAuth?: boolean;
  /** Nothing but EHLO, STARTTLS, NOOP and QUIT in the clear (530, RFC 3207 §4). */
  readonly mailNeedsTls?: boolean;
  /** This client may say with XCLIENT for whom it speaks. */
  readonly xclient?: boolean;
}

/** Errors after which the client is cut off: Postfix's limit, high enough for mistyped lists, low for harvesting. */
export const usualErrors = 20;

/** Of all recipients in one transaction. RFC 5321 asks for room for 100; this has room for some hundred thousand. */
export const maxEnvelopeOctets = 4 * 1024 * 1024;

/** Octets of a line in an AUTH exchange, CRLF included (RFC 4954 §4). */
export const maxAuthLine = 12288;

export function offers(settings: Settings, extension: Extension): boolean {
  return (settings.extensions ?? allExtensions).has(extension);
}
