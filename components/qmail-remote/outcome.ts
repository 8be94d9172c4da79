/**
 * How a conversation with one server ended: what its caller does next, and what was seen of the server on the way.
 * @module
 */
import type { TlsFacts, TlsFlaw } from "../lib/tls/client_policy.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import type { Peer } from "./peer.ts";

/** For the log, for whoever paces deliveries, and for reports on TLS. */
export interface Seen {
  /** Code of the reply that ended the conversation; 0 where none did. */
  readonly code: number;
  /** What protects the connection, or did; undefined for nothing. */
  readonly tls: TlsFacts | undefined;
  /** What was wrong with TLS, whether it mattered to the policy or not. */
  readonly flaw: TlsFlaw | undefined;
}

export type Outcome =
  /** Nothing of this was the message's fault: say `farewell`, close, try the next address; `report` if there is none. */
  | { readonly kind: "next"; readonly report: DeliveryReport; readonly farewell: string; readonly seen: Seen }
  /**
   * TLS, which nobody demands, was begun and failed: close, dial the same address again and converse under a policy with
   * `tls: "none"`, this once. `report` if that cannot be done.
   */
  | { readonly kind: "plain"; readonly report: DeliveryReport; readonly farewell: ""; readonly seen: Seen }
  /** Over; one report a recipient. A reusable connection may carry more; otherwise say `farewell` and close. */
  | {
    readonly kind: "done";
    readonly reports: readonly DeliveryReport[];
    readonly farewell: string;
    readonly reusable: boolean;
    readonly seen: Seen;
    /** What the server can do, for the next message on this connection. */
    readonly peer: Peer;
    /** Mail transactions this took: as many as the server's RCPTMAX makes of one message. */
    readonly transactions: number;
    /**
     * Places of recipients that were not asked about, for the server allows no more transactions on one connection
     * (MAILMAX): another connection may be made for them at once. Their reports say so, as deferrals.
     */
    readonly left: readonly number[];
  };
