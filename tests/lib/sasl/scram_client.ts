/**
 * The client's side of SCRAM-SHA-256 (RFC 5802 §3), written apart from the server's.
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

const hmac = (key: Uint8Array, text: string) => createHmac("sha256", key).update(text, "latin1").digest();

export interface ScramClientOptions {
  /** Up to the second comma. */
  readonly gs2Header?: string;
  readonly nonce?: string;
  /** The channel's octets, behind the header. */
  readonly endPoint?: Uint8Array;
}

export class ScramClient {
  readonly #password: string;
  readonly #gs2Header: string;
  readonly #endPoint: Uint8Array;
  readonly #bare: string;
  #signature = "";

  /** Octet strings; `login` as it stands in the message. */
  constructor(login: string, password: string, options: ScramClientOptions = {}) {
    this.#password = password;
    this.#gs2Header = options.gs2Header ?? "n,,";
    this.#endPoint = options.endPoint ?? new Uint8Array(0);
    this.#bare = `n=${login},r=${options.nonce ?? "fyko+d2lbbFgONRv9qkxdawL"}`;
  }

  first(): string {
    return this.#gs2Header + this.#bare;
  }

  /** The answer to the server's first message. */
  final(serverFirst: string): string {
    const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=([0-9]+)$/.exec(serverFirst) ?? [];
    if (nonce === undefined) throw new Error(`no server-first-message: ${serverFirst}`);
    const channel = Buffer.concat([Buffer.from(this.#gs2Header, "latin1"), this.#endPoint]).toString("base64");
    const withoutProof = `c=${channel},r=${nonce}`;
    const password = Buffer.from(this.#password, "latin1");
    const salted = pbkdf2Sync(password, Buffer.from(salt!, "base64"), Number(iterations), 32, "sha256");
    const clientKey = hmac(salted, "Client Key");
    const signed = `${this.#bare},${serverFirst},${withoutProof}`;
    const clientSignature = hmac(createHash("sha256").update(clientKey).digest(), signed);
    const proof = Buffer.from(clientKey.map((octet, at) => octet ^ clientSignature[at]!)).toString("base64");
    this.#signature = hmac(hmac(salted, "Server Key"), signed).toString("base64");
    return `${withoutProof},p=${proof}`;
  }

  /** What the server has to say last. */
  get serverFinal(): string {
    return `v=${this.#signature}`;
  }
}
