/**
 * Who may connect to a QMQP server: it takes mail for anybody, so only those whom control/qmqpclients names may.
 * @module
 */
import { canonicalIp } from "../../config/ip/parse_ip.ts";
import { isLoopback } from "../../config/ip/ranges.ts";
import type { Controls } from "../../config/schema.ts";
import { netAddress } from "../lib/permissions/grant.ts";
import { clientAddress, networkOf, NetworkSet } from "../lib/policy/networks.ts";
import type { TcpListening } from "../lib/server/listening.ts";
import type { Arriving, VisitorBook } from "../lib/server/reception.ts";

/** Where control/qmqpclients is absent. */
const loopback = ["127.0.0.0/8", "::1"];

export class QmqpClients implements VisitorBook<Arriving> {
  readonly #clients: NetworkSet;
  readonly #proxies: NetworkSet;
  readonly needHost = false;

  constructor({ qmqpclients, proxyclients }: Pick<Controls, "proxyclients" | "qmqpclients">) {
    this.#clients = new NetworkSet(qmqpclients === "absent" ? loopback : qmqpclients);
    this.#proxies = new NetworkSet(proxyclients);
  }

  at(remoteAddress: string | undefined): Arriving {
    const ip = clientAddress(remoteAddress);
    // No limit of connections for one of them: a front end has a connection for each message.
    return {
      ip,
      network: networkOf(ip),
      trusted: true,
      isProxy: this.#proxies.has(ip),
      denied: !this.#clients.has(ip),
    };
  }

  named(remoteAddress: string | undefined): Arriving {
    return this.at(remoteAddress);
  }
}

/** What is wrong with listening there: an open relay would be made by a file that was forgotten. */
export function listeningDefects(
  listening: readonly TcpListening<"qmqp">[],
  qmqpclients: Controls["qmqpclients"],
): string[] {
  if (qmqpclients !== "absent") return [];
  return listening.filter(({ host }) => !isLoopback(canonicalIp(host))).map((one) =>
    `Cannot use control file "listeners": expected control/qmqpclients to say whose mail for anybody is taken at qmqp ${
      netAddress(one)
    }, it is not there`
  );
}
