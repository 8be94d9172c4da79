/**
 * qmail-remote's shell: takes deliveries from qmail-rspawn, asks the resolver, and speaks SMTP with other hosts.
 * @module
 */
import { Deliverer } from "../lib/delivery/deliverer.ts";
import { ResolverClient } from "../lib/dns/resolver_client.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { parseRemoteRequest, type RemoteRequest } from "../lib/wire/delivery_protocol.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { serveStatus } from "../lib/wire/status_server.ts";
import { parseTcpokRequest, type RemoteStatus } from "../lib/wire/tcpto_protocol.ts";
import { deliver, type Shared } from "./deliver.ts";
import { IdleConnections } from "./idle_connections.ts";
import { Slots } from "./slots.ts";
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
  const resolver = new ResolverClient(home);
  const shared: Shared = {
    resolve: (name, type) => resolver.resolve(name, type),
    random: Math.random,
    ownAddresses: ownAddressReader(),
    idle: new IdleConnections(),
    slots: new Slots(mostTransactions),
    tcpTimeouts: new TcpTimeouts(),
    nowMs,
    nextSpread: spreadCounter(),
  };
  const deliverers = new Map<Pipe, Deliverer<RemoteRequest>>();
  const onSurprise = (error: unknown) => logEvent("surprise", { reason: describeError(error) });

  const server = serveUnix(home.socket("qmail-remote"), {
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
    stop: async () => {
      server.stop();
      status.stop();
      await Promise.all(Array.from(deliverers.values(), (deliverer) => deliverer.finished()));
      shared.idle.closeAll();
      server.closeAll();
      status.closeAll();
      resolver.close();
    },
  };
}
