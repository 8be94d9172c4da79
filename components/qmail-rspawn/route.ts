/**
 * Where the recipients of a delivery go: which of them share a destination, and which route of control/smtproutes that
 * destination has (qmail-remote(8): the whole name, then each suffix that begins with a dot, then the empty key).
 * @module
 */
import type { Endpoint, Routes } from "../../config/values.ts";
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import type { RemoteRequest } from "../lib/wire/delivery_protocol.ts";

/**
 * The route of `domain` (lower-cased); `undefined`: by MX.
 *
 * @example
 * ```ts
 * import { findRoute } from "./route.ts";
 * const routes = new Map([[".example.org", { host: "relay.example", port: 25 }], ["mx.example.org", undefined]]);
 * findRoute(routes, "a.b.example.org"); // { host: "relay.example", port: 25 }
 * findRoute(routes, "mx.example.org"); // undefined: an entry without a relay is an exception
 * ```
 */
export function findRoute(routes: Routes, domain: string): Endpoint | undefined {
  if (routes.has(domain)) return routes.get(domain);
  for (let dot = domain.indexOf("."); dot >= 0; dot = domain.indexOf(".", dot + 1)) {
    const suffix = domain.slice(dot);
    if (routes.has(suffix)) return routes.get(suffix);
  }
  return routes.get("");
}

/** Recipients with one domain, by their places in the request. */
export interface Group {
  /** Lower-cased; `undefined` for recipients that have none. */
  readonly domain: string | undefined;
  readonly places: readonly number[];
}

/** Recipients by domain, which is what stands behind the last "@". qmail-send sends one domain at a time already. */
export function groupByDomain(recipients: readonly string[]): Group[] {
  const groups = new Map<string | undefined, number[]>();
  recipients.forEach((recipient, place) => {
    const at = recipient.lastIndexOf("@");
    const domain = at < 0 ? undefined : lowerCaseAscii(recipient.slice(at + 1));
    const places = groups.get(domain);
    if (places === undefined) groups.set(domain, [place]);
    else places.push(place);
  });
  return Array.from(groups, ([domain, places]) => ({ domain, places }));
}

/** The values of qmail-rspawn's control files that go into a request. */
export interface RemoteControls {
  readonly helohost: string;
  readonly mxprivate: boolean;
  readonly remoteport: number;
  readonly smtproutes: Routes;
  readonly timeoutconnect: number;
  readonly timeoutremote: number;
}

/** What qmail-remote is told besides the message, its sender and recipients. */
export type Destination = Omit<RemoteRequest, "id" | "sizeBytes" | "sender" | "recipients" | "options">;

// The longest a timer takes, 24 days; a longer one would fire at once.
const longestTimerMs = 2 ** 31 - 1;

/** Where and how mail for `domain` is sent. */
export function destinationOf(domain: string, controls: RemoteControls): Destination {
  const route = findRoute(controls.smtproutes, domain);
  return {
    domain,
    relayHost: route?.host,
    port: route?.port ?? controls.remoteport,
    helo: controls.helohost,
    connectTimeoutMs: Math.min(controls.timeoutconnect * 1000, longestTimerMs),
    timeoutMs: Math.min(controls.timeoutremote * 1000, longestTimerMs),
    privateAddresses: controls.mxprivate,
  };
}
