/**
 * Asks the resolver what mx.ts needs to know.
 * @module
 */
import { isAddress } from "../../config/values.ts";
import { ok, type Result } from "../lib/result.ts";
import type { DeliveryReport, RemoteRequest } from "../lib/wire/delivery_protocol.ts";
import type { RecordType, ResolveReply } from "../lib/wire/resolver_protocol.ts";
import { addressesOf, exchangersOf, type Found, lookupOf, relayAddressesOf } from "./mx.ts";

/** One question to the resolver. Never rejects: trouble is the status "temporary". */
export type Resolve = (name: string, type: RecordType) => Promise<ResolveReply>;

/** What a search needs of the world besides the resolver. */
export interface Surroundings {
  readonly resolve: Resolve;
  /** A number from 0 to 1. */
  readonly random: () => number;
  readonly ownAddresses: () => ReadonlySet<string>;
}

/** The addresses to try for a request, in order; or the report that ends it. */
export async function findAddresses(
  { domain, relayHost, privateAddresses }: Pick<RemoteRequest, "domain" | "relayHost" | "privateAddresses">,
  { resolve, random, ownAddresses }: Surroundings,
): Promise<Result<readonly string[], DeliveryReport>> {
  if (relayHost !== undefined) {
    return isAddress(relayHost) ? ok([relayHost]) : relayAddressesOf(relayHost, await resolve(relayHost, "A"));
  }
  const lookup = lookupOf(domain);
  if (!lookup.ok) return lookup;
  const policy = { own: ownAddresses(), privateAddresses };
  if (lookup.value.kind === "address") {
    const reply: ResolveReply = { status: "ok", authenticated: false, records: [{ value: lookup.value.address }] };
    return addressesOf(domain, [{ exchanger: { host: domain, preference: 0 }, reply }], policy);
  }
  const { name } = lookup.value;
  const mx = await resolve(name, "MX");
  const exchangers = exchangersOf(name, mx, mx.records.map(random));
  if (!exchangers.ok) return exchangers;
  const found: Found[] = await Promise.all(exchangers.value.map(async (exchanger) => {
    return { exchanger, reply: await resolve(exchanger.host, "A") };
  }));
  return addressesOf(name, found, policy);
}
