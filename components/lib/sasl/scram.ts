/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): the client proves that it knows the password and the server
 * that it keeps the secret of it; with -PLUS both over this very TLS connection (tls-server-end-point, RFC 5929).
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import { fromOctets, toOctets } from "../octets.ts";
import { encodeBase64 } from "../smtp/base64.ts";
import type { AuthFailure } from "./authenticator.ts";
import { type Beginning, type Failed, type KnownSecret, malformed, type MechanismStep } from "./step.ts";
import { isLogin } from "./names.ts";
import { actsAsItself } from "./plain.ts";
import { type ClientFinal, type ClientFirst, parseClientFinal, parseClientFirst } from "./scram_message.ts";
import { hmac, keyBytes, sha256 } from "./scram_secret.ts";

const bindingType = "tls-server-end-point";

/** An exchange after the client's first message. */
interface Begun {
  readonly first: ClientFirst;
  readonly known: KnownSecret;
  readonly serverFirst: string;
  readonly nonce: string;
  /** gs2 header and channel binding, as the client has to repeat them. */
  readonly binding: Uint8Array;
}

/** `plus`: whether it is SCRAM-SHA-256-PLUS. */
export function startScram(plus: boolean, beginning: Beginning): MechanismStep {
  return {
    kind: "challenge",
    challenge: new Uint8Array(0),
    resume: (response) => takeFirst(fromOctets(response), plus, beginning),
  };
}

function takeFirst(message: string, plus: boolean, beginning: Beginning): MechanismStep {
  const first = parseClientFirst(message);
  if (first === undefined || !isLogin(first.login) || !(first.authzid === "" || isLogin(first.authzid))) {
    return malformed;
  }
  const { login, authzid } = first;
  const wrongBinding = bindingDefect(first, plus, beginning);
  if (wrongBinding !== undefined) return wrongBinding;
  if (!actsAsItself(authzid, login)) return { kind: "failure", reason: "credentials", login, detail: "other-identity" };
  return { kind: "secret", login, resume: (found) => challenge(first, found, plus, beginning) };
}

/**
 * RFC 5802 §6. Who says that the server offers no channel binding, where it did, was shown another list of mechanisms than
 * was sent: somebody is in between.
 */
function bindingDefect({ binding, login }: ClientFirst, plus: boolean, beginning: Beginning): Failed | undefined {
  if (plus !== (binding.kind === "bound")) return { ...malformed, login };
  const fails = (detail: string): Failed => ({ kind: "failure", reason: "credentials", login, detail });
  if (binding.kind === "not-offered" && beginning.offersPlus) return fails("downgrade");
  if (binding.kind !== "bound") return undefined;
  if (binding.type !== bindingType) return fails("channel-binding-type");
  return beginning.endPoint === undefined ? fails("no-channel-binding") : undefined;
}

function challenge(
  first: ClientFirst,
  found: KnownSecret | AuthFailure,
  plus: boolean,
  beginning: Beginning,
): MechanismStep {
  if (typeof found === "string") return { kind: "failure", reason: found, login: first.login };
  const nonce = first.nonce + beginning.nonce;
  const serverFirst = `r=${nonce},s=${encodeBase64(found.secret.salt)},i=${found.secret.iterations}`;
  const endPoint = plus ? fromOctets(beginning.endPoint!) : "";
  const begun: Begun = { first, known: found, serverFirst, nonce, binding: toOctets(first.gs2Header + endPoint) };
  return {
    kind: "challenge",
    challenge: toOctets(serverFirst),
    resume: (response) => takeFinal(fromOctets(response), begun),
  };
}

function takeFinal(message: string, begun: Begun): MechanismStep {
  const { first: { login, bare }, known, serverFirst } = begun;
  const final = parseClientFinal(message);
  if (final === undefined || final.nonce !== begun.nonce || final.proof.length !== keyBytes) {
    return { ...malformed, login };
  }
  const signed = toOctets(`${bare},${serverFirst},${final.withoutProof}`);
  // All of it for everybody: whether there is such a user is not to be told by the time it takes.
  const proves = provesKey(final, signed, known);
  const isBound = isEqual(final.binding, begun.binding);
  if (!known.isReal || !isBound || !proves) {
    const detail = known.isReal && !isBound ? { detail: "channel-binding" } : {};
    return { kind: "failure", reason: "credentials", login, ...detail };
  }
  const signature = encodeBase64(hmac(known.secret.serverKey, signed));
  return { kind: "success", login, final: toOctets(`v=${signature}`) };
}

function provesKey({ proof }: ClientFinal, signed: Uint8Array, { secret }: KnownSecret): boolean {
  const signature = hmac(secret.storedKey, signed);
  const clientKey = signature.map((octet, at) => octet ^ proof[at]!);
  return isEqual(sha256(clientKey), secret.storedKey);
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
