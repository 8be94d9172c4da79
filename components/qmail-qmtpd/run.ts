/**
 * qmail-qmtpd's shell: binds the ports, gives up root, has clients received, and lets them end in order.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { type Controls, schema } from "../../config/schema.ts";
import type { Ids } from "../lib/permissions/grant.ts";
import { compilePolicy } from "../lib/policy/compile.ts";
import { policyOf } from "../lib/policy/policy.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { become } from "../lib/process/ids_args.ts";
import { ok, type Result } from "../lib/result.ts";
import { openPort, portsOf, relabel } from "../lib/server/listening.ts";
import { Askable } from "../lib/server/oracles.ts";
import { type Limits, Places } from "../lib/server/places.ts";
import { Reception } from "../lib/server/reception.ts";
import { queueAwayMs, readTls, receiveAt } from "../lib/server/shell.ts";
import { WayIn } from "../lib/server/way_in.ts";
import type { TlsContexts } from "../lib/tls/contexts.ts";
import { Client } from "../lib/wire/client.ts";
import { QmtpHouse, type Surroundings } from "./house.ts";
import { listeningOf } from "./permissions.ts";

/** Control files of rules that have nothing to look at here: there is no HELO, no greeting, no login, no proxy's word. */
const unasked = {
  badhelo: schema.badhelo.default!,
  greetdelay: 0,
  helocheck: "",
  senderlogins: new Map(),
  xclients: [],
} as const;

function limitsOf({ concurrencyincoming, concurrencyperclient }: Controls): Limits {
  return { connections: concurrencyincoming, perClient: concurrencyperclient };
}

/** Nothing is read of certificates where nobody speaks TLS: there is no right to. */
function readTlsIfSpoken(home: Home, controls: Controls): Result<TlsContexts | undefined, string[]> {
  return controls.listeners.some(({ service }) => service === "qmtps") ? readTls(home, controls) : ok(undefined);
}

export function run(
  { home, portOffset, successor = false }: Start,
  { ids }: { readonly ids?: Ids | undefined } = {},
): Running {
  const files = new ControlValues(home, "qmail-qmtpd");
  const current = (): Controls => ({
    ...files.current,
    ...unasked,
    // The variable HELOCHECK would have it ask all the same.
    policy: files.current.policy.filter((rule) => rule !== "helocheck"),
  });
  const tls = readTlsIfSpoken(home, current());
  if (!tls.ok) throw new CannotStart(tls.error.join("; "));

  const queue = new Client(home.socket("qmail-queue"), { connectMs: queueAwayMs });
  const oracles = new Askable(home);
  const places = new Places(limitsOf(current()));
  const surroundingsOf = (contexts: TlsContexts | undefined): Surroundings => {
    const controls = current();
    const plugins = new Set(controls.smtpplugins.keys());
    return { controls, contexts, policy: policyOf(compilePolicy(controls, { plugins }), oracles) };
  };
  // As qmail-queue notes it down: qmaild's where that is known (to ask the system would take a right of its own).
  const wayIn = new WayIn({
    home,
    queue,
    hooks: oracles.hooks,
    places,
    uid: ids?.uid ?? 0,
    filtering: () => files.current,
  });
  const house = new QmtpHouse({
    surroundings: surroundingsOf(tls.value),
    begin: (facts) => wayIn.begin({ facts, way: "qmtp" }),
    isStressed: () => places.stressed,
  });
  const reception = new Reception({ places, house, hostOf: (ip) => oracles.hostOf(ip) });

  const listening = () => listeningOf({ controls: current(), portOffset });
  const doors = listening().flatMap((one) => openPort(one, { shared: successor }) ?? []);
  become(ids);
  if (doors.length === 0) {
    throw new CannotStart('nothing to listen on: expected a line "qmtp address:port" in control/listeners');
  }
  const receiving = receiveAt(doors, reception);
  return {
    ports: portsOf(doors),
    reload: () => {
      const defects = files.reload();
      if (defects.length > 0) return defects;
      const contexts = readTlsIfSpoken(home, current());
      if (!contexts.ok) return contexts.error;
      places.limits = limitsOf(current());
      house.surroundings = surroundingsOf(contexts.value);
      relabel(doors, listening());
      return [];
    },
    stop: async () => {
      await receiving.stop();
      for (const client of [queue, oracles, wayIn]) client.close();
    },
    handOver: async () => {
      await receiving.handOver();
      for (const client of [queue, oracles, wayIn]) client.close();
    },
  };
}
