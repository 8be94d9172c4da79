/**
 * Chains of certificates as OpenSSL makes them, and servers of OpenSSL's that show them, for tests.
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { connect, type Socket } from "node:net";
import { join } from "@std/path";
import { element, oid, tags } from "../../../components/lib/tls/der.ts";
import type { Made } from "./openssl.ts";

export interface Issue {
  /** Its common name; of a server's certificate also its one alternative name, unless `names` says otherwise. */
  readonly name: string;
  /** As OpenSSL writes alternative names, such as `DNS:a.test,IP:127.0.0.1`; "" for none. */
  readonly names?: string;
  /** Itself unless given. */
  readonly by?: Made;
  readonly authority?: boolean;
  /** Lines of an OpenSSL configuration. */
  readonly extensions?: readonly string[];
  /** Less than 0: it has expired. */
  readonly days?: number;
  /** As `-newkey` takes it. */
  readonly newKey?: readonly string[];
}

const p256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

function run(dir: string, args: readonly string[]): void {
  const { success, stderr } = new Deno.Command("openssl", { args: [...args], cwd: dir, stdin: "null" }).outputSync();
  if (!success) throw new Error(`openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}

/** Makes a certificate and its key, both PEM. */
export function issue(
  { name, names = `DNS:${name}`, by, authority = false, extensions = [], days = 30, newKey = p256 }: Issue,
): Made {
  const dir = Deno.makeTempDirSync({ prefix: "issued" });
  try {
    const lines = [
      ...(authority ? ["basicConstraints=critical,CA:true"] : names === "" ? [] : [`subjectAltName=${names}`]),
      ...extensions,
    ];
    Deno.writeTextFileSync(join(dir, "ext"), lines.join("\n"));
    run(dir, ["req", "-new", "-newkey", ...newKey, "-nodes", "-subj", `/CN=${name}`, "-keyout", "key", "-out", "csr"]);
    if (by !== undefined) {
      Deno.writeTextFileSync(join(dir, "ca"), by.cert);
      Deno.writeTextFileSync(join(dir, "cakey"), by.key);
    }
    const issuer = by === undefined
      ? ["-signkey", "key"]
      : ["-CA", "ca", "-CAkey", "cakey", "-set_serial", String(crypto.getRandomValues(new Uint32Array(1))[0]! + 1)];
    run(dir, ["x509", "-req", "-in", "csr", ...issuer, "-days", String(days), "-extfile", "ext", "-out", "cert"]);
    return { cert: Deno.readTextFileSync(join(dir, "cert")), key: Deno.readTextFileSync(join(dir, "key")) };
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

export function x509(made: Made): X509Certificate {
  return new X509Certificate(made.cert);
}

/** SHA-256 of the certificate, 64 hex digits. */
export function fingerprint(made: Made): string {
  return createHash("sha256").update(x509(made).raw).digest("hex");
}

/** A TLSA record's text for a certificate. */
export function tlsa(made: Made, usage: number, selector: number, matching: number): string {
  const certificate = x509(made);
  const subject = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: "spki", format: "der" });
  const data = matching === 0
    ? Buffer.from(subject).toString("hex")
    : createHash(matching === 1 ? "sha256" : "sha512").update(subject).digest("hex");
  return `${usage} ${selector} ${matching} ${data}`;
}

/**
 * A key file that says it is the public key of `made` (P-256), which OpenSSL takes it for, and signs with another private
 * key: what somebody has who has seen a certificate and would like to be its server.
 */
export function stolen(made: Made): Made {
  const { d } = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  const { x, y } = createPrivateKey(made.key).export({ format: "jwk" });
  const octets = (text: string | undefined) => Buffer.from(text ?? "", "base64url");
  const point = Buffer.concat([Uint8Array.of(0, 4), octets(x), octets(y)]);
  const der = element(
    tags.sequence,
    element(tags.integer, Uint8Array.of(1)),
    element(tags.octetString, octets(d)),
    element(0xa0, oid("1.2.840.10045.3.1.7")),
    element(0xa1, element(tags.bitString, point)),
  );
  const lines = Buffer.from(der).toString("base64").replace(/.{1,64}/g, "$&\n");
  return { cert: made.cert, key: `-----BEGIN EC PRIVATE KEY-----\n${lines}-----END EC PRIVATE KEY-----\n` };
}

/** `openssl s_server`, TLS from the first octet on; what it is sent comes back line by line, each reversed. */
export class OpensslServer implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #dir: string;

  private constructor(port: number, child: Deno.ChildProcess, dir: string) {
    this.port = port;
    this.#child = child;
    this.#dir = dir;
  }

  /** `chain`: what it shows beside its own, in that order. */
  static async start(own: Made, chain: readonly Made[] = [], args: readonly string[] = []): Promise<OpensslServer> {
    const dir = Deno.makeTempDirSync({ prefix: "s_server" });
    Deno.writeTextFileSync(join(dir, "cert"), own.cert);
    Deno.writeTextFileSync(join(dir, "key"), own.key);
    Deno.writeTextFileSync(join(dir, "chain"), chain.map(({ cert }) => cert).join(""));
    const child = new Deno.Command("openssl", {
      args: [
        ...["s_server", "-accept", "127.0.0.1:0", "-cert", "cert", "-key", "key", "-rev"],
        ...(chain.length === 0 ? [] : ["-cert_chain", "chain"]),
        ...args,
      ],
      cwd: dir,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    for (;;) {
      const { done, value = "" } = await lines.read();
      said += value;
      const port = /^ACCEPT \S*:([0-9]+)$/m.exec(said)?.[1];
      if (port !== undefined) {
        // Its pipe must not fill up.
        (async () => {
          while (!(await lines.read()).done);
        })().catch(() => {});
        return new OpensslServer(Number(port), child, dir);
      }
      if (done) throw new Error(`openssl s_server: ${said}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#child.status;
    Deno.removeSync(this.#dir, { recursive: true });
  }
}

/** A connection to a port of this machine that nobody reads yet. */
export function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.pause();
      resolve(socket);
    });
  });
}
