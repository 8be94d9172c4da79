/**
 * control/tlsserverciphers: OpenSSL's cipher strings, against the cipher suites that Deno's TLS has.
 *
 * Deno's server side does not let the suites be chosen: it always has the three of TLS 1.3 and the six below of TLS 1.2, all
 * with forward secrecy and authenticated encryption. Like qmail's TLS patch this file means TLS 1.2 and below only. What can
 * be done is done exactly: a string that admits none of the six switches TLS 1.2 off. One that admits some of them is met as
 * far as the certificate's key type goes, and the rest is a warning.
 * @module
 */
import { err, ok, type Result } from "../result.ts";

const everywhere = ["ALL", "DEFAULT", "HIGH", "TLSV1.2", "ECDHE", "EECDH", "KECDHE", "KEECDH"];

/** Suites of TLS 1.2 by OpenSSL's names, and the words of a cipher string that mean them. */
const suites: ReadonlyMap<string, readonly string[]> = new Map(
  (["ECDSA", "RSA"] as const).flatMap((key) =>
    [
      ["AES256-GCM-SHA384", "AES", "AES256", "AESGCM", "SHA384"],
      ["AES128-GCM-SHA256", "AES", "AES128", "AESGCM", "SHA256"],
      ["CHACHA20-POLY1305", "CHACHA20"],
    ].map(([suite, ...words]) => {
      const name = `ECDHE-${key}-${suite}`;
      const authentication = key === "RSA" ? ["ARSA"] : ["AECDSA", "ECDSA"];
      return [name, [name, ...everywhere, ...authentication, ...words]] as const;
    })
  ),
);

/** What a cipher string comes to here. */
export interface CipherChoice {
  /** Whether any suite of TLS 1.2 may be used. */
  readonly tls12: boolean;
  /** Suites that it forbids and that clients may get all the same. */
  readonly notForbidden: readonly string[];
}

export const anyCipher: CipherChoice = { tls12: true, notForbidden: [] };

/**
 * Evaluates a cipher string (`HIGH:!aNULL:!MD5`, `ECDHE+AESGCM`) as far as it concerns `suites`: words add, `-` takes away,
 * `!` takes away for good, `+` in front and `@` only order. A word that means none of them adds nothing, as in OpenSSL;
 * the error: a string of no form at all.
 */
export function parseCiphers(text: string, keyType: "ECDSA" | "RSA"): Result<CipherChoice, string> {
  const words = text.split(/[:, ]+/).filter((word) => word !== "");
  const wrong = words.find((word) => !/^[!+-]?[A-Za-z0-9_.+-]+$|^@[A-Z]+(=[0-9])?$/.test(word));
  if (words.length === 0 || wrong !== undefined) {
    return err(`expected OpenSSL's names of ciphers with colons between them, got ${JSON.stringify(wrong ?? text)}`);
  }
  const admitted = new Set<string>();
  const banned = new Set<string>();
  for (const word of words) {
    if (word.startsWith("@") || word.startsWith("+")) continue;
    const name = word.replace(/^[!-]/, "");
    for (const suite of suitesOf(name)) {
      if (word.startsWith("!")) banned.add(suite);
      if (word.startsWith("!") || word.startsWith("-")) admitted.delete(suite);
      else if (!banned.has(suite)) admitted.add(suite);
    }
  }
  const usable = [...suites.keys()].filter((suite) => suite.startsWith(`ECDHE-${keyType}-`));
  const tls12 = usable.some((suite) => admitted.has(suite));
  return ok({ tls12, notForbidden: tls12 ? usable.filter((suite) => !admitted.has(suite)) : [] });
}

/** The suites that a word means; with `+` inside, those that all of its parts mean. */
function suitesOf(name: string): string[] {
  const parts = name.toUpperCase().split("+");
  return [...suites].filter(([, words]) => parts.every((part) => words.includes(part))).map(([suite]) => suite);
}
