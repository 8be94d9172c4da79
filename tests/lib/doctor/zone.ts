/** A DNS for the doctor's examinations, and a site for it to know. @module */
import type { ResolveReply } from "../../../components/lib/wire/resolver_protocol.ts";
import { ok } from "../../../components/lib/result.ts";
import type { Ask } from "../../../components/lib/doctor/ask.ts";
import type { Site } from "../../../components/lib/doctor/site.ts";

/** By `name TYPE`: values (of MX `10 host`), or nobody knows. A name that is in no key does not exist. */
export type FakeZone = Readonly<Record<string, readonly string[] | "silent">>;

/** Asks a zone; `signed`: all its answers have AD. */
export function asking(zone: FakeZone, { signed = false } = {}): Ask {
  return (name, type): Promise<ResolveReply> => {
    const entry = zone[`${name.toLowerCase()} ${type}`];
    const exists = Object.keys(zone).some((key) => key.startsWith(`${name.toLowerCase()} `));
    if (entry === "silent") return Promise.resolve({ status: "temporary", authenticated: false, records: [] });
    const records = (entry ?? []).map((text) => {
      const [, preference, value] = type === "MX" ? /^(\d+) (.*)$/.exec(text)! : [];
      return preference === undefined ? { value: text } : { value: value!, preference: Number(preference) };
    });
    const alias = type !== "CNAME" && zone[`${name.toLowerCase()} CNAME`] !== undefined;
    const status = records.length > 0 ? "ok" : exists ? "nodata" : "nxdomain";
    return Promise.resolve({
      status,
      authenticated: signed,
      records,
      ...(alias ? { canonical: "elsewhere.example" } : {}),
    });
  };
}

export const site: Site = {
  me: "mail.a.example",
  helo: "mail.a.example",
  addresses: ["192.0.2.1"],
  addressesFrom: "--ip",
  notTaken: undefined,
  keys: [],
  certificates: ok(undefined),
  privateAddresses: false,
};
