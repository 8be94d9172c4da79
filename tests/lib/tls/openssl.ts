/**
 * Certificates as OpenSSL makes them, for tests.
 * @module
 */
import { join } from "@std/path";

function run(args: readonly string[], cwd?: string): string {
  const { success, stdout, stderr } = new Deno.Command("openssl", {
    args: [...args],
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
  }).outputSync();
  if (!success) throw new Error(`openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

function isThere(): boolean {
  try {
    run(["version"]);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

export const opensslIsInstalled = isThere();
/** For names of tests that cannot run without it. */
export const opensslNote = opensslIsInstalled ? "" : " (skipped: there is no openssl)";

export interface Made {
  readonly cert: string;
  readonly key: string;
}

export interface Wanted {
  readonly name: string;
  /** Further arguments of `openssl req`. */
  readonly args?: readonly string[];
  /** As `-newkey` takes it. */
  readonly newKey?: readonly string[];
  readonly days?: number;
  readonly extensions?: readonly string[];
  /** Issuer; itself unless given. */
  readonly by?: Made;
}

const p256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/** Makes a certificate and its key, both PEM. */
export function makeCertificate({ name, args = [], newKey = p256, days = 30, extensions = [], by }: Wanted): Made {
  const dir = Deno.makeTempDirSync({ prefix: "openssl" });
  try {
    if (by !== undefined) {
      Deno.writeTextFileSync(join(dir, "ca.pem"), by.cert);
      Deno.writeTextFileSync(join(dir, "ca.key"), by.key);
    }
    const issuer = by === undefined ? [] : ["-CA", "ca.pem", "-CAkey", "ca.key"];
    const added = extensions.flatMap((extension) => ["-addext", extension]);
    const [cert, key] = ["cert.pem", "cert.key"];
    const words = [
      "req",
      "-x509",
      "-newkey",
      ...newKey,
      "-nodes",
      "-subj",
      `/CN=${name}`,
      "-keyout",
      key,
      "-out",
      cert,
    ];
    run([...words, "-days", String(days), ...issuer, ...added, ...args], dir);
    return { cert: Deno.readTextFileSync(join(dir, cert)), key: Deno.readTextFileSync(join(dir, key)) };
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

/** Another form of the same key, by `openssl COMMAND -in KEY …`. */
export function convertKey(key: string, command: readonly string[]): string {
  const file = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(file, key);
    return run([...command, "-in", file]);
  } finally {
    Deno.removeSync(file);
  }
}
