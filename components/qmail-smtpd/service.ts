/**
 * What a connection is given: the values of its listener as they were when it came, what the connections of one process
 * share, and how the client came. A connection uses other parts only through what stands here.
 * @module
 */
import type { Domain } from "../lib/address/mailbox.ts";
import type { ClientFacts, Entrance, Policy } from "../lib/policy/decision.ts";
import type { Authenticator } from "../lib/sasl/authenticator.ts";
import type { IntoQueue } from "../lib/smtp/incoming_message.ts";
import type { Settings } from "../lib/smtp/server_settings.ts";
import type { Client } from "../lib/wire/client.ts";
import type { ClientSocket } from "../lib/server/client_socket.ts";
import type { Connection } from "./connection.ts";
import type { Visitor } from "../lib/server/visitors.ts";

/** A channel that has become encrypted. */
export interface Secured {
  readonly protocol: string;
  readonly cipher: string;
  readonly servername?: string | undefined;
  /** Of a client certificate that was checked. */
  readonly clientSubject?: string | undefined;
  /** The channel binding tls-server-end-point (RFC 5929). */
  readonly endPoint?: Uint8Array | undefined;
}

/** Who a client is, by its address. */
export interface Clients {
  at(remoteAddress: string | undefined): Pick<Visitor, "ip" | "relaying" | "environment">;
}

/** What a connection takes from the control files as they were when it came; may differ by listener and by stress. */
export interface Values {
  readonly settings: Settings;
  /** control/me. */
  readonly me: string;
  /** Who this host is where it is named by its address; undefined: nobody. */
  readonly localiphost?: Domain;
  readonly clients: Clients;
  /** control/hideclient. */
  readonly hidesLogins?: boolean;
  /** For each wait for the client. */
  readonly timeoutSeconds: number;
  /** The same for who has logged in; `timeoutSeconds` unless given. */
  readonly timeoutAfterLoginSeconds?: number;
  readonly policy: Policy;
  /** Carries out the mechanisms of `settings.mechanisms`. */
  readonly authenticator?: Authenticator;
  /** The handshake, server side, on a socket whose 220 has been written; rejects when it fails, or takes too long. */
  readonly startTls?: (socket: ClientSocket) => Promise<Secured>;
}

/** What the connections of one process share. */
export interface Service {
  readonly queue: Client;
  readonly uid: number;
  readonly onClose: (connection: Connection) => void;
  /** Begins a message somewhere else than in qmail-queue; undefined: there. `host` is the client's name, where known. */
  readonly begin?: (client: ClientFacts, host: string | undefined) => IntoQueue | undefined;
}

/** How a client came. */
export interface Arrival {
  /** `smtp` unless given. */
  readonly entrance?: Entrance;
  /** The channel was encrypted from the start. */
  readonly secured?: Secured;
  /** Where a proxy names the client; else the socket's other end. */
  readonly remoteAddress?: string;
  /** What tcprules set for it. */
  readonly environment?: ReadonlyMap<string, string>;
  /** More connections than usual. `values` are small then. */
  readonly stress?: boolean;
}
