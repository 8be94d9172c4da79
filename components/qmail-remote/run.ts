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
import { deliver, type Shared } from "./deliver.ts";
import { IdleConnections } from "./idle_connections.ts";
import { Slots } from "./slots.ts";
import { TcpTimeouts } from "./tcpto.ts";

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

/** Starts serving. */
export function run({ home }: Start): Running {
  const resolver = new ResolverClient(home);
  const slots = new Slots(mostTransactions);
  const shared: Shared = {
    resolve: (name, type) => resolver.resolve(name, type),
    random: Math.random,
    ownAddresses: ownAddressReader(),
    idle: new IdleConnections(),
    tcpTimeouts: new TcpTimeouts(),
  };
  const deliverers = new Map<Pipe, Deliverer<RemoteRequest>>();
  const onSurprise = (error: unknown) => logEvent("surprise", { reason: describeError(error) });

  const server = serveUnix(home.socket("qmail-remote"), {
    onOpen: (pipe) => {
      const slotted = (request: RemoteRequest, body: Parameters<typeof deliver>[1]) =>
        slots.run(() => deliver(request, body, shared));
      deliverers.set(pipe, new Deliverer(pipe, parseRemoteRequest, slotted, onSurprise));
    },
    onFrame: (frame, pipe) => deliverers.get(pipe)?.take(frame),
    onClose: (pipe) => {
      deliverers.get(pipe)?.end();
      deliverers.delete(pipe);
    },
    onError: (error) => logEvent("garbage", { socket: "qmail-remote", reason: describeError(error) }),
  });

  return {
    stop: async () => {
      server.stop();
      await Promise.all(Array.from(deliverers.values(), (deliverer) => deliverer.finished()));
      shared.idle.closeAll();
      server.closeAll();
      resolver.close();
    },
  };
}
