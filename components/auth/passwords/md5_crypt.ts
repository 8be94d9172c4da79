/**
 * MD5-crypt, `$1$`: what FreeBSD began with and vpopmail wrote for years. Weak, and read here so that its users can move.
 * @module
 */
import { createHash } from "node:crypto";
import { toOctets } from "../../lib/octets.ts";
import { cryptBase64 } from "./crypt_base64.ts";

const order = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]];
const rounds = 1000;
const longestSalt = 8;
const hashBytes = 16;

/** The hash of `password` by the salt of `setting`; undefined: not a setting of MD5-crypt. */
export function md5Crypt(password: Uint8Array, setting: string): string | undefined {
  const [, salted] = /^\$1\$([^$]*)/.exec(setting) ?? [];
  if (salted === undefined) return undefined;
  const text = salted.slice(0, longestSalt);
  const salt = toOctets(text);
  const alternate = md5(password, salt, password);
  const mixed: Uint8Array[] = [password, toOctets("$1$"), salt];
  for (let left = password.length; left > 0; left -= hashBytes) mixed.push(alternate.subarray(0, left));
  for (let bits = password.length; bits > 0; bits >>= 1) {
    mixed.push(bits % 2 === 1 ? new Uint8Array(1) : password.subarray(0, 1));
  }
  let digest = md5(...mixed);
  for (let round = 0; round < rounds; round++) {
    const isOdd = round % 2 === 1;
    const parts = [isOdd ? password : digest];
    if (round % 3 !== 0) parts.push(salt);
    if (round % 7 !== 0) parts.push(password);
    parts.push(isOdd ? digest : password);
    digest = md5(...parts);
  }
  return `$1$${text}$${cryptBase64(digest, order)}`;
}

function md5(...parts: readonly Uint8Array[]): Uint8Array {
  const sum = createHash("md5");
  for (const part of parts) sum.update(part);
  return sum.digest();
}
