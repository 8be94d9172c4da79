/**
 * What a mechanism wants next, as a value; `resume` answers the step after it.
 * @module
 */
import type { AuthFailure } from "./authenticator.ts";
import type { ScramSecret } from "./scram_secret.ts";

/** What came of comparing something: it is right, or why the exchange fails. */
export type Verdict = "right" | AuthFailure;

/** A user's secret; of a user who is not there, or has none, one that nobody knows the password of. */
export interface KnownSecret {
  readonly secret: ScramSecret;
  readonly isReal: boolean;
}

export type MechanismStep =
  /** Say this, and resume with the response. */
  | {
    readonly kind: "challenge";
    readonly challenge: Uint8Array;
    readonly resume: (response: Uint8Array) => MechanismStep;
  }
  /** Compare the password. */
  | {
    readonly kind: "password";
    readonly login: string;
    readonly password: string;
    readonly resume: (verdict: Verdict) => MechanismStep;
  }
  /** Compare a digest. */
  | {
    readonly kind: "digest";
    readonly of: "CRAM-MD5" | "APOP";
    readonly login: string;
    readonly challenge: string;
    /** HMAC-MD5 of the challenge under the password, or APOP's MD5 of both; in lower-case hex. */
    readonly digest: string;
    readonly resume: (verdict: Verdict) => MechanismStep;
  }
  /** Look the user's secret up (SCRAM). */
  | {
    readonly kind: "secret";
    readonly login: string;
    readonly resume: (found: KnownSecret | AuthFailure) => MechanismStep;
  }
  | { readonly kind: "success"; readonly login: string; readonly final?: Uint8Array }
  | Failed;

/** `login` is there where the client got so far as to name one; `detail` is for the log alone. */
export interface Failed {
  readonly kind: "failure";
  readonly reason: AuthFailure;
  readonly login?: string;
  readonly detail?: string;
}

/** What an exchange begins with. */
export interface Beginning {
  /** Printable ASCII without "," that was never used before: SCRAM's nonce, and the random part of CRAM's challenge. */
  readonly nonce: string;
  /** This host's name. */
  readonly me: string;
  /** The channel binding tls-server-end-point, if the connection has one. */
  readonly endPoint?: Uint8Array;
  /** Whether SCRAM-SHA-256-PLUS was on offer. */
  readonly offersPlus: boolean;
}

/** The client did not follow the mechanism. */
export const malformed: Failed = { kind: "failure", reason: "malformed" };

/** What a verdict makes of an exchange. */
export function conclude(login: string, verdict: Verdict): MechanismStep {
  return verdict === "right" ? { kind: "success", login } : { kind: "failure", reason: verdict, login };
}
