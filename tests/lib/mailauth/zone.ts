/** A DNS of a few lines, in the resolver's place. */
import { type Resolve } from "../../../components/lib/mailauth/lookups.ts";
import { Lookups } from "../../../components/lib/mailauth/lookups.ts";
import type { ResolveReply } from "../../../components/lib/wire/resolver_protocol.ts";

/** By `name TYPE`; "silent" in the place of records. An MX is `preference host`. A name with other types has no data. */
export type Zone = Readonly<Record<string, readonly string[] | "silent">>;

export interface TestResolver {
  readonly resolve: Resolve;
  /** `name TYPE` in the order of asking. */
  readonly asked: string[];
}

export function resolverOf(zone: Zone): TestResolver {
  const records = new Map(Object.entries(zone));
  const names = new Set([...records.keys()].map((key) => key.split(" ")[0]));
  const asked: string[] = [];
  const resolve: Resolve = (name, type) => {
    const lower = name.toLowerCase();
    asked.push(`${lower} ${type}`);
    const found = records.get(`${lower} ${type}`);
    if (found === "silent") return reply("temporary");
    if (found === undefined) return reply(names.has(lower) ? "nodata" : "nxdomain");
    return reply("ok", found.map((text) => type === "MX" ? mx(text) : { value: text }));
  };
  return { resolve, asked };
}

function mx(text: string) {
  const [preference = "", value = ""] = text.split(" ");
  return { value, preference: Number(preference) };
}

function reply(status: ResolveReply["status"], records: ResolveReply["records"] = []): Promise<ResolveReply> {
  return Promise.resolve({ status, authenticated: false, records });
}

/** For one message, without an end. */
export function lookupsIn(zone: Zone, most = 100): Lookups {
  return new Lookups({ resolve: resolverOf(zone).resolve, most, signal: new AbortController().signal });
}
