/**
 * qmail-remote's shell: takes deliveries from qmail-rspawn, asks the resolver, and speaks SMTP with other hosts.
 * @module
 */
import { Deliverer } from "../lib/delivery/deliverer.ts";
import { ResolverClient } from "../lib/dns/resolver_client.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { netAddress } from "../lib/permissions/grant.ts";
import { parseRemoteRequest, type RemoteRequest } from "../lib/wire/delivery_protocol.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { mayCall } from "../lib/wire/may_call.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { serveStatus } from "../lib/wire/status_server.ts";
import { StsClient } from "../lib/wire/sts_client.ts";
import { parseTcpokRequest, type RemoteStatus } from "../lib/wire/tcpto_protocol.ts";
import { TlsrptClient } from "../lib/wire/tlsrpt_client.ts";
import { deliver, type Shared } from "./deliver.ts";
import { Families } from "./families.ts";
import { IdleConnections } from "./idle_connections.ts";
import { Slots } from "../lib/process/slots.ts";
import { spreads, TcpTimeouts } from "./tcpto.ts";

/** Transactions under way at once; each may hold a piece of a message and a connection. */
const mostTransactions = 40;
// An interface that comes up is known soon enough; asking the system for each message is not free.
const ownAddressesMs = 10_000;

function ownAddressReader(): () => ReadonlySet<string> {
  let addresses: ReadonlySet<string> = new Set();
  let readAtMs = -Infinity;
  return () => {
    if (Date.now() - readAtMs >= ownAddressesMs) {
      addresses = new Set(Deno.networkInterfaces().map(({ address }) => address));
      readAtMs = Date.now();
    }
    return addresses;
  };
}

/** Asked of deno once an address: an attempt beyond the grant would end the process, not only the connection. */
function grantReader(hasDial6: boolean): (address: string) => boolean {
  const known = new Map<string, boolean>();
  return (address) => {
    let granted = known.get(address);
    if (granted === undefined) {
      const host = netAddress({ host: address, port: 0 });
      // dial6 binds those of IPv6 itself, where it is the one that connects.
      granted = (hasDial6 && address.includes(":")) ||
        Deno.permissions.querySync({ name: "net", host }).state === "granted";
      known.set(address, granted);
    }
    return granted;
  };
}

function afterMs(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

/** 0, 1, … 31, 0, …: see {@link TcpTimeouts.skips}. */
function spreadCounter(): () => number {
  let deliveries = 0;
  return () => deliveries++ % spreads;
}

/** What tests put in the place of the world. */
export interface RunOptions {
  /** A clock that never goes back, whatever is done to the time of day. */
  readonly nowMs?: () => number;
}

/** Starts serving. */
export function run({ home }: Start, { nowMs = () => performance.now() }: RunOptions = {}): Running {
  // None of them connects before it is asked.
  const resolver = new ResolverClient(home);
  const sts = new StsClient(home);
  const tlsrpt = new TlsrptClient(home);
  const hasIpv6 = mayCall(home, "dial6");
  const shared: Shared = {
    sts,
    tlsrpt,
    hasIpv6,
    dial6: hasIpv6 ? home.socket("dial6") : undefined,
    families: new Families(),
    clock: { nowMs, after: afterMs },
    mayLeaveFrom: grantReader(hasIpv6),
    resolve: (name, type) => resolver.resolve(name, type),
    random: Math.random,
    ownAddresses: ownAddressReader(),
    idle: new IdleConnections(),
    slots: new Slots(mostTransactions),
    tcpTimeouts: new TcpTimeouts(),
    qmtpTimeouts: new TcpTimeouts(),
    nowMs,
    nextSpread: spreadCounter(),
  };
  const deliverers = new Map<Pipe, Deliverer<RemoteRequest>>();
  const onSurprise = (error: unknown) => logEvent("surprise", { reason: describeError(error) });

  const server = serveUnix(home.socket("qmail-remote"), {
    // qmail-rspawn keeps its connection until it ends itself.
    keepsSessions: true,
    onOpen: (pipe) => {
      deliverers.set(
        pipe,
        new Deliverer(pipe, parseRemoteRequest, (request, body) => deliver(request, body, shared), onSurprise),
      );
    },
    onFrame: (frame, pipe) => {
      if (frame.head["op"] !== "tcpok") return deliverers.get(pipe)?.take(frame);
      const { id } = parseTcpokRequest(frame);
      logEvent("tcpok", { records: shared.tcpTimeouts.clear() });
      pipe.send({ id });
    },
    onClose: (pipe) => {
      deliverers.get(pipe)?.end();
      deliverers.delete(pipe);
    },
    onError: (error) => logEvent("garbage", { socket: "qmail-remote", reason: describeError(error) }),
  });
  const status = serveStatus(home, "remote-status", (): RemoteStatus => {
    return { tcpTimeouts: shared.tcpTimeouts.list(nowMs()) };
  });

  return {
    remembers: () => [shared.tcpTimeouts, shared.qmtpTimeouts].some((table) => table.counts(nowMs())),
    stop: async () => {
      server.stop();
      status.stop();
      await Promise.all(Array.from(deliverers.values(), (deliverer) => deliverer.finished()));
      shared.idle.closeAll();
      server.closeAll();
      status.closeAll();
      resolver.close();
      sts.close();
      tlsrpt.close();
    },
  };
}
