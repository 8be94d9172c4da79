/**
 * qmail-qmqpd's shell: binds the ports, gives up root, has clients received, and lets them end in order.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import { loggingHops, routeOf } from "../lib/filters/controls.ts";
import { ChainSubmission } from "../lib/filters/hand_on.ts";
import type { Ids } from "../lib/permissions/grant.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { become } from "../lib/process/ids_args.ts";
import { Connection } from "../lib/qmtp/connection.ts";
import { Submission } from "../lib/queue/submission.ts";
import { openPort, portsOf, relabel } from "../lib/server/listening.ts";
import { type Limits, Places } from "../lib/server/places.ts";
import { type Arriving, type House, Reception } from "../lib/server/reception.ts";
import { queueAwayMs, receiveAt } from "../lib/server/shell.ts";
import { Client } from "../lib/wire/client.ts";
import { listeningDefects, QmqpClients } from "./clients.ts";
import { QmqpDesk } from "./desk.ts";
import { listeningOf } from "./permissions.ts";

function limitsOf({ concurrencyincoming, concurrencyperclient }: Controls): Limits {
  return { connections: concurrencyincoming, perClient: concurrencyperclient };
}

export function run(
  { home, portOffset, successor = false }: Start,
  { ids }: { readonly ids?: Ids | undefined } = {},
): Running {
  const controls = new ControlValues(home, "qmail-qmqpd");
  const listening = () => listeningOf({ controls: controls.current, portOffset });
  const defects = () => listeningDefects(listening(), controls.current.qmqpclients);
  if (defects().length > 0) throw new CannotStart(defects().join("; "));

  const queue = new Client(home.socket("qmail-queue"), { connectMs: queueAwayMs });
  const hops = loggingHops(home);
  const places = new Places(limitsOf(controls.current));
  let visitors = new QmqpClients(controls.current);
  const house: House<"qmqp", Arriving, never> = {
    get visitors() {
      return visitors;
    },
    isTlsFirst: () => false,
    secure: () => Promise.reject(new Error("there is no TLS here")),
    welcome: (socket, { visitor: { ip } }, _, onClose) => {
      const { me, timeoutsmtpd } = controls.current;
      const begin = () => {
        // All that is known of it: it stands in control/qmqpclients, and may send mail to the whole world.
        const client = { entrance: "qmqp", ip, helo: "", tls: false, relaying: true };
        const route = routeOf(controls.current, "qmqp", client);
        return route === undefined
          ? new Submission(queue, "network", ids?.uid ?? 0)
          : new ChainSubmission(hops, { origin: "network", uid: ids?.uid ?? 0, route });
      };
      const desk = new QmqpDesk({ ip, me, begin, now: Date.now });
      return new Connection(socket, { protocol: "qmqp", ip, desk, timeoutSeconds: () => timeoutsmtpd, onClose });
    },
    farewell: () => undefined,
    hasNoGoodbye: true,
  };
  const reception = new Reception({ places, house });

  const doors = listening().flatMap((one) => openPort(one, { shared: successor }) ?? []);
  become(ids);
  if (doors.length === 0) {
    throw new CannotStart('nothing to listen on: expected a line "qmqp address:port" in control/listeners');
  }
  const receiving = receiveAt(doors, reception);
  return {
    ports: portsOf(doors),
    reload: () => {
      const before = controls.reload();
      if (before.length > 0) return before;
      places.limits = limitsOf(controls.current);
      visitors = new QmqpClients(controls.current);
      relabel(doors, listening());
      return defects();
    },
    stop: async () => {
      await receiving.stop();
      for (const client of [queue, hops]) client.close();
    },
    handOver: async () => {
      await receiving.handOver();
      for (const client of [queue, hops]) client.close();
    },
  };
}
