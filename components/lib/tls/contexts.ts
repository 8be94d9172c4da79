/**
 * The TLS side of a server as one value: certificates by the name a client asks for (SNI, RFC 6066 §3), the authorities of
 * clients' certificates, the protocol versions. Made anew when the files are read again; a connection keeps the one that it
 * began with.
 *
 * What Deno 2.9.6 offers on the server side, tried: `Deno.startTls` is for clients only, `Deno.listenTls` takes one
 * certificate for the listener's whole life, refuses no foreign ALPN and asks for no client certificate. node's
 * `tls.TLSSocket` (rustls beneath) over a stream of our own does all that: `SNICallback`, `ALPNCallback`, `requestCert`,
 * `minVersion`, TLS 1.2 and 1.3 and nothing older. What it does not do:
 * - `ciphers` has no effect on a server: see ciphers.ts.
 * - `createSecureContext` does not look whether key and certificate fit, nor whether it can use the key: certificate.ts does.
 * - `authorized` says nothing on such a socket: client_certificate.ts looks at the certificate itself. That the client has
 *   the certificate's private key is checked by the library; a test holds it to that.
 * - there is no session resumption and no renegotiation. Neither is missed.
 * @module
 */
import type { X509Certificate } from "node:crypto";
import type tls from "node:tls";
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { nodeTls } from "../process/builtin.ts";
import type { ServerCertificate } from "./certificate.ts";
import type { CipherChoice } from "./ciphers.ts";

/** A certificate as the TLS library takes it. */
export interface TlsContext {
  readonly certificate: ServerCertificate;
  readonly secureContext: tls.SecureContext;
}

export interface TlsContexts {
  /** For a client that names no host, or one that there is no certificate for. */
  readonly default: TlsContext;
  /** Further ones, by lower-case name; `*.example.org` for every name with one label more than example.org. */
  readonly byName: ReadonlyMap<string, TlsContext>;
  /** Who issues certificates to clients; empty: no client is asked for one. */
  readonly authorities: readonly X509Certificate[];
  /** For the log, each with the file's name in front. */
  readonly warnings: readonly string[];
}

export interface ContextOptions {
  readonly authorities?: readonly X509Certificate[];
  readonly ciphers?: CipherChoice;
}

/** Throws what the TLS library says where it does not take a certificate that was parsed. */
export function makeContext(certificate: ServerCertificate, options: ContextOptions = {}): TlsContext {
  const { authorities = [], ciphers } = options;
  const secureContext = nodeTls().createSecureContext({
    cert: certificate.chain,
    key: certificate.key,
    minVersion: ciphers?.tls12 === false ? "TLSv1.3" : "TLSv1.2",
    ...(authorities.length === 0 ? {} : { ca: authorities.map((authority) => authority.toString()) }),
  });
  return { certificate, secureContext };
}

/** The context for the name that a client asks for; whatever the name is, there is one. */
export function chooseContext(contexts: TlsContexts, servername: string): TlsContext {
  const name = lowerCaseAscii(servername);
  const dot = name.indexOf(".");
  return contexts.byName.get(name) ?? (dot > 0 ? contexts.byName.get(`*${name.slice(dot)}`) : undefined) ??
    contexts.default;
}
