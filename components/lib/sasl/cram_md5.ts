/**
 * CRAM-MD5 (RFC 2195): the client answers a challenge that was never used before with its name and the keyed MD5 of the
 * challenge. It needs the password itself on the server, so it is only on offer where an operator says so.
 * @module
 */
import { createHmac } from "node:crypto";
import { fromOctets, toOctets } from "../octets.ts";
import { type Beginning, conclude, malformed, type MechanismStep } from "./step.ts";
import { isLogin } from "./names.ts";

export function startCramMd5({ nonce, me }: Pick<Beginning, "nonce" | "me">): MechanismStep {
  const challenge = `<${nonce}@${me}>`;
  return {
    kind: "challenge",
    challenge: toOctets(challenge),
    resume: (response) => {
      const text = fromOctets(response);
      // A name may have blanks in it, a digest has none.
      const blank = text.lastIndexOf(" ");
      const [login, digest] = [text.slice(0, Math.max(blank, 0)), text.slice(blank + 1).toLowerCase()];
      if (!isLogin(login) || !/^[0-9a-f]{32}$/.test(digest)) return malformed;
      return {
        kind: "digest",
        of: "CRAM-MD5",
        login,
        challenge,
        digest,
        resume: (verdict) => conclude(login, verdict),
      };
    },
  };
}

/** What the client has to answer, in hex. Both are octet strings. */
export function cramDigest(password: string, challenge: string): string {
  return createHmac("md5", toOctets(password)).update(toOctets(challenge)).digest("hex");
}
