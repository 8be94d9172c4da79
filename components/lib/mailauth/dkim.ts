/**
 * DKIM signatures (RFC 6376, 8301, 8463) and the ARC chain (RFC 8617) of a message, by the npm package mailauth in its
 * strict mode. Beyond it: a bound on signatures and on what one may cost, no trust in `l=`, nor in a signature of the
 * future.
 * @module
 */
// @ts-types="./mailauth.d.ts"
import { DkimVerifier } from "mailauth/lib/dkim/dkim-verifier.js";
// @ts-types="./mailauth.d.ts"
import { arc } from "mailauth/lib/arc/index.js";
import { type dkimResults } from "../dmarc/observation.ts";
import type { Lookups } from "./lookups.ts";
import type { ArcData, LibraryResolver, SignatureHeader, SignatureResult } from "./mailauth.d.ts";

export type DkimResult = Exclude<(typeof dkimResults)[number], "none">;

/** Signatures of a message that are looked at, from the top: one more costs a lookup and a millisecond. */
export const mostSignatures = 10;
/** Keys that are shorter prove nothing (RFC 8301 §3.2). */
const leastKeyBits = 1024;
/** Signatures, the seals of a chain, each with a key of its own. */
const mostLookups = 40;
const longestSignature = 16 * 1024;
/** Names in `h=`: each is looked for in the whole header. */
const mostSignedFields = 256;
/** Clocks differ. */
const mostAheadMs = 3600 * 1000;
const [cr, lf] = [0x0d, 0x0a];

export interface Signature {
  readonly result: DkimResult;
  readonly domain: string;
  readonly selector: string;
  /** `a=`. */
  readonly algorithm: string;
  /** The first eight characters of `b=`, which tell signatures apart (RFC 6008). */
  readonly start: string;
  readonly comment?: string;
}

export interface ArcCheck {
  readonly result: "none" | "pass" | "fail";
  /** The number of sets. */
  readonly instances: number;
  readonly comment?: string;
}

export interface SignatureCheck {
  readonly signatures: readonly Signature[];
  /** How many more there were. */
  readonly passedOver: number;
  readonly arc: ArcCheck;
  /** The addresses in From. */
  readonly headerFrom: readonly string[];
  readonly fromFields: number;
}

const lengthComment = "a body length limit (l=) is not trusted";
const futureComment = "signed in the future";
const tooMany = "too many signatures";

class BoundedVerifier extends DkimVerifier {
  passedOver = 0;
  #looked = 0;
  readonly #nowMs: number;

  constructor(resolver: LibraryResolver, nowMs: number) {
    super({ resolver, minBitLength: leastKeyBits, strict: true, curTime: new Date(nowMs), sender: "-@-" });
    this.#nowMs = nowMs;
  }

  override prepareSignature(header: SignatureHeader): void {
    const isDkim = header.type === "DKIM";
    if (isDkim && this.#looked >= mostSignatures) {
      this.passedOver++;
      header.skip = tooMany;
      return;
    }
    if (isDkim) this.#looked++;
    const names = String(header.parsed?.["h"]?.value ?? "").split(":", mostSignedFields + 1).length;
    if (header.original.length > longestSignature || names > mostSignedFields) {
      header.skip = "too long";
      return;
    }
    super.prepareSignature(header);
    // "/" is no word of its own, but the library ends in an exception over it.
    if (!/^((simple|relaxed)(\/(simple|relaxed))?)?$/i.test(header.canonicalization ?? "")) {
      header.skip ??= "unknown canonicalization";
    }
    if (header.skip !== undefined || header.invalid !== undefined) return;
    // Each limit would cost another hash of the body, and what is appended behind it is what readers see.
    if (typeof header.maxBodyLength === "number") header.invalid = lengthComment;
    else if ((header.timestamp?.getTime() ?? 0) > this.#nowMs + mostAheadMs) header.invalid = futureComment;
  }
}

/** `content`: the message with LF line ends; see scanHeader() for what may be given. Whatever it is, there is an answer. */
export async function checkSignatures(
  content: Uint8Array,
  lookups: Lookups,
  nowMs: number,
): Promise<SignatureCheck> {
  const resolver = lookups.share(mostLookups);
  const verifier = new BoundedVerifier(resolver, nowMs);
  const done = Promise.withResolvers<void>();
  verifier.once("finish", done.resolve);
  verifier.once("error", done.reject);
  // In one piece: what the library does with a long line grows with the square of the pieces.
  verifier.end(withCrlf(content));
  await done.promise;
  return {
    signatures: verifier.results.flatMap(signatureOf),
    passedOver: verifier.passedOver,
    arc: await checkArc(verifier.arc, resolver),
    headerFrom: verifier.headerFrom,
    fromFields: verifier.fromFields,
  };
}

function signatureOf({ status, signingDomain, selector, signature, algo }: SignatureResult): readonly Signature[] {
  if (status.result === "none" || status.comment === tooMany) return [];
  const isUntrusted = status.comment === lengthComment || status.comment === futureComment;
  const isWeak = status.policy?.["dkim-rules"] === "weak-key";
  const comment = isWeak
    ? `the key has less than ${leastKeyBits} bits`
    : status.comment || (status.testing ? "test mode" : undefined);
  return [{
    result: isUntrusted ? "policy" : status.result as DkimResult,
    domain: (signingDomain ?? "").toLowerCase(),
    selector: selector ?? "",
    algorithm: algo ?? "",
    start: (signature ?? "").slice(0, 8),
    ...(comment === undefined ? {} : { comment }),
  }];
}

async function checkArc(data: ArcData, resolver: LibraryResolver): Promise<ArcCheck> {
  const { status, i } = await arc(data, { resolver, minBitLength: leastKeyBits, strict: true });
  return {
    result: status.result === "pass" ? "pass" : status.result === "none" ? "none" : "fail",
    instances: typeof i === "number" ? i : 0,
    ...(status.comment ? { comment: status.comment } : {}),
  };
}

/** As the message was on the wire: each LF there is was CRLF. */
export function withCrlf(content: Uint8Array): Uint8Array {
  let lines = 0;
  for (const octet of content) if (octet === lf) lines++;
  const out = new Uint8Array(content.length + lines);
  let length = 0;
  for (const octet of content) {
    if (octet === lf) out[length++] = cr;
    out[length++] = octet;
  }
  return out;
}
