/**
 * Reading a password without showing it, its hash as Dovecot and others read it (`{ARGON2ID}$argon2id$…`), and its secret
 * for SCRAM.
 * @module
 */
import { argon2id } from "hash-wasm";
import { isPassword } from "../../components/lib/sasl/names.ts";
import {
  deriveScramSecret,
  formatScramSecret,
  prepareText,
  usualIterations,
} from "../../components/lib/sasl/scram_secret.ts";
import { utf8Octets } from "../../components/lib/octets.ts";
import { fail } from "../fail.ts";

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const memoryKib = 19_456;
const passes = 2;

/** What is wrong with it as a password, or undefined: one that the servers would refuse should not be set. */
export function passwordDefect(password: string): string | undefined {
  return isPassword(utf8Octets(password))
    ? undefined
    : "a password has at most 255 octets, and no control characters among them";
}

/** What users/passwd keeps of a password for SCRAM. */
export async function scramSecretOf(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const octets = new TextEncoder().encode(prepareText(password));
  return formatScramSecret(await deriveScramSecret(octets, salt, usualIterations));
}

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

/**
 * The first line of standard input, or what is typed on the terminal, twice the same; `undefined` when there is neither.
 * What is typed is not shown.
 */
export async function readPassword(fromInput: boolean): Promise<string | undefined> {
  if (fromInput) return (await new Response(Deno.stdin.readable).text()).split(/\r?\n/, 1)[0] ?? "";
  if (!Deno.stdin.isTerminal()) return undefined;
  // Before the question is there: what is typed at once, or ahead, is not shown either.
  Deno.stdin.setRaw(true);
  try {
    return await typedTwice(new Keyboard());
  } finally {
    Deno.stdin.setRaw(false);
  }
}

async function typedTwice(keyboard: Keyboard): Promise<string> {
  const password = await keyboard.ask("Password (empty: nobody can log in): ");
  // Nobody saw what was typed: a slip would lock the user out.
  if (password === "" || await keyboard.ask("The same once more: ") === password) return password;
  Deno.stdin.setRaw(false);
  return fail("that was not the same twice");
}

const [ctrlC, ctrlD, backspace, lineFeed, carriageReturn, del] = [3, 4, 8, 10, 13, 127];
const encoder = new TextEncoder();

/** Lines typed on a terminal that passes on every key and shows none. */
class Keyboard {
  readonly #buffer = new Uint8Array(64);
  /** What was typed and not taken yet. */
  #typed: number[] = [];

  async ask(question: string): Promise<string> {
    Deno.stderr.writeSync(encoder.encode(question));
    const line = await this.#line();
    Deno.stderr.writeSync(encoder.encode("\r\n"));
    return line;
  }

  async #line(): Promise<string> {
    let line: number[] = [];
    for (;;) {
      const octet = this.#typed.shift() ?? await this.#read();
      switch (octet) {
        case undefined:
        case carriageReturn:
        case lineFeed:
        case ctrlD:
          return new TextDecoder().decode(new Uint8Array(line));
        case ctrlC:
          Deno.stdin.setRaw(false);
          Deno.exit(130);
          break;
        case backspace:
        case del:
          line = withoutLast(line);
          break;
        default:
          line.push(octet);
      }
    }
  }

  /** The next octet; `undefined` at the terminal's end. */
  async #read(): Promise<number | undefined> {
    const count = await Deno.stdin.read(this.#buffer);
    this.#typed = [...this.#buffer.subarray(0, count ?? 0)];
    return this.#typed.shift();
  }
}

/** A character of UTF-8 goes with all its octets. */
function withoutLast(line: readonly number[]): number[] {
  const first = line.findLastIndex((octet) => (octet & 0xc0) !== 0x80);
  return line.slice(0, Math.max(first, 0));
}
