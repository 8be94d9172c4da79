/**
 * The client's side of the SASL mechanisms with which a route logs in (RFC 4954): SCRAM (RFC 5802, RFC 7677), CRAM-MD5
 * (RFC 2195), PLAIN (RFC 4616) and LOGIN. Values, as on the server's side: nothing here waits or draws a random number.
 * @module
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { fromOctets, toOctets } from "../lib/octets.ts";
import { cramDigest } from "../lib/sasl/cram_md5.ts";
import { prepareText } from "../lib/sasl/scram_secret.ts";
import { decodeBase64, encodeBase64 } from "../lib/smtp/base64.ts";
import type { DeriveStep } from "./steps.ts";

/** Octet strings. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/** What to do next in an exchange. */
export type LoginStep =
  /**
   * Write `line` (without its CRLF); a challenge goes to `resume`. `isProved`: consent may be believed now; not so where
   * the server has yet to show that it knows the password as well.
   */
  | {
    readonly kind: "say";
    readonly line: string;
    readonly resume: (challenge: Uint8Array) => LoginStep;
    readonly isProved: boolean;
  }
  | { readonly kind: "derive"; readonly derive: DeriveStep; readonly resume: (salted: Uint8Array) => LoginStep }
  /** The server does not follow the mechanism, or does not know the password it asks for. */
  | { readonly kind: "failed"; readonly why: "malformed" | "unproved" };

type Start = (login: Login, nonce: string) => LoginStep;

/** Strongest first. Those that tell the server the password are for connections that nobody else can read. */
const mechanisms: readonly { readonly name: string; readonly tellsPassword: boolean; readonly start: Start }[] = [
  { name: "SCRAM-SHA-256", tellsPassword: false, start: (login, nonce) => startScram("sha256", login, nonce) },
  { name: "SCRAM-SHA-1", tellsPassword: false, start: (login, nonce) => startScram("sha1", login, nonce) },
  { name: "CRAM-MD5", tellsPassword: false, start: startCramMd5 },
  { name: "PLAIN", tellsPassword: true, start: startPlain },
  { name: "LOGIN", tellsPassword: true, start: startLogin },
];

/**
 * Begins the exchange of the best mechanism among those on offer; undefined where none of them will do. `isPrivate`:
 * whether the connection is protected by TLS or does not leave this machine. `nonce`: printable ASCII without ",", never
 * used before.
 */
export function startLoginExchange(
  offered: readonly string[],
  isPrivate: boolean,
  login: Login,
  nonce: string,
): LoginStep | undefined {
  const best = mechanisms.find(({ name, tellsPassword }) => offered.includes(name) && (isPrivate || !tellsPassword));
  return best?.start(login, nonce);
}

const malformed: LoginStep = { kind: "failed", why: "malformed" };
/** A challenge more than the mechanism has. */
const noMore = (): LoginStep => malformed;

function say(line: string, resume: (challenge: Uint8Array) => LoginStep = noMore, isProved = true): LoginStep {
  return { kind: "say", line, resume, isProved };
}

function base64(octets: string): string {
  return encodeBase64(toOctets(octets));
}

function startPlain({ user, password }: Login): LoginStep {
  return say(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`);
}

/** Servers ask in words of their own choice, always for the name first. */
function startLogin({ user, password }: Login): LoginStep {
  return say("AUTH LOGIN", () => say(base64(user), () => say(base64(password))));
}

function startCramMd5({ user, password }: Login): LoginStep {
  const answer = (challenge: Uint8Array) => say(base64(`${user} ${cramDigest(password, fromOctets(challenge))}`));
  return say("AUTH CRAM-MD5", answer);
}

type Digest = DeriveStep["digest"];

/** A server that asks for more would keep us busy, not itself; passwords here are stretched 65,536 times. */
const mostIterations = 1_000_000;

function startScram(digest: Digest, login: Login, nonce: string): LoginStep {
  const name = login.user.replaceAll("=", "=3D").replaceAll(",", "=2C");
  const bare = `n=${name},r=${nonce}`;
  const word = digest === "sha1" ? "SCRAM-SHA-1" : "SCRAM-SHA-256";
  const first = (challenge: Uint8Array) => takeServerFirst(digest, login, nonce, bare, fromOctets(challenge));
  return say(`AUTH ${word} ${base64(`n,,${bare}`)}`, first, false);
}

function takeServerFirst(digest: Digest, login: Login, nonce: string, bare: string, message: string): LoginStep {
  // An extension that nobody here knows (`m=`) stands in front and makes it another message.
  const match = /^r=([\x21-\x2b\x2d-\x7e]{1,1000}),s=([A-Za-z0-9+/=]{1,400}),i=([1-9][0-9]{0,6})(?:,|$)/.exec(message);
  if (match === null) return malformed;
  const [serverNonce, salt, iterations] = [match[1]!, decodeBase64(match[2]!), Number(match[3])];
  if (!serverNonce.startsWith(nonce) || serverNonce.length === nonce.length) return malformed;
  if (salt === undefined || salt.length === 0 || iterations > mostIterations) return malformed;
  const derive: DeriveStep = { kind: "derive", digest, password: prepared(login.password), salt, iterations };
  return {
    kind: "derive",
    derive,
    resume: (salted) => {
      const withoutProof = `c=biws,r=${serverNonce}`;
      const signed = `${bare},${message},${withoutProof}`;
      const { proof, signature } = proofs(digest, salted, signed);
      return say(base64(`${withoutProof},p=${proof}`), (last) => takeServerFinal(fromOctets(last), signature), false);
    },
  };
}

/** RFC 5802 §7: `v=` is the server's proof; it comes before consent, and is answered with nothing. */
function takeServerFinal(message: string, signature: Uint8Array): LoginStep {
  const claimed = decodeBase64(/^v=([A-Za-z0-9+/=]{1,100})(?:,|$)/.exec(message)?.[1] ?? "");
  const isRight = claimed?.length === signature.length && timingSafeEqual(claimed, signature);
  return isRight ? say("") : { kind: "failed", why: "unproved" };
}

function proofs(
  digest: Digest,
  salted: Uint8Array,
  signed: string,
): { readonly proof: string; readonly signature: Uint8Array } {
  const hmac = (key: Uint8Array, text: string) => createHmac(digest, key).update(toOctets(text)).digest();
  const clientKey = hmac(salted, "Client Key");
  const storedKey = createHash(digest).update(clientKey).digest();
  const clientSignature = hmac(storedKey, signed);
  const proof = new Uint8Array(clientKey.map((octet, at) => octet ^ clientSignature[at]!));
  return { proof: encodeBase64(proof), signature: hmac(hmac(salted, "Server Key"), signed) };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** As the server's secret was made of it (RFC 5802 §2.2); what is no UTF-8 stays as it is. */
function prepared(password: string): Uint8Array {
  const octets = toOctets(password);
  try {
    return new TextEncoder().encode(prepareText(utf8.decode(octets)));
  } catch {
    return octets;
  }
}
