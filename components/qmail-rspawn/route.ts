/**
 * Where the recipients of a delivery go, and how: which of them share a destination, and which route that destination
 * has. First control/authsenders decides, by the sender; then `!@` of smtproutes, for the null sender; then qmtproutes and
 * smtproutes, by the domain (qmail-remote(8): the whole name, then each suffix that begins with a dot, then the empty key).
 * @module
 */
import { domainOf, lowerCaseAscii } from "../lib/address/parse_domain.ts";
import type { DomainIps } from "../lib/routing/local_addresses.ts";
import type { Route, Routes } from "../lib/routing/route.ts";
import { nullSenderKey, type SenderRoutes } from "../lib/routing/routes_files.ts";
import type { TlsWish } from "../lib/tls/client_policy.ts";
import { type TlsDestinations, tlsWishOf } from "../lib/tls/destinations_file.ts";
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
export function findRoute(routes: Routes, domain: string): Route | undefined {
  if (routes.has(domain)) return routes.get(domain);
  for (let dot = domain.indexOf("."); dot >= 0; dot = domain.indexOf(".", dot + 1)) {
    const suffix = domain.slice(dot);
    if (routes.has(suffix)) return routes.get(suffix);
  }
  return routes.get("");
}

/** Recipients that go together, by their places in the request. */
export interface Group {
  /** Lower-cased: that of the first, where a relay takes several; `undefined` for recipients that have none. */
  readonly domain: string | undefined;
  readonly places: readonly number[];
}

/** Recipients by where they go: those of one domain, or all that one relay takes on the same terms. */
export function groupByWay(recipients: readonly string[], sender: string, controls: RemoteControls): readonly Group[] {
  const groups = groupByDomain(recipients);
  if (groups.length < 2) return groups;
  const senderDomain = domainOf(sender);
  const byRoute = new Map<Route, Map<TlsWish, number[]>>();
  return groups.filter(({ domain, places }) => {
    const route = domain === undefined ? undefined : routeOf(domain, sender, senderDomain, controls);
    if (domain === undefined || route === undefined) return true;
    const wish = route.tls ?? tlsWishOf(controls.tlsdestinations, domain);
    let byWish = byRoute.get(route);
    if (byWish === undefined) byRoute.set(route, byWish = new Map());
    const together = byWish.get(wish);
    if (together !== undefined) {
      for (const place of places) together.push(place);
      return false;
    }
    byWish.set(wish, places);
    return true;
  });
}

/** Recipients by domain, which is what stands behind the last "@". */
export function groupByDomain(
  recipients: readonly string[],
): { readonly domain: string | undefined; readonly places: number[] }[] {
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
  readonly authsenders: SenderRoutes;
  readonly domainips: DomainIps;
  readonly helohost: string;
  readonly moreipme: readonly string[];
  readonly mxprivate: boolean;
  readonly mxps: boolean;
  readonly notipme: readonly string[];
  readonly outgoingip: readonly string[];
  readonly qmtproutes: Routes;
  readonly remoteport: number;
  readonly smtproutes: Routes;
  readonly timeoutconnect: number;
  readonly timeoutremote: number;
  readonly tlsclientca: readonly string[] | "built in";
  readonly tlsdestinations: TlsDestinations;
}

/** What qmail-remote is told besides the message, its sender and recipients. */
export type Destination = Omit<RemoteRequest, "id" | "sizeBytes" | "sender" | "recipients" | "options">;

// The longest a timer takes, 24 days; a longer one would fire at once.
const longestTimerMs = 2 ** 31 - 1;

/** Where and how mail for `domain` (lower-cased) from `sender` is sent. */
export function destinationOf(domain: string, sender: string, controls: RemoteControls): Destination {
  const senderDomain = domainOf(sender);
  const route = routeOf(domain, sender, senderDomain, controls);
  const { moreipme, notipme } = controls;
  const leaves = controls.domainips.get(senderDomain) ?? controls.domainips.get("");
  return {
    domain,
    relayHost: route?.host,
    port: route?.port ?? controls.remoteport,
    helo: leaves?.helo ?? controls.helohost,
    connectTimeoutMs: Math.min(controls.timeoutconnect * 1000, longestTimerMs),
    timeoutMs: Math.min(controls.timeoutremote * 1000, longestTimerMs),
    privateAddresses: controls.mxprivate,
    protocol: route?.protocol ?? "smtp",
    tls: wishFor(domain, route, controls),
    mxps: controls.mxps,
    // As far as qmail-remote is given a way there.
    ipv6: true,
    localAddresses: leaves !== undefined && leaves.addresses.length > 0 ? leaves.addresses : controls.outgoingip,
    ...(moreipme.length + notipme.length === 0 ? {} : { own: { more: moreipme, fewer: notipme } }),
    ...(route?.login === undefined ? {} : { login: route.login }),
  };
}

/** The route's own wish; else the domain's; else its relay's. */
function wishFor(domain: string, route: Route | undefined, { tlsclientca, tlsdestinations }: RemoteControls): TlsWish {
  if (route?.tls !== undefined) {
    return tlsclientca === "built in" ? route.tls : { ...route.tls, authorities: tlsclientca };
  }
  const wish = tlsWishOf(tlsdestinations, domain, tlsclientca);
  return wish.isDefault && route !== undefined ? tlsWishOf(tlsdestinations, route.host, tlsclientca) : wish;
}

function routeOf(
  domain: string,
  sender: string,
  senderDomain: string,
  { authsenders, qmtproutes, smtproutes }: RemoteControls,
): Route | undefined {
  if (authsenders.size > 0) {
    const whole = lowerCaseAscii(sender);
    const bySender = authsenders.get(whole) ??
      (whole.includes("@") ? authsenders.get(`@${senderDomain}`) : undefined);
    if (bySender !== undefined) return bySender;
  }
  // A double bounce has no sender either.
  if ((sender === "" || sender === "#@[]") && smtproutes.has(nullSenderKey)) return smtproutes.get(nullSenderKey);
  const byQmtp = qmtproutes.size === 0 ? undefined : findRoute(qmtproutes, domain);
  return byQmtp ?? findRoute(smtproutes, domain);
}
