/**
 * One delivery: finds the hosts, tries them in order, and reports for each recipient.
 * @module
 */
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { selectRecipients } from "../lib/queue/message_options.ts";
import type { DeliveryReport, NextHop, RemoteRequest } from "../lib/wire/delivery_protocol.ts";
import { hasEightBitHeader, isBinary, surveyContent } from "./content.ts";
import { findAddresses, type Surroundings } from "./find_addresses.ts";
import type { NextHost } from "./mx.ts";
import { type AttemptSurroundings, type Hop, keyOf, type Mail, policyOf, tryHost } from "./next_host.ts";
import { forAll, noConnection } from "./reports.ts";
import { siteOf } from "./site.ts";
import type { Slots } from "../lib/process/slots.ts";

/** What deliveries share. */
export interface Shared extends Surroundings, AttemptSurroundings {
  readonly slots: Slots;
  /** Whether anything can be reached over IPv6 here. */
  readonly hasIpv6: boolean;
  /** What this delivery asks {@link TcpTimeouts.skips} with. */
  readonly nextSpread: () => number;
}

/**
 * Delivers to all recipients of `asked`; one report each. Takes a slot only when there is somebody to connect to: mail
 * for hosts that time out is deferred at once, however busy the slots are.
 */
export async function deliver(
  asked: RemoteRequest,
  body: MessageBody,
  shared: Shared,
): Promise<readonly DeliveryReport[]> {
  const request = asked.ipv6 && !shared.hasIpv6 ? { ...asked, ipv6: false } : asked;
  const { recipients } = request;
  const hosts = await findAddresses(request, shared);
  if (!hosts.ok) return forAll(recipients.length, hosts.error);
  const spread = shared.nextSpread();
  const skips = (ip: string) => shared.tcpTimeouts.skips(ip, shared.nowMs(), spread);
  const destination = destinationOf(request, hosts.value[0]!);
  if (
    hosts.value.every(({ addresses }) => addresses.every(skips)) &&
    !await isConnected(hosts.value, { request, body }, shared)
  ) {
    const { name, addresses } = hosts.value[0]!;
    return forAll(
      recipients.length,
      reportAt(noConnection, destination, { host: name, ip: addresses[0]!, tls: "", code: 0 }),
    );
  }
  return await shared.slots.run(async () => {
    const { helo, sender, options } = request;
    const transaction = {
      helo,
      sender,
      recipients,
      content: surveyContent(body.sizeBytes, body.first),
      options,
      utf8Header: options?.smtputf8 === true && hasEightBitHeader(body.first),
      binary: options?.body === "BINARYMIME" && await isBinary(body),
    };
    return await tryAll(hosts.value, { request, body, transaction, skips, tried: new Set() }, destination, shared);
  });
}

/** Whether a connection is kept to a host that times out otherwise. */
async function isConnected(
  hosts: readonly NextHost[],
  mail: Pick<Mail, "request" | "body">,
  shared: Shared,
): Promise<boolean> {
  const { request } = mail;
  for (const host of hosts) {
    const policy = await policyOf(host, mail, shared);
    if (!policy.ok) continue;
    if (host.addresses.some((ip) => shared.idle.has(keyOf(ip, host, request, policy.value)))) return true;
  }
  return false;
}

async function tryAll(
  hosts: readonly NextHost[],
  mail: Mail,
  destination: Destination,
  shared: Shared,
): Promise<readonly DeliveryReport[]> {
  const { recipients } = mail.transaction;
  let last: { readonly report: DeliveryReport; readonly hop: Hop } | undefined;
  for (const host of hosts) {
    const attempt = await tryHost(host, mail, shared);
    if (attempt.kind === "done") {
      const reports = reportsAt(attempt.reports, destination, attempt.hop);
      const { left } = attempt;
      // At least one recipient was asked about on each connection, so this comes to an end.
      if (left.length === 0 || left.length >= recipients.length) return reports;
      const others = await tryAll(hosts, onlyFor(left, mail), destination, shared);
      left.forEach((place, at) => reports[place] = others[at]!);
      return reports;
    }
    // What a server said is worth more than that another could not be reached.
    if (attempt.report !== undefined) last = { report: attempt.report, hop: attempt.hop };
    else if (last === undefined || last.report === noConnection) last = { report: noConnection, hop: attempt.hop };
  }
  return forAll(recipients.length, last === undefined ? noConnection : reportAt(last.report, destination, last.hop));
}

/** The same mail for some of its recipients. */
function onlyFor(places: readonly number[], mail: Mail): Mail {
  const { transaction } = mail;
  return {
    ...mail,
    transaction: {
      ...transaction,
      recipients: places.map((place) => transaction.recipients[place]!),
      options: transaction.options && selectRecipients(transaction.options, places),
    },
    tried: new Set(),
  };
}

function reportAt(report: DeliveryReport, destination: Destination, hop: Hop): DeliveryReport {
  return { ...report, next: { ...destination, ...hop } };
}

/** What recipients share they share from there on. */
function reportsAt(reports: readonly DeliveryReport[], destination: Destination, hop: Hop): DeliveryReport[] {
  const at = new Map<DeliveryReport, DeliveryReport>();
  return reports.map((report) => {
    const known = at.get(report) ?? reportAt(report, destination, hop);
    at.set(report, known);
    return known;
  });
}

/** What a report says of where mail goes, whichever host is tried. */
type Destination = Pick<NextHop, "site" | "relay">;

function destinationOf({ relayHost, port }: RemoteRequest, best: NextHost): Destination {
  return relayHost === undefined
    ? { site: siteOf(best.name) }
    : { site: siteOf(relayHost), relay: `${relayHost}:${port}` };
}
