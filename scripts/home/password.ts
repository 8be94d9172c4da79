/**
 * Reading a password without showing it, and its hash as Dovecot and others read it (`{ARGON2ID}$argon2id$…`).
 * @module
 */
import { argon2id } from "hash-wasm";

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const memoryKib = 19_456;
const passes = 2;

export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const hash = await argon2id({
    password,
    salt,
    parallelism: 1,
    iterations: passes,
    memorySize: memoryKib,
    hashLength: 32,
    outputType: "encoded",
  });
  return `{ARGON2ID}${hash}`;
}

/** The first line of standard input, or what is typed on the terminal; "" when there is neither. */
export async function readPassword(fromInput: boolean): Promise<string> {
  if (fromInput) return (await new Response(Deno.stdin.readable).text()).split(/\r?\n/, 1)[0] ?? "";
  if (!Deno.stdin.isTerminal()) return "";
  return await typed("Password (empty: nobody can log in): ");
}

async function typed(question: string): Promise<string> {
  const encoder = new TextEncoder();
  Deno.stderr.writeSync(encoder.encode(question));
  Deno.stdin.setRaw(true);
  try {
    return await typedLine();
  } finally {
    Deno.stdin.setRaw(false);
    Deno.stderr.writeSync(encoder.encode("\n"));
  }
}

async function typedLine(): Promise<string> {
  const octets: number[] = [];
  const buffer = new Uint8Array(64);
  for (;;) {
    const count = await Deno.stdin.read(buffer);
    if (count === null) break;
    for (const octet of buffer.subarray(0, count)) {
      if (octet === 13 || octet === 10 || octet === 4) return new TextDecoder().decode(new Uint8Array(octets));
      if (octet === 3) Deno.exit(130);
      if (octet === 127 || octet === 8) octets.pop();
      else octets.push(octet);
    }
  }
  return new TextDecoder().decode(new Uint8Array(octets));
}
