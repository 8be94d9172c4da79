/**
 * Who knows what is right: users/passwd, or a checkpassword program.
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import { toOctets } from "../lib/octets.ts";
import { apopDigest } from "../lib/sasl/apop.ts";
import { cramDigest } from "../lib/sasl/cram_md5.ts";
import type { KnownSecret, Verdict } from "../lib/sasl/step.ts";
import { type Match, plainPassword, verifyPassword } from "./passwords/verify.ts";
import { passwordOf, type Pepper, secretOf, type Users } from "./users.ts";

/** A verdict, and what the log says of it where it is not "right". */
export interface Checked {
  readonly verdict: Verdict;
  readonly detail?: string;
}

/** A login and its proof; octet strings. */
export interface Claim {
  /** As the client wrote it. */
  readonly login: string;
  /** `name@domain` in lower case. */
  readonly canonical: string;
  /** The client's address. */
  readonly ip: string;
}

/** None of these rejects. */
export interface Credentials {
  password(claim: Claim, password: string): Promise<Checked>;
  digest(claim: Claim, challenge: string, digest: string, of: "CRAM-MD5" | "APOP"): Promise<Checked>;
  secret(claim: Claim): KnownSecret | "unavailable";
}

const unavailable: Checked = { verdict: "unavailable" };

/** The passwd file as it stands; `unsure` while it cannot be read. */
export function passwdCredentials(users: () => Users | "unsure", pepper: Pepper): Credentials {
  return {
    password: async ({ canonical }, password) => {
      const now = users();
      if (now === "unsure") return unavailable;
      const { field, isReal } = passwordOf(now, canonical, pepper);
      return checkedOf(await verifyPassword(toOctets(password), field), isReal);
    },
    digest: ({ canonical }, challenge, digest, of) => {
      const now = users();
      if (now === "unsure") return Promise.resolve(unavailable);
      const { field, isReal } = passwordOf(now, canonical, pepper);
      const plain = plainPassword(field);
      const digestOf = of === "APOP" ? apopDigest : cramDigest;
      const isSame = timingSafeEqual(toOctets(digestOf(plain ?? "", challenge)), toOctets(digest));
      const match = plain === undefined ? "unsupported" : isSame ? "right" : "wrong";
      return Promise.resolve(checkedOf(match, isReal));
    },
    secret: ({ canonical }) => {
      const now = users();
      return now === "unsure" ? "unavailable" : secretOf(now, canonical, pepper);
    },
  };
}

function checkedOf(match: Match, isReal: boolean): Checked {
  if (!isReal) return { verdict: "credentials", detail: "no-user" };
  if (match === "right") return { verdict: "right" };
  return { verdict: "credentials", detail: match === "unsupported" ? "password-scheme" : "password" };
}
