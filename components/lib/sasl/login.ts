/**
 * LOGIN, which no RFC describes: the server asks "Username:" and "Password:". Many clients send the name along with the
 * command; then only the password is asked for.
 * @module
 */
import { fromOctets, toOctets } from "../octets.ts";
import { conclude, malformed, type MechanismStep } from "./step.ts";
import { isLogin, isPassword } from "./names.ts";

export function startLogin(): MechanismStep {
  return { kind: "challenge", challenge: toOctets("Username:"), resume: takeName };
}

function takeName(response: Uint8Array): MechanismStep {
  const login = fromOctets(response);
  if (!isLogin(login)) return malformed;
  return {
    kind: "challenge",
    challenge: toOctets("Password:"),
    resume: (octets) => {
      const password = fromOctets(octets);
      if (!isPassword(password)) return { ...malformed, login };
      return { kind: "password", login, password, resume: (verdict) => conclude(login, verdict) };
    },
  };
}
