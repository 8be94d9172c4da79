/**
 * SHA-crypt, `$5$` (SHA-256) and `$6$` (SHA-512): the public-domain specification "Unix crypt using SHA-256 and SHA-512".
 * @module
 */
import { createHash } from "node:crypto";
import { breathe } from "../../lib/process/breathe.ts";
import { toOctets } from "../../lib/octets.ts";
import { cryptBase64 } from "./crypt_base64.ts";

interface Method {
  readonly hash: "sha256" | "sha512";
  readonly order: readonly (readonly number[])[];
}

/** `n` groups of three: each time every place goes up by one, and the three change seats. */
function turning(first: readonly [number, number, number], n: number, by: 1 | 2): number[][] {
  return Array.from({ length: n }, (_, group) => {
    const places = first.map((place) => place + group);
    return places.map((_, seat) => places[(seat + by * group) % 3]!);
  });
}

const methods: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["5", { hash: "sha256", order: [...turning([0, 10, 20], 10, 2), [31, 30]] }],
  ["6", { hash: "sha512", order: [...turning([0, 21, 42], 21, 1), [63]] }],
]);

const defaultRounds = 5000;
const fewestRounds = 1000;
/** Some ten seconds of work. */
export const mostRounds = 2_000_000;
const longestSalt = 16;
/** Some 20 ms: then others have their turn. */
const roundsAtOnce = 5000;

/** The hash of `password` by the settings of `setting`, a whole hash or the part before it; undefined: not a setting of ours. */
export async function shaCrypt(password: Uint8Array, setting: string): Promise<string | undefined> {
  const [, id = "", asked, salted = ""] = /^\$([56])\$(?:rounds=([0-9]{1,9})\$)?([^$]*)/.exec(setting) ?? [];
  const method = methods.get(id);
  const rounds = asked === undefined ? defaultRounds : Math.max(Number(asked), fewestRounds);
  if (method === undefined || rounds > mostRounds) return undefined;
  const salt = salted.slice(0, longestSalt);
  const digest = await stretch(password, toOctets(salt), rounds, method.hash);
  return `$${id}$${asked === undefined ? "" : `rounds=${rounds}$`}${salt}$${cryptBase64(digest, method.order)}`;
}

async function stretch(
  password: Uint8Array,
  salt: Uint8Array,
  rounds: number,
  algorithm: Method["hash"],
): Promise<Uint8Array> {
  const hash = (...parts: readonly Uint8Array[]): Uint8Array => {
    const sum = createHash(algorithm);
    for (const part of parts) sum.update(part);
    return sum.digest();
  };
  const alternate = hash(password, salt, password);
  const bits = [...password.length.toString(2)].reverse();
  let digest = hash(
    password,
    salt,
    repeatTo(alternate, password.length),
    ...bits.map((bit) => bit === "1" ? alternate : password),
  );
  const p = repeatTo(hash(...Array<Uint8Array>(password.length).fill(password)), password.length);
  const s = repeatTo(hash(...Array<Uint8Array>(16 + digest[0]!).fill(salt)), salt.length);
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && round % roundsAtOnce === 0) await breathe();
    const isOdd = round % 2 === 1;
    const parts = [isOdd ? p : digest];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    parts.push(isOdd ? digest : p);
    digest = hash(...parts);
  }
  return digest;
}

/** `length` octets of `octets` over and over. */
function repeatTo(octets: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => octets[at % octets.length]!);
}
