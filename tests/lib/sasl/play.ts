/**
 * Plays a mechanism against users whose passwords are known.
 * @module
 */
import type { Mechanism } from "../../../components/lib/sasl/authenticator.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { cramDigest } from "../../../components/lib/sasl/cram_md5.ts";
import { startMechanism, takesInitialResponse } from "../../../components/lib/sasl/mechanism.ts";
import type { ScramSecret } from "../../../components/lib/sasl/scram_secret.ts";
import type { Beginning, KnownSecret, MechanismStep } from "../../../components/lib/sasl/step.ts";

export const beginning: Beginning = { nonce: "3rfcNHYJY1ZVvWVs7j", me: "mx.example", offersPlus: false };

export interface World {
  readonly passwords?: ReadonlyMap<string, string>;
  readonly secrets?: ReadonlyMap<string, ScramSecret>;
}

const nobody: KnownSecret = {
  isReal: false,
  secret: {
    salt: new Uint8Array(16),
    iterations: 4096,
    storedKey: new Uint8Array(32),
    serverKey: new Uint8Array(32),
  },
};

/** Goes on to the next thing that is the client's to hear. */
export function settle(step: MechanismStep, { passwords = new Map(), secrets = new Map() }: World): MechanismStep {
  for (;;) {
    switch (step.kind) {
      case "password":
        step = step.resume(passwords.get(step.login) === step.password ? "right" : "credentials");
        break;
      case "digest": {
        const password = passwords.get(step.login);
        const isRight = password !== undefined && cramDigest(password, step.challenge) === step.digest;
        step = step.resume(isRight ? "right" : "credentials");
        break;
      }
      case "secret": {
        const secret = secrets.get(step.login);
        step = step.resume(secret === undefined ? nobody : { secret, isReal: true });
        break;
      }
      default:
        return step;
    }
  }
}

/** What the client is told of a step, in words: `? challenge`, `ok login final`, `no reason`. */
export function told(step: MechanismStep): string {
  switch (step.kind) {
    case "challenge":
      return `? ${fromOctets(step.challenge)}`.trimEnd();
    case "success":
      return `ok ${step.login}${step.final === undefined ? "" : ` ${fromOctets(step.final)}`}`;
    case "failure":
      return `no ${step.reason}`;
    default:
      return step.kind;
  }
}

/** Responses of a client, the first as its initial response where the mechanism takes one; answers all it was told. */
export function play(
  mechanism: Mechanism,
  responses: readonly (string | ((challenge: string) => string))[],
  world: World,
  start: Beginning = beginning,
): string[] {
  let step: MechanismStep = startMechanism(mechanism, start);
  const heard = takesInitialResponse(mechanism) ? [] : [told(step)];
  for (const response of responses) {
    if (step.kind !== "challenge") break;
    const text = typeof response === "string" ? response : response(fromOctets(step.challenge));
    step = settle(step.resume(toOctets(text)), world);
    heard.push(told(step));
  }
  return heard;
}
