/**
 * What a server needs of SASL (RFC 4422): someone who carries out an exchange
 * and says what came of it. The server carries challenges and responses as
 * octets; their base64, the line lengths and "*" are its own protocol's.
 */

/** The mechanisms there are here, by their names at IANA. */
export type Mechanism =
  | "PLAIN"
  | "LOGIN"
  | "CRAM-MD5"
  | "SCRAM-SHA-256"
  | "SCRAM-SHA-256-PLUS"
  /** No mechanism of SASL, but POP3's own (RFC 1939, section 7); see apop.ts. */
  | "APOP";

/** Why an exchange failed. */
export type AuthFailure =
  /** No such user, a wrong password, a wrong proof: never which of them. */
  | "credentials"
  /** The client's response does not follow the mechanism. */
  | "malformed"
  /** Too many failures, or too many waiting: nothing was compared. */
  | "throttled"
  /** Nobody could be asked: neither right nor wrong. */
  | "unavailable";

/** What the server says to its client next. */
export type AuthStep =
  | { readonly kind: "challenge"; readonly challenge: Uint8Array }
  | {
    readonly kind: "success";
    /** The user, octets as a string: one char per octet. */
    readonly login: string;
    /**
     * Octets that belong to the success (SCRAM's server-final-message): a
     * protocol without room for them in its success sends them as a last
     * challenge and expects an empty response (RFC 4422, section 3.6).
     */
    readonly final?: Uint8Array;
    /** For whom logs in to read mail: opens that mailbox once, within a short time. */
    readonly ticket?: string;
  }
  | {
    readonly kind: "failure";
    readonly reason: AuthFailure;
    /** How many ms to hold the reply back; absent: at once. */
    readonly delayMs?: number;
  };

/** The client an exchange is with. */
export interface AuthClient {
  /** Its address, as TCPREMOTEIP. */
  readonly ip: string;
  /** The kind of listener it came to: submission, submissions, pop3, ... */
  readonly entrance: string;
  /** Whether the connection is encrypted. */
  readonly tls: boolean;
  /** The channel binding tls-server-end-point (RFC 5929), if known. */
  readonly endPoint?: Uint8Array;
}

/** One exchange; over after a success or a failure. */
export interface AuthExchange {
  /**
   * The next step; never rejects. One at a time.
   *
   * @param response the client's response, decoded; at the first call
   *   undefined when the client sent no initial response, and an empty array
   *   when it sent an empty one ("=").
   */
  next(response: Uint8Array | undefined): Promise<AuthStep>;
  /** The client gave up ("*") or went away. May be called at any time. */
  cancel(): void;
}

/** Someone who authenticates clients. */
export interface Authenticator {
  /** What may be offered; -PLUS only to clients with an `endPoint`. */
  readonly mechanisms: readonly Mechanism[];
  /** Starts an exchange. The server checks that the mechanism is on offer. */
  start(mechanism: Mechanism, client: AuthClient): AuthExchange;
}
