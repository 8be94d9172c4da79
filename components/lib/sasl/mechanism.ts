/**
 * The server's side of the SASL mechanisms (RFC 4422) as values: each step says what has to happen next, and its `resume`
 * answers the step after it. Nothing here looks a user up, waits or draws a random number.
 * @module
 */
import { assertNever } from "../result.ts";
import type { Mechanism } from "./authenticator.ts";
import { startApop } from "./apop.ts";
import { startCramMd5 } from "./cram_md5.ts";
import { startLogin } from "./login.ts";
import { startPlain } from "./plain.ts";
import { startScram } from "./scram.ts";
import type { Beginning, MechanismStep } from "./step.ts";

/** The first step is a challenge; it is empty where the client speaks first. */
export function startMechanism(mechanism: Mechanism, beginning: Beginning): MechanismStep {
  switch (mechanism) {
    case "PLAIN":
      return startPlain();
    case "LOGIN":
      return startLogin();
    case "CRAM-MD5":
      return startCramMd5(beginning);
    case "SCRAM-SHA-256":
    case "SCRAM-SHA-256-PLUS":
      return startScram(mechanism === "SCRAM-SHA-256-PLUS", beginning);
    case "APOP":
      return startApop();
    default:
      return assertNever(mechanism);
  }
}

/** Whether the client may send a response before it was asked for one (RFC 4422 §3.3, RFC 4954 §4). */
export function takesInitialResponse(mechanism: Mechanism): boolean {
  return mechanism !== "CRAM-MD5";
}
