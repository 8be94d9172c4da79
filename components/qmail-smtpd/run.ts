/**
 * qmail-smtpd's shell: binds the ports, gives up root, has clients received, and lets them end in order.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import type { Ids } from "../lib/permissions/grant.ts";
import { compilePolicy } from "../lib/policy/compile.ts";
import { policyOf } from "../lib/policy/policy.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { become } from "../lib/process/ids_args.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { authenticatorOver } from "../lib/sasl/auth_client.ts";
import { offeredMechanisms } from "../lib/sasl/offered.ts";
import { type Door, openPort, openSocket, portsOf, relabel } from "../lib/server/listening.ts";
import { type Limits, Places, shareOf } from "../lib/server/places.ts";
import { Reception } from "../lib/server/reception.ts";
import { queueAwayMs, readTls, receiveAt } from "../lib/server/shell.ts";
import type { TlsContexts } from "../lib/tls/contexts.ts";
import { Client } from "../lib/wire/client.ts";
import { asksOf } from "../lib/server/asks.ts";
import { Entrances } from "./entrances.ts";
import { Askable } from "../lib/server/oracles.ts";
import { type Listening, listeningOf } from "./permissions.ts";
import { SmtpHouse } from "./reception.ts";
import { WayIn } from "../lib/server/way_in.ts";

export interface SmtpdStart {
  /** Whom to become once the ports are bound. */
  readonly ids?: Ids | undefined;
  /** Which of several processes this is. */
  readonly instance?: number;
}

function limitsOf({ concurrencyincoming, concurrencyperclient, smtpdprocesses }: Controls): Limits {
  return shareOf({ connections: concurrencyincoming, perClient: concurrencyperclient }, smtpdprocesses);
}

/** The ports while it may be root; with several processes each of them listens at every one. */
function openPorts(listening: readonly Listening[], shared: boolean): Door<Listening>[] {
  return listening.flatMap((one) => one.kind === "tcp" ? openPort(one, { shared }) ?? [] : []);
}

/** Unix sockets are made by the account that has their folder, and cannot be shared: the first process has them. */
function openSockets(listening: readonly Listening[], instance: number): Door<Listening>[] {
  if (instance > 1) return [];
  return listening.flatMap((one) => one.kind === "unix" ? openSocket(one) ?? [] : []);
}

export function run({ home, portOffset, successor = false }: Start, { ids, instance = 1 }: SmtpdStart = {}): Running {
  const controls = new ControlValues(home, "qmail-smtpd");
  const tls = readTls(home, controls.current);
  if (!tls.ok) throw new CannotStart(tls.error.join("; "));

  const queue = new Client(home.socket("qmail-queue"), { connectMs: queueAwayMs });
  const auth = new Client(home.socket("auth"), { connectMs: queueAwayMs });
  const oracles = new Askable(home);
  const places = new Places(limitsOf(controls.current));
  const authenticator = authenticatorOver(auth, {
    mechanisms: () => offeredMechanisms(controls.current.smtpauth, controls.current.checkpassword.length > 0),
  });
  const entrancesOf = (contexts: TlsContexts | undefined): Entrances => {
    const { current } = controls;
    const rules = compilePolicy(current, { plugins: new Set(current.smtpplugins.keys()) });
    return new Entrances({
      controls: current,
      policy: policyOf(rules, oracles),
      contexts,
      authenticator: asksOf(current, home).auth ? authenticator : undefined,
      isStressed: () => places.stressed,
    });
  };
  // As qmail-queue notes it down: qmaild's where that is known (to ask the system would take a right of its own).
  const wayIn = new WayIn({
    home,
    queue,
    hooks: oracles.hooks,
    places,
    uid: ids?.uid ?? 0,
    filtering: () => controls.current,
  });
  const house = new SmtpHouse({
    entrances: entrancesOf(tls.value),
    service: {
      queue,
      uid: ids?.uid ?? 0,
      begin: (facts, host) => wayIn.begin({ facts, host }),
    },
  });
  const reception = new Reception({ places, house, hostOf: (ip) => oracles.hostOf(ip) });

  const listening = () => listeningOf(controls.current.listeners, portOffset, home);
  const ports = openPorts(listening(), successor || controls.current.smtpdprocesses > 1);
  become(ids);
  const doors = [...ports, ...openSockets(listening(), instance)];
  if (doors.length === 0) {
    throw new CannotStart('nothing to listen on: expected a line "smtp address:port" in control/listeners');
  }
  const receiving = receiveAt(doors, reception);
  return {
    ports: portsOf(doors),
    reload: () => {
      const defects = controls.reload();
      if (defects.length > 0) return defects;
      const contexts = readTls(home, controls.current);
      if (!contexts.ok) return contexts.error;
      places.limits = limitsOf(controls.current);
      house.entrances = entrancesOf(contexts.value);
      relabel(doors, listening());
      return [];
    },
    stop: async () => {
      await receiving.stop();
      for (const client of [queue, auth, oracles, wayIn]) client.close();
    },
    handOver: async () => {
      await receiving.handOver();
      for (const client of [queue, auth, oracles, wayIn]) client.close();
    },
  };
}
