/**
 * Which TLSA records are asked for about a mail server, and what the answers mean (RFC 7672 §2.1, §2.2).
 * @module
 */
import { isIP } from "node:net";
import type { TlsaRecord } from "../tls/client_policy.ts";
import type { RecordType, ResolveReply } from "../wire/resolver_protocol.ts";
import { tlsaOf } from "./tlsa.ts";

/** The server that mail is to go to. */
export interface DaneHost {
  readonly host: string;
  /** Whether the answers about its addresses, and the one that named it, had AD. */
  readonly authenticated: boolean;
  /** The name its aliases end at, where it is one. */
  readonly canonical?: string;
  /** Whether the answer that named it had AD, whatever its addresses' had: an alias may lead out of what is signed. */
  readonly nameAuthenticated?: boolean;
}

export type DaneAnswer =
  /** DANE says nothing about this server. */
  | { readonly kind: "none" }
  /** It has records, none of which means anything here: TLS, whoever answers (RFC 7672 §2.2). */
  | { readonly kind: "unusable" }
  /** `base`: the name they belong to, which the server is asked for. */
  | { readonly kind: "records"; readonly records: readonly TlsaRecord[]; readonly base: string }
  /** Nobody could say, or what was said is forged: no mail there now. */
  | { readonly kind: "temporary" };

const none: DaneAnswer = { kind: "none" };

/** Whether DANE may have something to say at all; if not, nobody has to be asked. */
export function mayHaveDane({ host, authenticated, canonical, nameAuthenticated }: DaneHost): boolean {
  return isIP(host) === 0 && (authenticated || (canonical !== undefined && nameAuthenticated === true));
}

/** Asks. Never rejects, where `resolve` does not. */
export async function lookUpDane(
  server: DaneHost,
  port: number,
  resolve: (name: string, type: RecordType) => Promise<ResolveReply>,
): Promise<DaneAnswer> {
  if (!mayHaveDane(server)) return none;
  const bases = await basesOf(server, resolve);
  if (bases === undefined) return { kind: "temporary" };
  for (const base of bases) {
    const reply = await resolve(`_${port}._tcp.${base}`, "TLSA");
    if (reply.status === "temporary") return { kind: "temporary" };
    // Without AD: the zone is provably not signed, for a forged answer would have been "temporary".
    if (reply.status !== "ok" || reply.records.length === 0 || !reply.authenticated) continue;
    const records = tlsaOf(reply.records);
    return records.length === 0 ? { kind: "unusable" } : { kind: "records", records, base };
  }
  return none;
}

/** RFC 7672 §2.2.2: the end of the aliases first, where all of them are signed; where only the first is, that name. Undefined: nobody can say. */
async function basesOf(
  { host, authenticated, canonical }: DaneHost,
  resolve: (name: string, type: RecordType) => Promise<ResolveReply>,
): Promise<readonly string[] | undefined> {
  if (authenticated) return canonical === undefined || canonical === host ? [host] : [canonical, host];
  const alias = await resolve(host, "CNAME");
  if (alias.status === "temporary") return undefined;
  return alias.status === "ok" && alias.authenticated ? [host] : [];
}
