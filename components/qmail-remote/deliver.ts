/**
 * One delivery: finds the addresses, tries them in order, keeps or closes the connection.
 * @module
 */
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { logEvent } from "../lib/log/log.ts";
import type { MessageOptions } from "../lib/queue/message_options.ts";
import type { DeliveryReport, RemoteRequest } from "../lib/wire/delivery_protocol.ts";
import { type Connection, dial } from "./connection.ts";
import { hasEightBitHeader, isBinary, surveyContent } from "./content.ts";
import { converse, type Outcome } from "./converse.ts";
import { findAddresses, type Surroundings } from "./find_addresses.ts";
import type { IdleConnections } from "./idle_connections.ts";
import { forAll, noConnection, report } from "./reports.ts";
import { Session, type Transaction } from "./session.ts";
import type { Slots } from "./slots.ts";
import type { TcpTimeouts } from "./tcpto.ts";

/** What deliveries share. */
export interface Shared extends Surroundings {
  readonly idle: IdleConnections;
  readonly slots: Slots;
  readonly tcpTimeouts: TcpTimeouts;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
  /** What this delivery asks {@link TcpTimeouts.skips} with. */
  readonly nextSpread: () => number;
}

/**
 * Delivers to all recipients of `request`; one report each. Takes a slot only when there is somebody to connect to: mail
 * for hosts that time out is deferred at once, however busy the slots are.
 */
export async function deliver(
  request: RemoteRequest,
  body: MessageBody,
  shared: Shared,
): Promise<readonly DeliveryReport[]> {
  const unfit = await unfitFor(request.options, body);
  if (unfit !== undefined) return forAll(request.recipients.length, unfit);
  const addresses = await findAddresses(request, shared);
  if (!addresses.ok) return forAll(request.recipients.length, addresses.error);
  const spread = shared.nextSpread();
  const skips = (ip: string) => shared.tcpTimeouts.skips(ip, shared.nowMs(), spread);
  if (addresses.value.every((ip) => skips(ip) && !shared.idle.has(keyOf(ip, request)))) {
    return forAll(request.recipients.length, noConnection);
  }
  return await shared.slots.run(() => tryAll(addresses.value, request, body, shared, skips));
}

const needsTls = report("D", "Message requires TLS to the next host, which I cannot give it. (#5.7.30)");
const needsBinary = report("D", "Message is binary, and I can only send text. (#5.6.3)");

/** What is wrong with sending a message, whoever the next host is. */
async function unfitFor(options: MessageOptions | undefined, body: MessageBody): Promise<DeliveryReport | undefined> {
  // TODO: as soon as this speaks TLS: a server that offers REQUIRETLS within it (RFC 8689 §4.2.1) may have the message.
  if (options?.requireTls === true) return needsTls;
  if (options?.body === "BINARYMIME" && await isBinary(body)) return needsBinary;
  return undefined;
}

/** Which kept connections may carry a request to `ip`. */
function keyOf(ip: string, { port, helo }: RemoteRequest): string {
  return `${ip} ${port} ${helo}`;
}

async function tryAll(
  addresses: readonly string[],
  request: RemoteRequest,
  body: MessageBody,
  shared: Shared,
  skips: (ip: string) => boolean,
): Promise<readonly DeliveryReport[]> {
  const { helo, sender, recipients, options } = request;
  const content = surveyContent(body.sizeBytes, body.first);
  const utf8Header = options?.smtputf8 === true && hasEightBitHeader(body.first);
  let last = noConnection;
  for (const ip of addresses) {
    const transaction = { ip, helo, sender, recipients, content, options, utf8Header };
    const outcome = await tryAddress(transaction, request, body, shared, skips);
    if (outcome?.kind === "done") return outcome.reports;
    if (outcome !== undefined) last = outcome.report;
  }
  return forAll(recipients.length, last);
}

/** Undefined: no connection. */
async function tryAddress(
  transaction: Transaction,
  request: RemoteRequest,
  body: MessageBody,
  { idle, tcpTimeouts, nowMs }: Shared,
  skips: (ip: string) => boolean,
): Promise<Outcome | undefined> {
  const { port, connectTimeoutMs, timeoutMs } = request;
  const { ip } = transaction;
  const key = keyOf(ip, request);

  const play = async (connection: Connection, session: Session, transactions: number): Promise<Outcome> => {
    const outcome = await converse(connection, session, body, timeoutMs);
    if (outcome.kind === "done" && outcome.reusable) {
      idle.keep(key, { connection, peer: session.peer, transactions: transactions + 1 });
    } else connection.close(outcome.farewell);
    return outcome;
  };

  const kept = idle.take(key);
  if (kept !== undefined) {
    const outcome = await play(kept.connection, new Session(transaction, kept.peer), kept.transactions);
    // A connection that was about to be closed says nothing about its server: ask again on a new one.
    if (outcome.kind === "done") return outcome;
  }
  if (skips(ip)) return undefined;
  const dialled = await dial(ip, port, connectTimeoutMs);
  switch (dialled.kind) {
    case "connected":
      tcpTimeouts.connected(ip);
      return await play(dialled.connection, new Session(transaction), 0);
    case "timeout":
      tcpTimeouts.timedOut(ip, nowMs());
      return undefined;
    case "not granted":
      logEvent("not_granted", { ip, port });
      return undefined;
    case "refused":
      return undefined;
  }
}
