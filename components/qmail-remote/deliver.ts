/**
 * One delivery: finds the addresses, tries them in order, keeps or closes the connection.
 * @module
 */
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { logEvent } from "../lib/log/log.ts";
import type { DeliveryReport, RemoteRequest } from "../lib/wire/delivery_protocol.ts";
import { type Connection, dial } from "./connection.ts";
import { surveyContent } from "./content.ts";
import { converse, type Outcome } from "./converse.ts";
import { findAddresses, type Surroundings } from "./find_addresses.ts";
import type { IdleConnections } from "./idle_connections.ts";
import { forAll, noConnection } from "./reports.ts";
import { Session, type Transaction } from "./session.ts";
import type { TcpTimeouts } from "./tcpto.ts";

/** What deliveries share. */
export interface Shared extends Surroundings {
  readonly idle: IdleConnections;
  readonly tcpTimeouts: TcpTimeouts;
}

/** Delivers to all recipients of `request`; one report each. */
export async function deliver(
  request: RemoteRequest,
  body: MessageBody,
  shared: Shared,
): Promise<readonly DeliveryReport[]> {
  const addresses = await findAddresses(request, shared);
  if (!addresses.ok) return forAll(request.recipients.length, addresses.error);
  const content = surveyContent(body.sizeBytes, body.first);
  let last = noConnection;
  for (const ip of addresses.value) {
    const { helo, sender, recipients } = request;
    const outcome = await tryAddress({ ip, helo, sender, recipients, content }, request, body, shared);
    if (outcome?.kind === "done") return outcome.reports;
    if (outcome !== undefined) last = outcome.report;
  }
  return forAll(request.recipients.length, last);
}

/** Undefined: no connection. */
async function tryAddress(
  transaction: Transaction,
  { port, connectTimeoutMs, timeoutMs }: RemoteRequest,
  body: MessageBody,
  { idle, tcpTimeouts }: Shared,
): Promise<Outcome | undefined> {
  const { ip, helo } = transaction;
  const key = `${ip} ${port} ${helo}`;

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
  if (tcpTimeouts.skips(ip, Date.now())) return undefined;
  const dialled = await dial(ip, port, connectTimeoutMs);
  switch (dialled.kind) {
    case "connected":
      tcpTimeouts.connected(ip);
      return await play(dialled.connection, new Session(transaction), 0);
    case "timeout":
      tcpTimeouts.timedOut(ip, Date.now());
      return undefined;
    case "not granted":
      logEvent("not_granted", { ip, port });
      return undefined;
    case "refused":
      return undefined;
  }
}
