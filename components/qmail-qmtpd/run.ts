/**
 * qmail-qmtpd's shell: binds the ports, gives up root, has clients received, and lets them end in order.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { type Controls, schema } from "../../config/schema.ts";
import { log } from "../lib/log/log.ts";
import type { Ids } from "../lib/permissions/grant.ts";
import { compilePolicy } from "../lib/policy/compile.ts";
import { policyOf } from "../lib/policy/policy.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { become } from "../lib/process/ids_args.ts";
import { ok, type Result } from "../lib/result.ts";
import { acceptAll, openPort, portsOf, relabel } from "../lib/server/listening.ts";
import { Askable } from "../lib/server/oracles.ts";
import { type Limits, Places } from "../lib/server/places.ts";
import { Reception } from "../lib/server/reception.ts";
import { WayIn } from "../lib/server/way_in.ts";
import type { TlsContexts } from "../lib/tls/contexts.ts";
import { readTlsContexts } from "../lib/tls/files.ts";
import { Client } from "../lib/wire/client.ts";
import { QmtpHouse, type Surroundings } from "./house.ts";
import { listeningOf } from "./permissions.ts";

/** So long a message waits for a qmail-queue that is being started, before its client is told to try again. */
const queueAwayMs = 5000;

/** How long messages under way may go on coming in after a stop. */
const stopMs = 1500;

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
function readTls(home: Home, controls: Controls): Result<TlsContexts | undefined, string[]> {
  if (!controls.listeners.some(({ service }) => service === "qmtps")) return ok(undefined);
  const contexts = readTlsContexts(home, controls.tlsserverciphers, Date.now());
  if (contexts.ok) { for (const warning of contexts.value?.warnings ?? []) log(`warning: ${warning}`); }
  return contexts;
}

export function run({ home, portOffset }: Start, { ids }: { readonly ids?: Ids | undefined } = {}): Running {
  const files = new ControlValues(home, "qmail-qmtpd");
  const current = (): Controls => ({
    ...files.current,
    ...unasked,
    // The variable HELOCHECK would have it ask all the same.
    policy: files.current.policy.filter((rule) => rule !== "helocheck"),
  });
  const tls = readTls(home, current());
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
  const doors = listening().flatMap((one) => openPort(one, { shared: false }) ?? []);
  become(ids);
  if (doors.length === 0) {
    throw new CannotStart('nothing to listen on: expected a line "qmtp address:port" in control/listeners');
  }
  const accepting = doors.map((door) => acceptAll(door, (conn) => reception.onConn(door.listening, conn)));
  const clock = setInterval(() => reception.tick(), 1000);
  return {
    ports: portsOf(doors),
    reload: () => {
      const defects = files.reload();
      if (defects.length > 0) return defects;
      const contexts = readTls(home, current());
      if (!contexts.ok) return contexts.error;
      places.limits = limitsOf(current());
      house.surroundings = surroundingsOf(contexts.value);
      relabel(doors, listening());
      return [];
    },
    stop: async () => {
      for (const { listener } of doors) listener.close();
      await Promise.all(accepting);
      await reception.stop(stopMs);
      clearInterval(clock);
      for (const client of [queue, oracles, wayIn]) client.close();
    },
  };
}
