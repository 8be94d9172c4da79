/**
 * What qmail-qmtpd does for a client that has come in (lib/server/reception.ts), by the control files as they are when it
 * comes.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import type { ClientFacts, Policy } from "../lib/policy/decision.ts";
import { Connection } from "../lib/qmtp/connection.ts";
import type { ClientSocket } from "../lib/server/client_socket.ts";
import type { Admission, Guest, House } from "../lib/server/reception.ts";
import { type Visitor, type VisitorControls, Visitors } from "../lib/server/visitors.ts";
import type { IntoQueue } from "../lib/smtp/incoming_message.ts";
import { readVariables } from "../lib/tcprules/variables.ts";
import type { TlsContexts } from "../lib/tls/contexts.ts";
import type { Secured } from "../lib/tls/server_stream.ts";
import { QmtpDesk } from "./desk.ts";

export type QmtpService = "qmtp" | "qmtps";

/** What clients are given from now on. */
export interface Surroundings {
  readonly controls: VisitorControls & Pick<Controls, "databytes" | "envnoathost" | "me" | "timeoutsmtpd">;
  readonly policy: Policy;
  /** Undefined: there is no certificate. */
  readonly contexts: TlsContexts | undefined;
}

export interface QmtpHouseOptions {
  readonly surroundings: Surroundings;
  readonly begin: (client: ClientFacts) => IntoQueue;
  /** Whether there are more connections than usual, at the moment of asking. */
  readonly isStressed: () => boolean;
}

/** What a stranger's wait is cut to under stress. */
const stressTimeoutSeconds = 10;

type QmtpAdmission = Admission<QmtpService, Visitor>;

export class QmtpHouse implements House<QmtpService, Visitor, Secured> {
  readonly hasNoGoodbye = true;
  readonly #options: QmtpHouseOptions;
  #surroundings: Surroundings;
  #visitors: Visitors;

  constructor(options: QmtpHouseOptions) {
    this.#options = options;
    this.#surroundings = options.surroundings;
    this.#visitors = new Visitors(options.surroundings.controls);
  }

  /** Those that come from now on are given these. */
  set surroundings(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#visitors = new Visitors(surroundings.controls);
  }

  get visitors(): Visitors {
    return this.#visitors;
  }

  isTlsFirst(entrance: QmtpService): boolean {
    return entrance === "qmtps";
  }

  secure(socket: ClientSocket): Promise<Secured> {
    const { contexts } = this.#surroundings;
    return contexts === undefined ? Promise.reject(new Error("there is no certificate")) : socket.startTls(contexts);
  }

  welcome(
    socket: ClientSocket,
    { visitor, stranger, stress }: QmtpAdmission,
    secured: Secured | undefined,
    onClose: () => void,
  ): Guest {
    const { policy, controls } = this.#surroundings;
    const { begin, isStressed } = this.#options;
    const { ip, environment } = visitor;
    const facts: ClientFacts = {
      // The rules of SMTP are for this way in, too: it would else be a way around them.
      entrance: "smtp",
      ...{ ip, environment, stress },
      relaying: visitor.relaying || environment.has("RELAYCLIENT"),
      helo: "",
      tls: secured !== undefined,
      login: undefined,
    };
    const { me, envnoathost, timeoutsmtpd } = controls;
    const { databytes = controls.databytes } = readVariables(environment);
    const desk = new QmtpDesk({
      ...{ policy, facts, me, envnoathost, databytes, begin, now: Date.now },
      tls: secured === undefined ? undefined : `${secured.protocol} ${secured.cipher}`,
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
    const timeoutSeconds = () => stranger && isStressed() ? Math.min(stressTimeoutSeconds, timeoutsmtpd) : timeoutsmtpd;
    return new Connection(socket, { protocol: "qmtp", ip, desk, timeoutSeconds, onClose });
  }

  /** An answer is to a message; to a client that has sent none there is nothing to say. */
  farewell(): undefined {}
}
