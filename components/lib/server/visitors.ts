/**
 * What is known of a client by its address alone: whom it counts as, whether it may relay or speak for others, and what
 * tcprules set for it. Worked out once for each address and reading of the control files.
 * @module
 */
import type { Controls } from "../../../config/schema.ts";
import { clientAddress, networkOf, NetworkSet } from "../policy/networks.ts";
import { tcpRulesOf } from "../tcprules/control_files.ts";
import type { Environment, TcpRules } from "../tcprules/tcp_rules.ts";

export interface Visitor {
  /** One spelling of the address, or "unknown". */
  readonly ip: string;
  /** Whom it counts as. */
  readonly network: string;
  /** By control/relayclients; RELAYCLIENT in the environment means the same. */
  readonly relaying: boolean;
  /** May relay, or speak for others: no stranger. */
  readonly trusted: boolean;
  readonly isProxy: boolean;
  readonly mayXclient: boolean;
  /** tcprules say `deny`. */
  readonly denied: boolean;
  readonly environment: Environment;
}

export type VisitorControls = Pick<
  Controls,
  "proxyclients" | "rcptcheck" | "relayclients" | "tcp.smtp" | "tcp.smtp.cdb" | "xclients"
>;

/** Addresses that are remembered; most come again soon. */
const mostKnown = 1000;

export class Visitors {
  readonly #relayclients: NetworkSet;
  readonly #proxyclients: NetworkSet;
  readonly #xclients: NetworkSet;
  readonly #rules: TcpRules | undefined;
  readonly #rcptcheck: string;
  readonly #known = new Map<string | undefined, Visitor>();

  constructor(controls: VisitorControls) {
    this.#relayclients = new NetworkSet(controls.relayclients);
    this.#proxyclients = new NetworkSet(controls.proxyclients);
    this.#xclients = new NetworkSet(controls.xclients);
    this.#rules = tcpRulesOf(controls);
    this.#rcptcheck = controls.rcptcheck;
  }

  /** Whether a rule is about clients' names, so that {@link named} has to be asked. */
  get needHost(): boolean {
    return this.#rules?.needsHost === true;
  }

  /** The client at a socket's remote address. */
  at(remoteAddress: string | undefined): Visitor {
    let visitor = this.#known.get(remoteAddress);
    if (visitor === undefined) {
      visitor = this.named(remoteAddress, undefined);
      if (this.#known.size >= mostKnown) this.#known.clear();
      this.#known.set(remoteAddress, visitor);
    }
    return visitor;
  }

  /** The same for a client of this name in the DNS. */
  named(remoteAddress: string | undefined, host: string | undefined): Visitor {
    const ip = clientAddress(remoteAddress);
    const rule = this.#rules?.environmentFor(ip, host);
    const environment = this.#withRcptcheck(rule?.kind === "allow" ? rule.environment : new Map());
    const relaying = this.#relayclients.has(ip);
    const mayXclient = this.#xclients.has(ip);
    return {
      ip,
      network: networkOf(ip),
      relaying,
      trusted: relaying || mayXclient || environment.has("RELAYCLIENT"),
      isProxy: this.#proxyclients.has(ip),
      mayXclient,
      denied: rule?.kind === "deny",
      environment,
    };
  }

  #withRcptcheck(environment: Environment): Environment {
    if (this.#rcptcheck === "" || environment.has("RCPTCHECK")) return environment;
    return new Map([...environment, ["RCPTCHECK", this.#rcptcheck]]);
  }
}
