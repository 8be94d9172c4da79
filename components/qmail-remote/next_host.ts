/**
 * One host that mail may go to: which policy holds for it, which of its addresses answers, what it says of the message,
 * and whether the connection is kept.
 * @module
 */
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { logEvent } from "../lib/log/log.ts";
import { ok, type Result } from "../lib/result.ts";
import type { TlsPolicy } from "../lib/tls/client_policy.ts";
import type { StsClient } from "../lib/wire/sts_client.ts";
import type { DeliveryReport, NextHop, RemoteRequest } from "../lib/wire/delivery_protocol.ts";
import type { TlsrptClient } from "../lib/wire/tlsrpt_client.ts";
import type { Connection } from "./connection.ts";
import { saysTlsOptional } from "./content.ts";
import { dial, type Dialled } from "./dial.ts";
import { type Clock, connectFirst, type Families } from "./families.ts";
import type { Resolve } from "./find_addresses.ts";
import type { IdleConnection, IdleConnections } from "./idle_connections.ts";
import { meansQmtp, type NextHost } from "./mx.ts";
import type { Outcome, Seen } from "./outcome.ts";
import { type Conversation, play } from "./play.ts";
import type { TcpTimeouts } from "./tcpto.ts";
import { deliverByQmtp } from "./qmtp_delivery.ts";
import { type HostPolicy, least, policyFor, type Refusal } from "./tls_policy.ts";
import { noteRefusal, noteTls } from "./tls_results.ts";
import type { Transaction } from "./transaction.ts";

/** What attempts share. */
export interface AttemptSurroundings {
  readonly resolve: Resolve;
  readonly sts: Pick<StsClient, "policy">;
  readonly tlsrpt: Pick<TlsrptClient, "isOn" | "note">;
  readonly idle: IdleConnections;
  readonly tcpTimeouts: TcpTimeouts;
  /** The same for QMTP by MX. */
  readonly qmtpTimeouts: TcpTimeouts;
  readonly families: Families;
  readonly clock: Clock;
  /** dial6's socket; undefined: no IPv6 but where a route names an address. */
  readonly dial6: string | undefined;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
  /** Whether our grant lets us connect from an address of this machine. */
  readonly mayLeaveFrom: (address: string) => boolean;
}

/** A request, and what is known of its message. */
export interface Mail {
  readonly request: RemoteRequest;
  readonly body: MessageBody;
  /** All of the transaction but the server's address. */
  readonly transaction: Omit<Transaction, "ip">;
  /** Whether an address timed out too often lately. */
  readonly skips: (ip: string) => boolean;
  /** Addresses that were tried in vain for this message. */
  readonly tried: Set<string>;
}

/** What came of a host. `next`: nothing that was the message's fault; `report` undefined: no connection. */
export type Attempt =
  | {
    readonly kind: "done";
    readonly reports: readonly DeliveryReport[];
    readonly hop: Hop;
    /** Places of recipients that another connection may be made for. */
    readonly left: readonly number[];
  }
  | { readonly kind: "next"; readonly report: DeliveryReport | undefined; readonly hop: Hop };

/** All of a {@link NextHop} but what it is paced by. */
export type Hop = Omit<NextHop, "site">;

/**
 * The policy for a message to `host`; or the refusal of a host that it must not be given to. A message may want what the
 * recipient's domain publishes passed over (RFC 8689 §5); what the operator has written stands.
 */
export async function policyOf(
  { name: host, authenticated, nameAuthenticated, canonical }: NextHost,
  { request, body }: Pick<Mail, "request" | "body">,
  { resolve, sts }: Pick<AttemptSurroundings, "resolve" | "sts">,
): Promise<Result<HostPolicy, Refusal>> {
  const byMx = request.relayHost === undefined;
  const alias = canonical === undefined ? {} : { canonical };
  const read = await policyFor({ host, authenticated, nameAuthenticated, ...alias, byMx }, request, { resolve, sts });
  const { tls: { level }, options } = request;
  const isPublished = read.ok ? read.value.source === "dane" || read.value.source === "sts" : level !== "dane";
  return isPublished && options?.requireTls !== true && saysTlsOptional(body.first) ? ok(least(request)) : read;
}

/**
 * Which kept connections may carry a request to `ip`: those that were made as a new one would be. The host's name is part
 * of that only where it has to be proved, so that hosts that share an address share its connections.
 */
export function keyOf(ip: string, host: NextHost, request: RemoteRequest, policy: TlsPolicy): string {
  const { port, helo, protocol, login } = request;
  const tls = policy.tls + (policy.implicit ? " implicit" : "") + (policy.requireTls ? " requiretls" : "");
  const proof = policy.proof === undefined ? "" : ` ${host.name} ${policy.enforced} ${JSON.stringify(policy.proof)}`;
  const user = login === undefined ? "" : ` ${JSON.stringify(login)}`;
  return `${ip} ${port} ${helo} ${protocol} ${localAddressFor(ip, request) ?? ""} ${tls}${proof}${user}`;
}

function localAddressFor(ip: string, { localAddresses }: RemoteRequest): string | undefined {
  const isSix = ip.includes(":");
  return localAddresses.find((address) => address.includes(":") === isSix);
}

/** One host, one message, and the policy between them. */
interface Way {
  readonly host: NextHost;
  readonly mail: Mail;
  readonly policy: HostPolicy;
  readonly shared: AttemptSurroundings;
}

/** The port of QMTP at a host whose preference means that. */
const qmtpPort = 209;
/** Who may as well be asked on port 25 is not waited for. */
const longestQmtpWaitMs = 5000;

/**
 * Tries `host` until one server has taken the message or refused it: over QMTP, where that is wanted and its preference
 * says so (MXPS), and as long as nothing came of that, as the request says.
 */
export async function tryHost(host: NextHost, mail: Mail, shared: AttemptSurroundings): Promise<Attempt> {
  const { request } = mail;
  const read = await policyOf(host, mail, shared);
  if (!read.ok) {
    if (isReported(mail, shared)) noteRefusal(read.error, { host, request }, shared.tlsrpt);
    return { kind: "next", report: read.error.report, hop: { host: host.name, ip: "", tls: "", code: 0 } };
  }
  const policy = read.value;
  if (request.mxps && request.relayHost === undefined && policy.tls !== "must" && meansQmtp(host.preference)) {
    const { nowMs, qmtpTimeouts } = shared;
    const attempt = await tryWay({
      host,
      policy,
      mail: {
        ...mail,
        request: {
          ...request,
          protocol: "qmtp",
          port: qmtpPort,
          connectTimeoutMs: Math.min(request.connectTimeoutMs, longestQmtpWaitMs),
        },
        skips: (ip) => qmtpTimeouts.skips(ip, nowMs(), 0),
        tried: new Set(),
      },
      // A port that is shut says nothing about the other one.
      shared: { ...shared, tcpTimeouts: qmtpTimeouts },
    });
    if (attempt.kind === "done") return attempt;
  }
  return await tryWay({ host, policy, mail, shared });
}

/** A kept connection to one of the host's addresses, then new ones. */
async function tryWay(way: Way): Promise<Attempt> {
  const { host, policy, mail, shared } = way;
  const { request, tried } = mail;
  const nowhere: Hop = { host: host.name, ip: "", tls: "", code: 0 };
  for (const ip of host.addresses) {
    const kept = shared.idle.take(keyOf(ip, host, request, policy));
    const attempt = kept && attemptOf(await converse(way, ip, kept.connection, kept), ip, way);
    // A connection that was about to be closed says nothing about its server: ask again on a new one.
    if (attempt?.kind === "done") return attempt;
  }
  let last: Attempt = { kind: "next", report: undefined, hop: nowhere };
  let left: readonly string[] = host.addresses.filter((ip) => !tried.has(ip) && !mail.skips(ip));
  while (left.length > 0) {
    last = last.report === undefined ? { ...last, hop: { ...nowhere, ip: left.at(-1)! } } : last;
    const reached = await connectFirst(left, (ip) => connect(ip, request, shared, tried), shared);
    if (reached.kind === "none") break;
    const ip = reached.address;
    last = attemptOf(await begin(way, ip, reached.connection), ip, way);
    if (last.kind === "done") return last;
    tried.add(ip);
    left = reached.rest;
  }
  return last;
}

function attemptOf(outcome: Outcome, ip: string, { host, policy }: Way): Attempt {
  const hop = { host: host.name, ip, tls: describeTls(outcome.seen, policy), code: outcome.seen.code };
  return outcome.kind === "done"
    ? { kind: "done", reports: outcome.reports, left: outcome.left, hop }
    : { kind: "next", report: outcome.report, hop };
}

/** For the log: what protects the connection, who wanted that, and where nothing does why; "" where nobody spoke. */
function describeTls({ tls, flaw, code }: Seen, { source, proof }: TlsPolicy): string {
  if (tls === undefined) return code === 0 ? "" : `none, ${source}${flaw === undefined ? "" : `, ${flaw}`}`;
  return `${tls.protocol} ${tls.cipher}, ${source}${proof !== undefined && !tls.proved ? ", not proved" : ""}`;
}

/** Whether anybody counts how TLS goes for this message. Two domains would report on their reports for ever. */
function isReported({ body }: Mail, { tlsrpt }: AttemptSurroundings): boolean {
  return tlsrpt.isOn && !saysTlsOptional(body.first);
}

/** The first words on a new connection; where TLS, which nobody demands, fails, on another one without it. */
async function begin(way: Way, ip: string, connection: Connection): Promise<Outcome> {
  const { host, mail: { request, tried }, policy, shared } = way;
  const outcome = await converse(way, ip, connection);
  if (isReported(way.mail, shared)) {
    const localAddress = localAddressFor(ip, request);
    noteTls({ host, ip, policy, seen: outcome.seen, request, localAddress }, shared.tlsrpt);
  }
  if (outcome.kind !== "plain") return outcome;
  const again = await connect(ip, request, shared, tried);
  if (again.kind !== "connected") return outcome;
  const plain = await converse({ ...way, policy: { ...policy, tls: "none" } }, ip, again.connection);
  return { ...plain, seen: { ...plain.seen, flaw: outcome.seen.flaw } };
}

/** Plays the message on a connection, and keeps or closes that. `kept`: it has been used before. */
async function converse(
  { host, mail: { request, body, transaction }, policy, shared }: Way,
  ip: string,
  connection: Connection,
  kept?: IdleConnection,
): Promise<Outcome> {
  const conversation: Conversation = {
    transaction: { ...transaction, ip },
    policy,
    host: policy.servername ?? host.name,
    protocol: request.protocol === "lmtp" ? "lmtp" : "smtp",
    login: request.login,
    peer: kept?.peer,
    tls: kept?.tls,
    transactions: kept?.transactions,
  };
  const speak = request.protocol === "qmtp" ? deliverByQmtp : play;
  const outcome = await speak(connection, conversation, body, request.timeoutMs);
  if (outcome.kind === "done" && outcome.reusable) {
    const transactions = (kept?.transactions ?? 0) + outcome.transactions;
    const { peer, seen: { tls } } = outcome;
    shared.idle.keep(keyOf(ip, host, request, policy), { connection, peer, tls, transactions });
  } else connection.close(outcome.farewell);
  return outcome;
}

/** A connection to `ip`; where there is none, it has been tried. */
async function connect(
  ip: string,
  request: RemoteRequest,
  { tcpTimeouts, nowMs, mayLeaveFrom, dial6 }: AttemptSurroundings,
  tried: Set<string>,
): Promise<Dialled> {
  const { port, connectTimeoutMs: timeoutMs } = request;
  const localAddress = localAddressFor(ip, request);
  if (localAddress !== undefined && !mayLeaveFrom(localAddress)) {
    logEvent("not_granted", { ip: localAddress, port: 0 });
    tried.add(ip);
    return { kind: "not granted" };
  }
  const dialled = await dial(ip, port, {
    timeoutMs,
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(dial6 === undefined ? {} : { dial6 }),
  });
  if (dialled.kind === "connected") tcpTimeouts.connected(ip);
  else tried.add(ip);
  if (dialled.kind === "timeout") tcpTimeouts.timedOut(ip, nowMs());
  if (dialled.kind === "not granted") logEvent("not_granted", { ip, port });
  return dialled;
}
