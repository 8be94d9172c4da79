/**
 * What users/passwd says of who may log in. Of a user who is not there, or may not, it tells something of the same shape:
 * another user's hash to compare with, or a secret that nobody has the password of, always the same for the same name. So
 * neither the answers nor the time they take tell who is there.
 * @module
 */
import { createHmac } from "node:crypto";
import { toOctets } from "../lib/octets.ts";
import { parseScramSecret, type ScramSecret, usualIterations } from "../lib/sasl/scram_secret.ts";
import type { KnownSecret } from "../lib/sasl/step.ts";
import type { PasswdEntry, PasswdFile } from "../lib/users/passwd_file.ts";

export interface Users {
  readonly entries: PasswdFile;
  /** The fields of all who may log in, in the file's order. */
  readonly passwords: readonly string[];
  readonly secrets: readonly string[];
}

export function usersOf(entries: PasswdFile): Users {
  const all = [...entries.values()].filter(mayLogIn);
  return {
    entries,
    passwords: all.map(({ password }) => password),
    secrets: all.flatMap((entry) => scramOf(entry) ?? []),
  };
}

function mayLogIn({ password, nologin }: PasswdEntry): boolean {
  return password !== "" && nologin !== true;
}

/** Dovecot's scheme in the password field serves as well as our extra field. */
function scramOf({ scram, password }: PasswdEntry): string | undefined {
  return [scram ?? "", password].find((text) => /^\{SCRAM-SHA-256\}/i.test(text));
}

/** As `deno task user` makes them: what is told of where there is no other example. */
const defaultSaltBytes = 16;
const defaultPassword =
  "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** Octets of this process alone that names are hashed with. */
export type Pepper = Uint8Array;

function hashOf(pepper: Pepper, purpose: string, login: string): Uint8Array {
  return createHmac("sha256", pepper).update(purpose).update(toOctets(login)).digest();
}

/** One of `choices`, the same for the same name while they stay as they are. */
function choose<T>(choices: readonly T[], pepper: Pepper, purpose: string, login: string): T | undefined {
  const hash = hashOf(pepper, purpose, login);
  return choices[new DataView(hash.buffer, hash.byteOffset).getUint32(0) % choices.length];
}

/** A password field to compare with; where it is not real, whatever comes of it means no. */
export interface KnownPassword {
  readonly field: string;
  readonly isReal: boolean;
}

/** `login` in its canonical form. */
export function passwordOf({ entries, passwords }: Users, login: string, pepper: Pepper): KnownPassword {
  const entry = entries.get(login);
  if (entry !== undefined && mayLogIn(entry)) return { field: entry.password, isReal: true };
  return { field: choose(passwords, pepper, "password", login) ?? defaultPassword, isReal: false };
}

/** `login` in its canonical form. */
export function secretOf({ entries, secrets }: Users, login: string, pepper: Pepper): KnownSecret {
  const entry = entries.get(login);
  const text = entry === undefined || !mayLogIn(entry) ? undefined : scramOf(entry);
  const secret = text === undefined ? undefined : parseScramSecret(text);
  if (secret !== undefined) return { secret, isReal: true };
  return { secret: invent(choose(secrets, pepper, "secret", login), login, pepper), isReal: false };
}

function invent(example: string | undefined, login: string, pepper: Pepper): ScramSecret {
  const like = parseScramSecret(example ?? "");
  const saltBytes = like?.salt.length ?? defaultSaltBytes;
  const salt = ["salt", "more salt"].flatMap((purpose) => [...hashOf(pepper, purpose, login)]);
  return {
    salt: Uint8Array.from({ length: saltBytes }, (_, at) => salt[at % salt.length]!),
    iterations: like?.iterations ?? usualIterations,
    storedKey: hashOf(pepper, "stored", login),
    serverKey: hashOf(pepper, "server", login),
  };
}
