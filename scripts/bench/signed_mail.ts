/**
 * Mail with a DKIM signature that holds: made once, with a key of the benchmark's own, for all messages of a load. The
 * running number is written only where the signature does not look (see {@link buildPayload}).
 * @module
 */
import { generateKeyPairSync } from "node:crypto";
import { relaxedBodyHash, splitMessage, withLfLines } from "../../components/lib/dkim/canonical.ts";
import { keyRecord, parsePrivateKey, signingKey } from "../../components/lib/dkim/keys.ts";
import { dkimSignature } from "../../components/lib/dkim/sign.ts";
import type { Texts } from "./name_server.ts";
import { buildPayload, finalDot, type Signed, sourceDomain } from "./payload.ts";

export interface SignedMail {
  readonly signed: Signed;
  /** What the DNS has to say for the signature, SPF and DMARC to pass. */
  readonly texts: Texts;
}

const selector = "bench";
/** The size that most keys have. */
const rsaBits = 2048;

/** Signs the message of a load. `sizeBytes` as in the load's job: the signature comes on top of it. */
export async function makeSignedMail(sizeBytes: number, nowMs: number): Promise<SignedMail> {
  const pem = generateKeyPairSync("rsa", { modulusLength: rsaBits }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  });
  const key = parsePrivateKey(String(pem));
  if (!key.ok) throw new Error(`Cannot sign: ${key.error}`);
  const date = new Date(nowMs).toUTCString().replace("GMT", "+0000");
  const { octets } = buildPayload(sizeBytes, date);
  const split = splitMessage(withLfLines(octets.subarray(0, -finalDot.length)));
  if (split === undefined) throw new Error("Cannot sign: the message has no readable header");
  const nowSeconds = Math.floor(nowMs / 1000);
  const signing = { fields: split.fields, bodyHash: relaxedBodyHash(split.body), nowSeconds };
  const field = await dkimSignature(signing, await signingKey(sourceDomain, selector, key.value));
  return {
    signed: { date, signature: field.replaceAll("\n", "\r\n") },
    texts: new Map([
      [sourceDomain, "v=spf1 ip4:127.0.0.0/8 -all"],
      [`_dmarc.${sourceDomain}`, "v=DMARC1; p=none"],
      [`${selector}._domainkey.${sourceDomain}`, keyRecord(key.value)],
    ]),
  };
}
