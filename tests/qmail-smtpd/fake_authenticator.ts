/**
 * An authenticator that knows two users. It does no cryptography: what is tested with it is the
 * dialogue around an exchange. The user "away" finds nobody to ask, "throttled" has failed too often.
 * @module
 */
import type { Authenticator, AuthExchange, AuthStep, Mechanism } from "../../components/lib/sasl/authenticator.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";

export const allMechanisms: readonly Mechanism[] = ["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"];

const passwords = new Map([["joe", "secret"], ["user@testserver", "secretpassword"]]);

function judge(user: string, password: string): AuthStep {
  if (user === "away") return { kind: "failure", reason: "unavailable" };
  if (user === "throttled") return { kind: "failure", reason: "throttled" };
  if (user === "slow") return { kind: "failure", reason: "credentials", delayMs: 1 };
  const isRight = passwords.get(user) === password;
  return isRight ? { kind: "success", login: user } : { kind: "failure", reason: "credentials" };
}

const challenge = (text: string): AuthStep => ({ kind: "challenge", challenge: toOctets(text) });
const malformed: AuthStep = { kind: "failure", reason: "malformed" };

/** The steps of one exchange; `responses` are those so far. */
function step(mechanism: Mechanism, responses: readonly string[]): AuthStep {
  switch (mechanism) {
    case "PLAIN": {
      if (responses.length === 0) return challenge("");
      const parts = responses[0]!.split("\0");
      return parts.length === 3 ? judge(parts[1]!, parts[2]!) : malformed;
    }
    case "LOGIN":
      if (responses.length === 0) return challenge("Username:");
      if (responses.length === 1) return challenge("Password:");
      return judge(responses[0]!, responses[1]!);
    default: {
      // SCRAM's shape: the client first, two messages each, and a word with the success.
      if (responses.length === 0) return challenge("");
      if (responses.length === 1) return responses[0]!.startsWith("n=") ? challenge("r=1") : malformed;
      const done = judge(responses[0]!.slice(2), responses[1]!.slice(2));
      return done.kind === "success" ? { ...done, final: toOctets("v=1") } : done;
    }
  }
}

export class FakeAuthenticator implements Authenticator {
  readonly mechanisms = allMechanisms;
  begun = 0;
  cancelled = 0;
  ended = 0;

  start(mechanism: Mechanism): AuthExchange {
    this.begun++;
    const responses: string[] = [];
    return {
      next: (response) => {
        if (response !== undefined) responses.push(fromOctets(response));
        const next = step(mechanism, responses);
        if (next.kind !== "challenge") this.ended++;
        return Promise.resolve(next);
      },
      cancel: () => {
        this.cancelled++;
      },
    };
  }
}
