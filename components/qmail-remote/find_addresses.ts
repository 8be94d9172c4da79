/**
 * Asks the resolver what mx.ts needs to know.
 * @module
 */
import { isAddress } from "../../config/values.ts";
import { ok, type Result } from "../lib/result.ts";
import { adjustOwn } from "../lib/routing/local_addresses.ts";
import type { DeliveryReport, RemoteRequest } from "../lib/wire/delivery_protocol.ts";
import type { RecordType, ResolveReply } from "../lib/wire/resolver_protocol.ts";
import { exchangersOf, hostsOf, lookupOf, type NextHost, relayHostOf } from "./mx.ts";

/** One question to the resolver. Never rejects: trouble is the status "temporary". */
export type Resolve = (name: string, type: RecordType) => Promise<ResolveReply>;

/** What a search needs of the world besides the resolver. */
export interface Surroundings {
  readonly resolve: Resolve;
  /** A number from 0 to 1. */
  readonly random: () => number;
  readonly ownAddresses: () => ReadonlySet<string>;
}

/** What a search needs of a request. */
export type Wanted = Pick<RemoteRequest, "domain" | "relayHost" | "privateAddresses" | "ipv6" | "own">;

/**
 * The hosts to try for a request, in order, with their addresses; or the report that ends it. All addresses are asked for
 * at once: who asks is answered from a cache as a rule, and otherwise waits for one round trip only.
 */
export async function findAddresses(
  { domain, relayHost, privateAddresses, ipv6, own }: Wanted,
  { resolve, random, ownAddresses }: Surroundings,
): Promise<Result<readonly NextHost[], DeliveryReport>> {
  const repliesFor = ipv6
    ? (name: string) => Promise.all([resolve(name, "A"), resolve(name, "AAAA")])
    : async (name: string) => [await resolve(name, "A")];
  if (relayHost !== undefined) {
    if (!isAddress(relayHost)) return relayHostOf(relayHost, await repliesFor(relayHost));
    const unsigned = { authenticated: false, nameAuthenticated: false };
    return ok([{ name: relayHost, preference: 0, addresses: [relayHost], ...unsigned }]);
  }
  const lookup = lookupOf(domain);
  if (!lookup.ok) return lookup;
  const policy = { own: own === undefined ? ownAddresses() : adjustOwn(ownAddresses(), own), privateAddresses };
  if (lookup.value.kind === "address") {
    const { address } = lookup.value;
    const records = ipv6 || !address.includes(":") ? [{ value: address }] : [];
    const literal: ResolveReply = { status: "ok", authenticated: false, records };
    return hostsOf(domain, [{ exchanger: { host: address, preference: 0 }, replies: [literal] }], policy, literal);
  }
  const { name } = lookup.value;
  const mx = await resolve(name, "MX");
  const exchangers = exchangersOf(name, mx, mx.records.map(random));
  if (!exchangers.ok) return exchangers;
  const found = await Promise.all(exchangers.value.map(async (exchanger) => {
    return { exchanger, replies: await repliesFor(exchanger.host) };
  }));
  return hostsOf(name, found, policy, mx);
}
