/**
 * The files that {@link TlsContexts} come from, below `control/`, by the names that qmail's TLS patch gave them:
 * - `servercert.pem`: certificate, chain and key; absent: no TLS. The key may stand in `serverkey.pem` instead.
 * - `servercerts/NAME/servercert.pem`, and `serverkey.pem` beside it: for clients that ask for the host NAME; the name
 *   `*.example.org` stands for each one directly below example.org.
 * - `clientca.pem`: authorities whose certificates clients may show; absent: none is asked for.
 *
 * They are no rows of config/schema.ts: the supervisor, which reads all of those, and qmail-showctl, which prints them, have
 * no business with a private key.
 * @module
 */
import type { X509Certificate } from "node:crypto";
import { join } from "@std/path";
import type { Home } from "../../../config/home.ts";
import { isDomain } from "../../../config/values.ts";
import { ifThere } from "../disk/if_there.ts";
import { err, ok, type Result } from "../result.ts";
import { parseServerCertificate, type ServerCertificate } from "./certificate.ts";
import { anyCipher, type CipherChoice, parseCiphers } from "./ciphers.ts";
import { parseAuthorities } from "./client_certificate.ts";
import { makeContext, type TlsContext, type TlsContexts } from "./contexts.ts";
import { authoritiesFile, certificateFile, certificatesFolder as folder, keyFile } from "./paths.ts";

/**
 * Reads them all. `ciphers`: control/tlsserverciphers, "" where it is absent. Undefined: there is no servercert.pem, so there
 * is no TLS on offer. Errors: one line a file, `Cannot read control file "servercert.pem": expected …`; nothing in them comes
 * from a file that holds a key.
 */
export function readTlsContexts(
  home: Home,
  ciphers: string,
  nowMs: number,
): Result<TlsContexts | undefined, string[]> {
  const reading = new Reading(home, ciphers, nowMs);
  const contexts = reading.contexts();
  return reading.defects.length > 0 ? err(reading.defects) : ok(contexts);
}

/** Whether a certificate names a host, or the wildcard above it. Deno's checkHost knows no wildcards. */
function isFor({ leaf }: ServerCertificate, name: string): boolean {
  const names = (leaf.subjectAltName ?? "").toLowerCase().split(", ");
  return [name, name.replace(/^[^.]+/, "*")].some((each) => names.includes(`dns:${each}`));
}

class Reading {
  readonly #home: Home;
  readonly #ciphers: string;
  readonly #nowMs: number;
  readonly #warnings: string[] = [];
  readonly defects: string[] = [];

  constructor(home: Home, ciphers: string, nowMs: number) {
    this.#home = home;
    this.#ciphers = ciphers;
    this.#nowMs = nowMs;
  }

  contexts(): TlsContexts | undefined {
    const authorities = this.#authorities();
    const first = this.#context("", authorities);
    const byName = new Map<string, TlsContext>();
    for (const name of this.#names()) {
      const context = this.#context(join(folder, name), authorities);
      if (context === undefined) continue;
      if (!isFor(context.certificate, name.toLowerCase())) {
        this.#warn(join(folder, name, certificateFile), `the certificate is not one for ${name}`);
      }
      byName.set(name.toLowerCase(), context);
    }
    if (first === undefined && byName.size > 0) {
      this.#refuse(
        certificateFile,
        `expected the certificate for clients that name no host beside ${folder}, it is absent`,
      );
    }
    return first && { default: first, byName, authorities, warnings: this.#warnings };
  }

  /** The context of the files in a folder below control. */
  #context(dir: string, authorities: readonly X509Certificate[]): TlsContext | undefined {
    const file = join(dir, certificateFile);
    const texts = [file, join(dir, keyFile)].map((each) => this.#text(each));
    const [certificateText, keyText] = texts;
    if (certificateText === undefined) {
      if (dir !== "") this.#warn(dir, `there is no ${certificateFile} in it`);
      return undefined;
    }
    const parsed = parseServerCertificate(
      keyText === undefined ? [certificateText] : [certificateText, keyText],
      this.#nowMs,
    );
    if (!parsed.ok) return this.#refuse(file, parsed.error);
    parsed.value.warnings.forEach((warning) => this.#warn(file, warning));
    const ciphers = this.#choice(parsed.value, file);
    if (ciphers === undefined) return undefined;
    try {
      return makeContext(parsed.value, { authorities, ciphers });
    } catch {
      // What it says is about the text of the file.
      return this.#refuse(file, "expected a certificate and a key that the TLS library takes");
    }
  }

  #choice({ leaf }: ServerCertificate, file: string): CipherChoice | undefined {
    if (this.#ciphers === "") return anyCipher;
    const choice = parseCiphers(this.#ciphers, leaf.publicKey.asymmetricKeyType === "rsa" ? "RSA" : "ECDSA");
    if (!choice.ok) return this.#refuse("tlsserverciphers", choice.error);
    const { notForbidden } = choice.value;
    if (notForbidden.length > 0) {
      this.#warn("tlsserverciphers", `with ${file} clients may still choose ${notForbidden.join(", ")} in TLS 1.2`);
    }
    return choice.value;
  }

  #authorities(): readonly X509Certificate[] {
    const text = this.#text(authoritiesFile);
    if (text === undefined) return [];
    const parsed = parseAuthorities(text);
    if (parsed.ok) return parsed.value;
    this.#refuse(authoritiesFile, parsed.error);
    return [];
  }

  /** The folders of further certificates: those that have the name of a host. */
  #names(): string[] {
    return this.#try(folder, () =>
      Array.from(Deno.readDirSync(this.#home.control(folder)))
        .filter(({ name, isFile }) => !isFile && isDomain(name.replace(/^\*\./, "")))
        .map(({ name }) => name).sort()) ?? [];
  }

  #text(file: string): string | undefined {
    return this.#try(file, () => Deno.readTextFileSync(this.#home.control(file)));
  }

  #try<T>(file: string, read: () => T): T | undefined {
    try {
      return ifThere(read);
    } catch (error) {
      return this.#refuse(file, error instanceof Error ? error.message : String(error));
    }
  }

  #warn(file: string, what: string): void {
    this.#warnings.push(`control file "${file}": ${what}`);
  }

  #refuse(file: string, what: string): undefined {
    this.defects.push(`Cannot read control file "${file}": ${what}`);
    return undefined;
  }
}
