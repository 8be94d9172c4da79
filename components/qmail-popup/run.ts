/**
 * qmail-popup's shell: binds the ports, gives up root, has clients received, and lets them end in order.
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Controls } from "../../config/schema.ts";
import type { Ids } from "../lib/permissions/grant.ts";
import { NetworkSet } from "../lib/policy/networks.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { become } from "../lib/process/ids_args.ts";
import { apopChallenge } from "../lib/sasl/apop.ts";
import { authenticatorOver } from "../lib/sasl/auth_client.ts";
import type { Authenticator, Mechanism } from "../lib/sasl/authenticator.ts";
import { offeredMechanisms } from "../lib/sasl/offered.ts";
import { openPort, portsOf, relabel } from "../lib/server/listening.ts";
import { type Limits, Places } from "../lib/server/places.ts";
import { queueAwayMs, readTls, receiveAt } from "../lib/server/shell.ts";
import type { TlsContexts } from "../lib/tls/contexts.ts";
import { Client } from "../lib/wire/client.ts";
import { openingAt } from "./mailbox_link.ts";
import { listeningOf } from "./permissions.ts";
import { Reception, type Rules } from "./reception.ts";
import type { Values } from "./service.ts";

/** The name of the protocol for clients that insist on one (ALPN). */
const protocols = ["pop3"];
/** What makes a challenge one that nobody can foresee. */
const challengeBytes = 12;

/** Clients that the network lies behind. */
const thisMachine = new NetworkSet(["127.0.0.0/8", "::1"]);

function limitsOf({ concurrencypop3: connections }: Controls): Limits {
  return { connections, perClient: Math.ceil(connections / 2) };
}

function mechanismsOf({ smtpauth, checkpassword, pop3apop }: Controls): readonly Mechanism[] {
  // Without those of AUTH nobody asks auth anything, see permissions.ts.
  if (smtpauth.length === 0) return [];
  return [...offeredMechanisms(smtpauth, checkpassword.length > 0), ...(pop3apop ? ["APOP" as const] : [])];
}

function rulesOf(controls: Controls, contexts: TlsContexts | undefined, authenticator: Authenticator): Rules {
  const { me, pop3apop, pop3plaintext, timeoutpop3d } = controls;
  const mechanisms = mechanismsOf(controls);
  return {
    proxies: new NetworkSet(controls.proxyclients),
    valuesFor: (ip): Values => {
      const random = randomBytes(challengeBytes).toString("hex");
      const challenge = apopChallenge(Deno.pid, Math.floor(Date.now() / 1000), random, me);
      return {
        settings: {
          me,
          mechanisms,
          startTls: contexts !== undefined,
          needsTls: !pop3plaintext && !thisMachine.has(ip),
          apopChallenge: pop3apop && mechanisms.includes("APOP") ? challenge : undefined,
        },
        timeoutSeconds: timeoutpop3d,
        authenticator: mechanisms.length > 0 ? authenticator : undefined,
        ...(contexts === undefined ? {} : { startTls: (socket) => socket.startTls(contexts, { protocols }) }),
      };
    },
  };
}

export function run({ home, portOffset, successor = false }: Start, ids?: Ids): Running {
  const controls = new ControlValues(home, "qmail-popup");
  const tls = readTls(home, controls.current);
  if (!tls.ok) throw new CannotStart(tls.error.join("; "));

  const auth = new Client(home.socket("auth"), { connectMs: queueAwayMs });
  const authenticator = authenticatorOver(auth, { mechanisms: () => mechanismsOf(controls.current) });
  const places = new Places(limitsOf(controls.current));
  const rules = rulesOf(controls.current, tls.value, authenticator);
  const reception = new Reception(places, rules, openingAt(home.socket("qmail-pop3d"), home.socket("qmail-pop3spawn")));

  const listening = () => listeningOf(controls.current.listeners, portOffset);
  const doors = listening().flatMap((one) => openPort(one, { shared: successor }) ?? []);
  become(ids);
  if (doors.length === 0) {
    throw new CannotStart('nothing to listen on: expected a line "pop3 address:port" in control/listeners');
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
      reception.rules = rulesOf(controls.current, contexts.value, authenticator);
      relabel(doors, listening());
      return [];
    },
    stop: async () => {
      await receiving.stop();
      auth.close();
    },
    handOver: async () => {
      await receiving.handOver();
      auth.close();
    },
  };
}
