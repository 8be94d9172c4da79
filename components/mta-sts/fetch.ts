/**
 * Fetches one policy: `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` (RFC 8461 §3.3), the server's certificate proved for
 * that name.
 * @module
 */
import { connect, type Socket } from "node:net";
import tls from "node:tls";
import { fromOctets } from "../lib/octets.ts";
import { HttpResponseReader, type HttpResult } from "../lib/sts/http_response.ts";
import { parsePolicyText, type StsPolicy } from "../lib/sts/policy_text.ts";
import type { TlsFlaw } from "../lib/tls/client_policy.ts";
import type { RecordType, ResolveReply } from "../lib/wire/resolver_protocol.ts";
import { policyAddresses } from "./hosts.ts";

/** `why`: one line for the log. */
export type FetchResult =
  | { readonly kind: "policy"; readonly policy: StsPolicy }
  | { readonly kind: "failed"; readonly flaw: TlsFlaw; readonly why: string };

export interface FetchOptions {
  readonly resolve: (name: string, type: RecordType) => Promise<ResolveReply>;
  readonly port: number;
  readonly privateAddresses: boolean;
  /** PEM; undefined: those deno has. */
  readonly authorities: readonly string[] | undefined;
  /** For all of it. RFC 8461 §3.3 has a minute as the longest. */
  readonly limitMs: number;
}

/** Of the whole limit: so that a dead address leaves time for the next. */
const connectShare = 1 / 3;

/** Never rejects. */
export async function fetchPolicy(domain: string, options: FetchOptions): Promise<FetchResult> {
  const endMs = performance.now() + options.limitMs;
  const host = `mta-sts.${domain}`;
  const addresses = policyAddresses(await options.resolve(host, "A"), options.privateAddresses);
  if (addresses.length === 0) return failed("sts-policy-fetch-error", "it has no public IPv4 address");
  let last = failed("sts-policy-fetch-error", "no answer in time");
  for (const address of addresses) {
    const leftMs = endMs - performance.now();
    if (leftMs <= 0) break;
    const socket = await dial(address, options.port, Math.min(leftMs, options.limitMs * connectShare));
    if (typeof socket === "string") last = failed("sts-policy-fetch-error", socket);
    else return await exchange(socket, host, endMs - performance.now(), options.authorities);
  }
  return last;
}

function failed(flaw: TlsFlaw, why: string): FetchResult {
  return { kind: "failed", flaw, why };
}

/** A connection, or why there is none. */
function dial(host: string, port: number, timeoutMs: number): Promise<Socket | string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const giveUp = (why: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(why);
    };
    const timer = setTimeout(() => giveUp("no connection in time"), timeoutMs);
    const onError = (error: Error) => giveUp(`no connection: ${codeOf(error)}`);
    socket.on("error", onError);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      socket.on("error", () => socket.destroy());
      resolve(socket);
    });
  });
}

/** Asks over a connection, and ends it. */
function exchange(
  socket: Socket,
  host: string,
  timeoutMs: number,
  authorities: readonly string[] | undefined,
): Promise<FetchResult> {
  return new Promise((resolve) => {
    const reader = new HttpResponseReader();
    let isSecured = false;
    const finish = (result: FetchResult) => {
      clearTimeout(timer);
      secured.destroy();
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish(failed("sts-policy-fetch-error", "no answer in time")), timeoutMs);
    const take = (result: HttpResult | undefined) => result !== undefined && finish(readResult(result));
    const secured = tls.connect({
      socket,
      servername: host,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      ALPNProtocols: ["http/1.1"],
      ...(authorities === undefined ? {} : { ca: [...authorities] }),
    });
    secured.once("secureConnect", () => {
      isSecured = true;
      secured.write(formatRequest(host));
    });
    secured.on("data", (octets: Uint8Array) => take(reader.push(fromOctets(octets))));
    secured.once("end", () => take(reader.end()));
    secured.on("error", (error: Error) => finish(flawOf(error, isSecured)));
    secured.once("close", () => finish(failed("sts-policy-fetch-error", "the connection was lost")));
  });
}

function formatRequest(host: string): string {
  return [
    "GET /.well-known/mta-sts.txt HTTP/1.1",
    `Host: ${host}`,
    "Accept: text/plain",
    "User-Agent: dqmail",
    "Connection: close",
    "\r\n",
  ].join("\r\n");
}

function readResult(result: HttpResult): FetchResult {
  if (result.kind === "refused") return failed("sts-policy-fetch-error", result.why);
  const policy = parsePolicyText(result.text);
  return policy.ok ? { kind: "policy", policy: policy.value } : failed("sts-policy-invalid", policy.error);
}

/** Before the handshake is over, whatever is not the network's is the certificate's. */
function flawOf(error: Error, isSecured: boolean): FetchResult {
  const code = codeOf(error);
  const isNetworks = isSecured || ["ECONNRESET", "EPIPE", "ETIMEDOUT"].includes(code);
  return isNetworks
    ? failed("sts-policy-fetch-error", `the connection was lost: ${code}`)
    : failed("sts-webpki-invalid", code);
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.name;
}
