/** Keys for tests: made once a file, and a look at signatures with the eyes of whoever verifies. */
import { generateKeyPairSync } from "node:crypto";
import { keyRecord, parsePrivateKey, type PrivateKey, signingKey } from "../../../components/lib/dkim/keys.ts";
import type { SigningKey } from "../../../components/lib/dkim/sign.ts";
import { checkSignatures, type SignatureCheck } from "../../../components/lib/mailauth/dkim.ts";
import { Lookups } from "../../../components/lib/mailauth/lookups.ts";

export function makePem(algorithm: "rsa" | "ed25519", bits = 2048): string {
  const pair = algorithm === "rsa"
    ? generateKeyPairSync("rsa", { modulusLength: bits })
    : generateKeyPairSync("ed25519");
  return pair.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
}

export function privateKey(pem: string): PrivateKey {
  const key = parsePrivateKey(pem);
  if (!key.ok) throw new Error(key.error);
  return key.value;
}

export interface TestKey {
  readonly signing: SigningKey;
  /** Name and value of its record. */
  readonly record: readonly [string, string];
}

export async function testKey(domain: string, selector: string, pem: string): Promise<TestKey> {
  const key = privateKey(pem);
  return {
    signing: await signingKey(domain, selector, key),
    record: [`${selector}._domainkey.${domain}`, keyRecord(key)],
  };
}

/** What a verifier that shares no code with the signer says of a message with LF lines. */
export async function verify(
  content: Uint8Array,
  keys: readonly TestKey[],
  nowSeconds: number,
): Promise<SignatureCheck> {
  const records = new Map(keys.map(({ record }) => record));
  const lookups = new Lookups({
    resolve: (name) => {
      const value = records.get(name.toLowerCase());
      const found = value === undefined ? [] : [{ value }];
      return Promise.resolve({ status: found.length === 0 ? "nxdomain" : "ok", authenticated: false, records: found });
    },
    most: 100,
    signal: new AbortController().signal,
  });
  return await checkSignatures(content, lookups, nowSeconds * 1000);
}
