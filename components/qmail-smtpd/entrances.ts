/**
 * What a connection takes from the control files, by the entrance it came through and whom it is with: made once for each
 * kind of connection and reading of the files.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import { parseDomain } from "../lib/address/parse_domain.ts";
import { utf8Octets } from "../lib/octets.ts";
import type { Entrance, Policy } from "../lib/policy/decision.ts";
import type { Authenticator } from "../lib/sasl/authenticator.ts";
import { type Dialect, type Settings, usualErrors } from "../lib/smtp/server_settings.ts";
import { readVariables } from "../lib/tcprules/variables.ts";
import type { TlsContexts } from "../lib/tls/contexts.ts";
import { isForSubmission } from "../lib/server/asks.ts";
import { stressErrors, stressTimeoutSeconds } from "./overload.ts";
import type { Values } from "./service.ts";
import { type Visitor, Visitors } from "../lib/server/visitors.ts";

/** What the entrances share. */
export interface Surroundings {
  readonly controls: Controls;
  readonly policy: Policy;
  /** Undefined: there is no certificate. */
  readonly contexts: TlsContexts | undefined;
  /** Undefined: nobody can log in. */
  readonly authenticator: Authenticator | undefined;
  /** Whether there are more connections than usual, at the moment of asking. */
  readonly isStressed: () => boolean;
}

const dialects: Readonly<Record<Entrance, Dialect>> = {
  smtp: "smtp",
  submission: "submission",
  submissions: "submission",
  lmtp: "lmtp",
};

export class Entrances {
  readonly visitors: Visitors;
  readonly #surroundings: Surroundings;
  readonly #made = new Map<string, Values>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.visitors = new Visitors(surroundings.controls);
  }

  /** For a client of an entrance; `stranger`: it gets less patience under stress. */
  valuesFor(entrance: Entrance, visitor: Visitor, stranger: boolean): Values {
    const { environment, mayXclient } = visitor;
    const { databytes = this.#surroundings.controls.databytes } = environment.size === 0
      ? {}
      : readVariables(environment);
    const key = `${entrance} ${databytes} ${mayXclient} ${stranger}`;
    let values = this.#made.get(key);
    if (values === undefined) {
      values = this.#make(entrance, databytes, mayXclient, stranger);
      this.#made.set(key, values);
    }
    return values;
  }

  #make(entrance: Entrance, databytes: number, xclient: boolean, stranger: boolean): Values {
    const { controls, policy, contexts, authenticator, isStressed } = this.#surroundings;
    const logsIn = isForSubmission(entrance) && authenticator !== undefined;
    const calm: Settings = {
      greeting: utf8Octets(controls.smtpgreeting),
      databytes,
      dialect: dialects[entrance],
      mostErrors: usualErrors,
      startTls: contexts !== undefined,
      mechanisms: logsIn ? authenticator.mechanisms : [],
      xclient,
    };
    const localiphost = parseDomain(controls.localiphost);
    const values: Values = {
      settings: calm,
      me: controls.me,
      ...(localiphost.ok ? { localiphost: localiphost.value } : {}),
      hidesLogins: controls.hideclient,
      clients: this.visitors,
      timeoutSeconds: controls.timeoutsmtpd,
      policy,
      ...(logsIn ? { authenticator } : {}),
      ...(contexts === undefined ? {} : { startTls: (socket) => socket.startTls(contexts) }),
    };
    if (!stranger) return values;
    const { timeoutSeconds } = values;
    const hurriedSeconds = Math.min(stressTimeoutSeconds, timeoutSeconds);
    // Asked anew at each error and each second: those that wait already are met with the same.
    return {
      ...values,
      settings: {
        ...calm,
        mostErrorsAfterLogin: usualErrors,
        get mostErrors() {
          return isStressed() ? stressErrors : usualErrors;
        },
      },
      timeoutAfterLoginSeconds: timeoutSeconds,
      get timeoutSeconds() {
        return isStressed() ? hurriedSeconds : timeoutSeconds;
      },
      ...(contexts === undefined ? {} : {
        startTls: (socket) => socket.startTls(contexts, isStressed() ? { limitMs: hurriedSeconds * 1000 } : {}),
      }),
    };
  }
}
