/**
 * APOP (RFC 1939 §7): the client shows that it knows the password by MD5 of the greeting's challenge and the password. To
 * auth it is a mechanism whose one message is `login NUL challenge NUL digest`.
 * @module
 */
import { createHash } from "node:crypto";
import { fromOctets, toOctets } from "../octets.ts";
import { isLogin } from "./names.ts";
import { conclude, malformed, type MechanismStep } from "./step.ts";

/** Longer than any greeting's. */
const longestChallenge = 256;

/** The message for auth of APOP's argument; undefined where it is not `login digest`. Octet strings. */
export function apopResponse(text: string, challenge: string): Uint8Array | undefined {
  const at = text.lastIndexOf(" ");
  const [login, digest] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  return isLogin(login) && /^[0-9A-Fa-f]{32}$/.test(digest)
    ? toOctets(`${login}\0${challenge}\0${digest.toLowerCase()}`)
    : undefined;
}

export function startApop(): MechanismStep {
  return { kind: "challenge", challenge: new Uint8Array(0), resume: takeMessage };
}

function takeMessage(response: Uint8Array): MechanismStep {
  const [login = "", challenge = "", digest = "", ...others] = fromOctets(response).split("\0");
  const isWhole = others.length === 0 && /^<[\x21-\x7e]+>$/.test(challenge) && challenge.length <= longestChallenge;
  if (!isWhole || !isLogin(login) || !/^[0-9a-f]{32}$/.test(digest)) return malformed;
  return { kind: "digest", of: "APOP", login, challenge, digest, resume: (verdict) => conclude(login, verdict) };
}

/** In lower-case hex. Octet strings. */
export function apopDigest(password: string, challenge: string): string {
  return createHash("md5").update(toOctets(challenge + password)).digest("hex");
}

/** `<pid.unixtime@hostname>`, as qmail-popup has it, and random digits: it is never the same twice. */
export function apopChallenge(pid: number, unixSeconds: number, random: string, me: string): string {
  return `<${pid}.${unixSeconds}.${random}@${me}>`;
}
