/**
 * PLAIN (RFC 4616): `[authzid] NUL authcid NUL password` in one message.
 * @module
 */
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { fromOctets } from "../octets.ts";
import { conclude, malformed, type MechanismStep } from "./step.ts";
import { isLogin, isPassword } from "./names.ts";

export function startPlain(): MechanismStep {
  return { kind: "challenge", challenge: new Uint8Array(0), resume: takeMessage };
}

function takeMessage(response: Uint8Array): MechanismStep {
  const parts = fromOctets(response).split("\0");
  if (parts.length !== 3) return malformed;
  const [authzid, login, password] = parts as [string, string, string];
  if (!isLogin(login) || !isPassword(password) || !(authzid === "" || isLogin(authzid))) return malformed;
  if (!actsAsItself(authzid, login)) return { kind: "failure", reason: "credentials", login, detail: "other-identity" };
  return { kind: "password", login, password, resume: (verdict) => conclude(login, verdict) };
}

/** Nobody may act as another user here: the identity to act as, where one is named, is the one that logs in. */
export function actsAsItself(authzid: string, login: string): boolean {
  return authzid === "" || lowerCaseAscii(authzid) === lowerCaseAscii(login);
}
