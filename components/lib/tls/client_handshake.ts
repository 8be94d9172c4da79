/**
 * The client side of a TLS handshake with a mail server, over a connection that is there already, and the check of what the
 * server showed in it.
 *
 * Of the library (Deno 2.9.6: node's `tls.connect` with rustls beneath), tried: with `rejectUnauthorized: false` it checks
 * all the same whether an authority vouches for the server (`authorizationError`, in OpenSSL's words), whether the server
 * has its certificate's private key (a handshake fails where it has not; a test holds it to that), and hands out every
 * certificate that was shown, in that order. It speaks TLS 1.2 and 1.3 and nothing older. A handshake that fails for
 * whatever reason is often reported in the words of the certificate's trouble, so these are not believed there. It waits
 * for ever for a server that says nothing, or only warnings; and after a wrong record in a session it says `error` and
 * leaves the connection open.
 * @module
 */
import { X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import type { TlsFacts, TlsFlaw, TlsPolicy } from "./client_policy.ts";
import { type Failing, proofFailing, type Shown } from "./client_proof.ts";

/** What came of a handshake. */
export type SecureResult =
  | { readonly kind: "secured"; readonly socket: Duplex; readonly facts: TlsFacts }
  /** `text`: one line for a report, printable ASCII, without a final dot: what is wrong, such as "its certificate is another one". */
  | { readonly kind: "failed"; readonly flaw: TlsFlaw; readonly text: string };

export interface SecureOptions {
  /** What certificates' dates are compared with, in a DANE proof. */
  readonly nowMs?: number;
}

/** More certificates than this are not looked at. */
const mostShown = 20;
const longestText = 200;

/**
 * Shakes hands with the server at the other end of `socket`, to which nobody listens any more, and asks it for
 * `servername` (an address: for nothing), all within `timeoutMs`. Never rejects. After a failure the connection is
 * destroyed; after success `socket` belongs to the stream that is handed out, which ends with `error` or `close`.
 */
export function secure(
  socket: Socket,
  policy: TlsPolicy,
  servername: string,
  timeoutMs: number,
  { nowMs = Date.now() }: SecureOptions = {},
): Promise<SecureResult> {
  // Nothing would ever be heard on it.
  if (socket.destroyed) return Promise.resolve({ kind: "failed", ...broken("the connection was closed") });
  return new Promise((resolve) => {
    const secured = begin(socket, policy, servername);
    const fail = (failing: Failing): void => {
      clearTimeout(timer);
      secured?.destroy();
      socket.destroy();
      resolve({ kind: "failed", ...failing });
    };
    const timer = setTimeout(() => fail(broken("no end of the TLS handshake in time")), timeoutMs);
    // Stay in place: an error that comes late must not end the process, and has to end the connection.
    socket.on("error", (error: Error) => fail(broken(error.message)));
    if (secured === undefined) return fail(broken("this name cannot be asked for"));
    secured.on("error", (error: Error & { code?: string }) => fail(handshakeFailing(error)));
    const onClose = () => fail(broken("connection closed in the TLS handshake"));
    secured.once("close", onClose);
    secured.once("secureConnect", () => {
      clearTimeout(timer);
      secured.off("close", onClose);
      const failing = policy.proof === undefined ? undefined : proofFailing(policy.proof, shownBy(secured), nowMs);
      if (failing !== undefined && policy.enforced) return fail(failing);
      resolve({ kind: "secured", socket: secured, facts: factsOf(secured, policy, failing) });
    });
  });
}

/** Undefined where the library does not take the name. */
function begin(socket: Socket, { proof, servername: base }: TlsPolicy, servername: string): tls.TLSSocket | undefined {
  const asked = (base ?? servername).replace(/\.$/, "");
  try {
    return tls.connect({
      socket,
      servername: isIP(asked) === 0 ? asked : "",
      rejectUnauthorized: false,
      // Names are looked at after the chain, and not always the one that was asked for.
      checkServerIdentity: () => undefined,
      minVersion: "TLSv1.2",
      ...(proof?.kind === "authority" && proof.authorities !== undefined ? { ca: [...proof.authorities] } : {}),
    });
  } catch {
    return undefined;
  }
}

function factsOf(secured: tls.TLSSocket, policy: TlsPolicy, failing: Failing | undefined): TlsFacts {
  return {
    protocol: secured.getProtocol() ?? "unknown",
    cipher: secured.getCipher().name,
    proved: policy.proof !== undefined && failing === undefined,
    ...(failing === undefined ? {} : { flaw: failing.flaw }),
  };
}

function shownBy(secured: tls.TLSSocket): Shown {
  const chain: X509Certificate[] = [];
  const error: unknown = secured.authorizationError;
  const chainError = secured.authorized ? undefined : codeOf(error);
  const seen = new Set<tls.DetailedPeerCertificate>();
  let shown: tls.DetailedPeerCertificate | undefined = secured.getPeerCertificate(true);
  // The last one may name itself as its issuer.
  while (shown?.raw !== undefined && !seen.has(shown) && chain.length < mostShown) {
    seen.add(shown);
    try {
      chain.push(new X509Certificate(shown.raw));
    } catch {
      // What follows the server's own may be anything; without its own nothing is proved.
      if (chain.length === 0) break;
    }
    shown = shown.issuerCertificate;
  }
  return { chain, chainError };
}

/** A string in Deno, an Error in node. */
function codeOf(error: unknown): string {
  return error instanceof Error ? (error as { code?: string }).code ?? error.message : String(error);
}

function broken(message: string): Failing {
  return { flaw: "validation-failure", text: printable(message) };
}

/** What the library says of a certificate is what it would have said after the handshake as well, and not why that failed. */
function handshakeFailing({ code = "", message }: Error & { code?: string }): Failing {
  const isReason = code.startsWith("ERR_SSL") || code === "ECONNRESET";
  return broken(isReason ? message : "the TLS handshake failed");
}

function printable(message: string): string {
  return message.replace(/[^ -~]/g, "?").slice(0, longestText);
}
